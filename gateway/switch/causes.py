"""Why a call ended, in one table: SIP status, Q.850 cause and words.

A B2BUA hears an end on one leg and has to say it on the other.  What it says steers phones (busy tone or
retry), carriers (failover) and applications (the reason in their callbacks), so all of it is decided here:
RFC 3398 gives the pairs of status and cause, RFC 3326 the Reason header, RFC 3261 section 16.7 what must
not travel upstream (somebody else's 503, challenge or redirection is not ours).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

from gateway.errors import PeerError
from gateway.ids import IdSource
from gateway.sdp.agreement import NoCommonCodec
from gateway.sip.events import EndCause
from gateway.switch.records import CallReason

__all__ = [
    "ELSEWHERE",
    "ENDINGS",
    "Q850_OF_STATUS",
    "STATUS_OF_Q850",
    "Ending",
    "best_of",
    "ending_of",
    "hung_up_by",
    "q850_of",
    "refused_offer",
    "silence",
]

_RETRY_AFTER_S: Final = (2, 8)
STATUS_OF_Q850: Final[Mapping[int, int]] = MappingProxyType(
    {1: 404, 2: 404, 3: 404, 17: 486, 18: 408, 19: 480, 20: 480, 21: 403, 22: 410, 26: 404, 27: 502, 28: 484}
    | {29: 501, 31: 480, 34: 503, 38: 503, 41: 503, 42: 503, 47: 503, 55: 403, 57: 403, 58: 503, 65: 488}
    | {70: 488, 79: 501, 87: 403, 88: 488, 102: 504, 111: 500, 127: 500}
)
"""RFC 3398 section 7.2.4.1: what a Q.850 cause is as a SIP status."""

Q850_OF_STATUS: Final[Mapping[int, int]] = MappingProxyType(
    {200: 16, 401: 21, 402: 21, 403: 21, 404: 1, 405: 63, 406: 79, 407: 21, 408: 102, 410: 22, 413: 127}
    | {414: 127, 415: 79, 416: 127, 420: 127, 421: 127, 423: 127, 480: 18, 481: 41, 482: 25, 483: 25, 484: 28}
    | {485: 1, 486: 17, 487: 16, 488: 65, 500: 41, 501: 79, 502: 38, 503: 41, 504: 102, 505: 127, 513: 127}
    | {600: 17, 603: 21, 604: 1, 606: 65}
)
"""RFC 3398 section 8.2.6.1, the way back."""


@dataclass(frozen=True, slots=True)
class Ending:
    """One way a call ends: what the SIP peer, the ISDN world and a person are told."""

    status: int
    text: str
    """For people: logs, Warning and Reason headers; never contains a line break."""
    q850: int
    by: str = "local"
    """Who ended it: `caller`, `callee`, `local`, `timeout` or `transport`."""
    retry: bool = False
    """It is worth trying again soon: the answer says when."""
    warning: int = 304
    """The code of the Warning that goes with 488 and 606 (RFC 3261 section 20.43): what was not acceptable."""
    reason: CallReason | None = None
    """What its application is told, where status and who ended it do not say so (`outcome`)."""

    @property
    def cause(self) -> EndCause:
        """The same thing for the SIP endpoint, as our own doing; an ordinary end has no status."""
        status = self.status if self.status >= 300 else None
        return EndCause(status=status, reason=self.text, by="local", q850=self.q850)

    def headers(self, host: str, ids: IdSource) -> tuple[tuple[str, str], ...]:
        """Return the header fields that explain a refusal; `host` names the one who warns.

        A 503 says in words which limit it is (RFC 3326).

        Those who may come back are told different times, or they would all come back at once.
        """
        words = f';text="{_quotable(self.text)}"' if self.status == 503 else ""
        fields = [("Reason", f"Q.850;cause={self.q850}{words}")]
        if self.status in {488, 606}:
            fields.append(("Warning", f'{self.warning} {host} "{_quotable(self.text)}"'))
        if self.retry:
            first_s, last_s = _RETRY_AFTER_S
            fields.append(("Retry-After", str(first_s + ids.number(last_s - first_s + 1))))
        return tuple(fields)


ENDINGS: Final[Mapping[str, Ending]] = MappingProxyType(
    {
        "hung_up": Ending(200, "Normal clearing", 16),
        "cancelled": Ending(487, "The caller gave up", 16, by="caller"),
        "caller_lost": Ending(487, "The caller's connection is gone", 27, by="transport"),
        "unknown": Ending(404, "Nobody has this name or number here", 1),
        "no_application": Ending(404, "This number's application does not take calls", 1),
        "forbidden": Ending(403, "Only registered users and trunks may call", 21),
        "unregistered": Ending(480, "The callee is not registered", 20, reason=CallReason.USERNOTFOUND),
        "no_answer": Ending(480, "The callee did not answer in time", 19, by="timeout"),
        "lost": Ending(408, "The callee's phone did not respond", 18, by="timeout"),
        "unreachable": Ending(480, "The callee's connection is gone", 20, by="transport"),
        "trunk_down": Ending(502, "The trunk cannot be reached", 38, by="transport"),
        "trunk_full": Ending(503, "The trunk carries as many calls as it may", 34, retry=True),
        "trunk_busy": Ending(503, "The trunk asked to be left alone for a while", 42, retry=True),
        "too_many_hops": Ending(483, "Max-Forwards ran out", 25),
        "no_media_answer": Ending(488, "The answer had no usable media", 65),
        "media_refused": Ending(503, "No media port is free", 34, retry=True),
        "overload": Ending(503, "As many calls as this switch may carry are up", 42, retry=True),
        "draining": Ending(503, "This switch is shutting down", 41, retry=True),
        "transferred": Ending(200, "The call was joined with another one", 16),
        "no_transfer": Ending(488, "That is nothing to be transferred to", 88),
        "silent": Ending(408, "No audio arrived for too long", 102, by="timeout"),
        "too_long": Ending(480, "The longest permitted call is over", 16, by="timeout"),
        "no_user": Ending(404, "The application has no such user", 1, reason=CallReason.USERNOTFOUND),
        "no_credit": Ending(402, "The application has no credit left", 21, reason=CallReason.NOCREDITPARTNER),
        "not_allowed": Ending(403, "The application may not call there", 21, reason=CallReason.BLOCKED),
        "managed": Ending(200, "The application ended the call", 16, by="manager"),
        "managed_busy": Ending(486, "The application says busy", 17, by="manager"),
        "managed_congestion": Ending(503, "The application says congestion", 42, by="manager"),
        "callback_failed": Ending(
            480, "The application did not answer", 41, by="application", reason=CallReason.CALLBACKERROR
        ),
        "bad_document": Ending(
            480,
            "The application's answer is invalid",
            41,
            by="application",
            reason=CallReason.INVALIDSVAMLACTION,
        ),
        "too_many_dials": Ending(480, "The application had one after another called", 25, by="application"),
        "not_offered": Ending(501, "The application wants something that this switch does not offer", 79),
        "abandoned": Ending(487, "Who asked for the call went away", 16, by="caller"),
        "shutdown": Ending(503, "The switch shut down", 41, retry=True),
        "crashed": Ending(500, "The call failed inside the switch", 41),
    }
)
"""Every ending that is our own decision."""

ELSEWHERE: Final = EndCause(status=200, reason="Call completed elsewhere", by="local", q850=None)
"""For the losers of a fork (RFC 3326 section 3.1): phones then list no missed call."""

_UPSTREAM: Final[Mapping[int, tuple[int, str]]] = MappingProxyType(
    {
        401: (502, "The far end refused our credentials"),
        407: (502, "The far end refused our credentials"),
        481: (480, "The far end lost the call"),
        482: (480, "The far end saw a loop"),
        487: (480, "The far end ended the call before it was answered"),
        503: (500, "The far end is overloaded"),
    }
)
"""Statuses of the far leg that would mean something else to the near one (RFC 3261 section 16.7)."""


def ending_of(cause: EndCause, *, trunk: bool, alerted: bool) -> Ending:
    """Return what the caller is told when an outgoing leg ended before it was answered.

    `trunk`: the leg led to a carrier, not to a phone.  `alerted`: it had been ringing.
    """
    if cause.by == "timeout":
        return ENDINGS["no_answer" if alerted else "lost"]
    if cause.by == "transport":
        return ENDINGS["trunk_down" if trunk else "unreachable"]
    status = cause.status or 480
    if status < 300:  # a BYE on a leg that was never answered
        return Ending(480, "The far end went away", 31, by="callee")
    if status < 400:  # following a Contact that a stranger chose is how toll fraud works
        return Ending(480, "The far end redirected the call, which is not followed", 23, by="callee")
    translated, text = _UPSTREAM.get(status, (status, _quotable(cause.reason) or "Refused"))
    return Ending(translated, text, cause.q850 or q850_of(translated), by="callee")


def hung_up_by(side: str, cause: EndCause) -> Ending:
    """Return the ending of a call that was up and whose `side` (`caller` or `callee`) ended."""
    if cause.by == "remote":
        return Ending(200, _quotable(cause.reason) or "Normal clearing", cause.q850 or 16, by=side)
    text = f"The {side} is gone: {_quotable(cause.reason) or cause.by}"
    return Ending(cause.status or 408, text, cause.q850 or 27, by=cause.by)


def refused_offer(error: PeerError) -> Ending:
    """Return the ending of a call whose caller made an offer that cannot be used."""
    warning = error.warning if isinstance(error, NoCommonCodec) else 304
    return Ending(error.status, _quotable(str(error)), q850_of(error.status), by="caller", warning=warning)


def silence(reason: str) -> Ending:
    """Return how a call ends whose leg is not heard any more, for a reason if it is known."""
    return replace(ENDINGS["silent"], text=_quotable(reason)) if reason else ENDINGS["silent"]


def best_of(endings: Iterable[Ending]) -> Ending:
    """Return what the caller hears when every branch of a fork failed (RFC 3261 section 16.7 step 6).

    A 6xx speaks for the user, busy for a person who is there; a lost phone says the least.
    """
    return min(endings, key=lambda ending: (_rank(ending.status), ending.status))


def q850_of(status: int) -> int:
    """Return the Q.850 cause of a SIP status; 31 (normal, unspecified) or 127 for the unusual ones."""
    return Q850_OF_STATUS.get(status, 127 if status >= 500 else 31)


def _rank(status: int) -> int:
    if status >= 600:
        return 0
    if status == 486:
        return 1
    if status == 408:
        return 4
    return 2 if status < 500 else 3


def _quotable(text: str) -> str:
    return "".join(c for c in text if c.isprintable() and c not in '"\\')[:200]
