"""The messages of one call as a ladder: who said what to whom, and when.

    127.0.0.1:5070            127.0.0.1:5060            127.0.0.1:5080
    0.000 |-- INVITE bob, pcmu ----->|                         |
    0.002 |<-- 100 Trying -----------|                         |
    0.004 |                          |-- INVITE bob, pcmu ---->|

A switch is two user agents: the legs of a call have Call-IDs of their own.  They belong together by their Session-ID
(RFC 7989), else by the Call-ID alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from gateway.errors import BadMessage
from gateway.observe.trace.message import Address, Traced
from gateway.sdp.description import parse_sdp_untrusted
from gateway.sip.message import Request, Response, parse_message_untrusted

__all__ = ["Rung", "draw", "rungs_of", "summary"]

_TIME: Final = 9
_COLUMN: Final = range(24, 61)
"""How wide a column may be."""
_MIN_BAR: Final = 4


@dataclass(frozen=True, slots=True)
class Rung:
    """One message of a ladder."""

    at: float
    """Seconds since 1970."""
    source: Address
    destination: Address
    call_id: str
    session: frozenset[str]
    """The identifiers of its Session-ID."""
    text: str
    """The message in a few words."""
    retransmission: bool = False


def rungs_of(messages: Iterable[Traced], call_id: str | None = None) -> list[Rung]:
    """Return the messages of one call in order of time; None = of all calls.

    `call_id` may be the beginning of a Call-ID or of an identifier of a Session-ID.
    """
    rungs = sorted((rung for rung in map(_read, messages) if rung is not None), key=lambda rung: rung.at)
    if call_id is not None:
        wanted = {
            name
            for rung in rungs
            if rung.call_id.startswith(call_id) or any(one.startswith(call_id) for one in rung.session)
            for name in (rung.call_id, *rung.session)
        }
        rungs = [rung for rung in rungs if rung.call_id in wanted or rung.session & wanted]
    return _without_doubles(rungs)


def _read(traced: Traced) -> Rung | None:
    try:
        message = parse_message_untrusted(traced.data)
        call_id = message.call_id
    except BadMessage:
        return None  # a keepalive, RTP, or what the switch itself refused to read
    return Rung(
        traced.at,
        traced.source,
        traced.destination,
        call_id,
        _session_of(message),
        summary(message),
    )


def _session_of(message: Request | Response) -> frozenset[str]:
    value = message.headers.get("Session-ID") or ""
    halves = (part.strip().removeprefix("remote=") for part in value.split(";"))
    return frozenset(half for half in halves if half.strip("0"))


def _without_doubles(rungs: Sequence[Rung]) -> list[Rung]:
    """Mark what was said before between the same two with the same words and the same transaction."""
    seen: set[tuple[Address, Address, str, str]] = set()
    marked = []
    for rung in rungs:
        key = (rung.source, rung.destination, rung.call_id, rung.text)
        again = key in seen
        seen.add(key)
        marked.append(
            Rung(rung.at, rung.source, rung.destination, rung.call_id, rung.session, rung.text, again)
        )
    return marked


def summary(message: Request | Response) -> str:
    """Say a message in a few words: method and target or status and reason, its number, and its media."""
    if isinstance(message, Request):
        words = f"{message.method} {message.uri.user or message.uri.host} ({message.cseq.number})"
    else:
        words = f"{message.status} {message.reason} ({message.cseq.number} {message.cseq.method})"
    return ", ".join([words, *_media(message)])


def _media(message: Request | Response) -> list[str]:
    if "sdp" not in (message.headers.get("Content-Type") or ""):
        return []
    try:
        description = parse_sdp_untrusted(message.body)
    except BadMessage:
        return ["SDP that cannot be read"]
    return [f"{each.media} {' '.join(each.formats)} :{each.port}" for each in description.media]


def draw(rungs: Sequence[Rung], *, width: int = 80) -> list[str]:
    """Return the lines of a ladder, about `width` characters wide, wider if there are many parties."""
    parties = list(dict.fromkeys(end for rung in rungs for end in (rung.source, rung.destination)))
    if not parties:
        return []
    column = (width - _TIME - 1) // max(1, len(parties) - 1)
    column = min(max(column, _COLUMN.start), _COLUMN.stop - 1)
    heads = "".join(f"{_spelled(party):<{column}}" for party in parties)
    began = rungs[0].at
    return [" " * _TIME + heads.rstrip(), *(_line(rung, parties, began, column) for rung in rungs)]


def _line(rung: Rung, parties: Sequence[Address], began: float, column: int) -> str:
    time = f"{rung.at - began:{_TIME - 1}.3f} "
    sender, receiver = parties.index(rung.source), parties.index(rung.destination)
    left, right = min(sender, receiver), max(sender, receiver)
    blank = "|" + " " * (column - 1)
    if left == right:
        return f"{time}{blank * left}|<> {_text(rung)}"
    arrow = "|" + _arrow(_text(rung), (right - left) * column - 1, to_right=sender == left)
    return f"{time}{blank * left}{arrow}{blank * (len(parties) - 1 - right)}|"


def _text(rung: Rung) -> str:
    return f"again {rung.text}" if rung.retransmission else rung.text


def _arrow(text: str, width: int, *, to_right: bool) -> str:
    room = width - _MIN_BAR - 3
    if len(text) > room:
        text = text[: room - 3] + "..."
    bar = "-" * (width - len(text) - _MIN_BAR - 1)
    return f"-- {text} {bar}>" if to_right else f"<{bar} {text} --"


def _spelled(address: Address) -> str:
    return f"[{address[0]}]:{address[1]}" if ":" in address[0] else f"{address[0]}:{address[1]}"
