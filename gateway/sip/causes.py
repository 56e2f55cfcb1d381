"""Why a session ended, on the wire: the Reason header of BYE and CANCEL (RFC 3326), read and written.

Both protocols that RFC 3326 defines are passed on: `SIP` with a status, so that the losers of a fork learn
that the call was taken elsewhere, and `Q.850` with the ISDN cause, which is what gateways bill and report
by.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final, Literal

from gateway.errors import BadMessage
from gateway.sip.events import EndCause
from gateway.sip.grammar import LWS, find_parameter, parse_parameters_untrusted, quote
from gateway.sip.message import REASONS, Request, Response
from gateway.sip.registrar import parse_seconds_untrusted
from gateway.sip.wire import Outcome, Silence

__all__ = ["cause_of", "cause_of_outcome", "reason_headers"]

_MAX_Q850: Final = 127


def cause_of(
    message: Request | Response,
    *,
    status: int | None,
    reason: str,
    by: Literal["local", "remote", "timeout", "transport"] = "remote",
) -> EndCause:
    """Return the cause that a message ends a session with; its Reason headers say it better than we could."""
    q850: int | None = None
    for text in message.headers.all("Reason"):
        protocol, semicolon, tail = text.partition(";")
        try:
            parameters = parse_parameters_untrusted(semicolon + tail)
        except BadMessage:
            continue
        number = _number(find_parameter(parameters, "cause"))
        words = find_parameter(parameters, "text")
        match protocol.strip(LWS).lower():
            case "q.850" if number is not None and number <= _MAX_Q850:
                q850 = number
            case "sip" if number is not None and isinstance(message, Request):
                status, words = number, words or REASONS.get(number, "")
        reason = words or reason
    return EndCause(status, reason, by, q850)


def cause_of_outcome(outcome: Outcome) -> EndCause:
    """Return the cause that a failed request of ours ends a session with."""
    if isinstance(outcome, Silence):
        return EndCause(outcome.status, outcome.reason, outcome.by)
    cause = cause_of(outcome, status=outcome.status, reason=outcome.reason)
    return replace(cause, retry_after_s=_retry_after_s(outcome))


def reason_headers(cause: EndCause | None) -> list[tuple[str, str]]:
    """Return the Reason headers that tell a cause; an ordinary hang-up has none."""
    if cause is None or (cause.status is None and cause.q850 is None):
        return []
    # Line breaks cannot stand in a header, and a text is not worth failing for.
    text = f";text={quote(' '.join(cause.reason.split()))}" if cause.reason else ""
    values = []
    if cause.status is not None:
        values.append(f"SIP;cause={cause.status}{text}")
    if cause.q850 is not None:
        values.append(f"Q.850;cause={cause.q850}{text}")
    return [("Reason", value) for value in values]


def _retry_after_s(response: Response) -> int | None:
    """Return the seconds of a Retry-After; its comment and its parameters say nothing that we would do."""
    text = response.headers.get("Retry-After") or ""
    return parse_seconds_untrusted(text.partition(";")[0].partition("(")[0].strip(LWS))


def _number(text: str | None) -> int | None:
    if text is None or not text.isascii() or not text.isdigit() or len(text) > 3:
        return None
    return int(text)
