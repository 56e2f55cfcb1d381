"""Who calls, and who may know: identity among those who trust each other, and privacy (RFC 3323, 3325, 5806, 7044).

A `From` is what a caller says of itself.  A carrier that we trust says more: `P-Asserted-Identity` (or the
older `Remote-Party-ID`) is whom it billed, `Privacy` whether that may be shown, `Diversion` or `History-Info`
whose number was dialled before the call was forwarded to us.  From anybody else these headers mean nothing,
and of a user with a password we know the name without asking.

What leaves is written anew.  A carrier is told who calls in an asserted identity of ours, with `Privacy: id`
if the caller wants not to be shown; a phone sees the caller, or an anonymous one.  `Identity` (RFC 8224) is
not passed on: it signs headers that we change.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from gateway.errors import BadMessage
from gateway.sip.headers import NameAddr, parse_name_addr_untrusted
from gateway.sip.message import Request
from gateway.sip.uri import Uri

__all__ = ["ANONYMOUS", "PASSED_ON", "CallerId", "read_caller", "shown_to_carrier", "shown_to_phone"]

ANONYMOUS: Final = NameAddr("Anonymous", Uri("sip", "anonymous", "anonymous.invalid"))
"""The From of somebody who wants not to be known (RFC 3323 section 4.1)."""
PASSED_ON: Final = ("Priority", "Resource-Priority", "Alert-Info", "Call-Info", "Session-ID")
"""Headers that go from one leg to the other untouched."""
_TELEPHONES: Final = frozenset({"sip", "sips", "tel"})


@dataclass(frozen=True, slots=True)
class CallerId:
    """Who calls, as far as we believe it."""

    user: str
    """The number or name; "" if nobody would say."""
    display: str | None = None
    withheld: bool = False
    """It may be told to carriers, but is not to be shown to anybody."""
    diverted_by: str | None = None
    """The number that was dialled before the call was forwarded to the one that is called now."""


def read_caller(request: Request, *, user: str | None, trusted: bool) -> CallerId:
    """Return who sent an INVITE: `user` if a password proved it, else what a trusted source says."""
    said = request.from_
    if user is not None or not trusted:
        return CallerId(user or said.uri.user or "", said.display, _wants_privacy(request))
    asserted = next(_addresses(request, "P-Asserted-Identity"), None)
    party = next(_addresses(request, "Remote-Party-ID"), None)
    known = asserted or party or said
    hidden = party is not None and party.parameter("privacy") in ("full", "uri", "name")
    anonymous = said.uri.host.lower() == ANONYMOUS.uri.host
    return CallerId(
        known.uri.user or "",
        known.display or (None if anonymous else said.display),
        _wants_privacy(request) or hidden or anonymous,
        _diverted_by(request),
    )


def shown_to_carrier(caller: CallerId, host: str) -> tuple[NameAddr, list[tuple[str, str]]]:
    """Return the From and the headers that tell a trusted next hop who calls (RFC 3325 section 9.1)."""
    if not caller.user:
        return ANONYMOUS, []
    known = NameAddr(caller.display, Uri("sip", caller.user, host))
    headers = [("P-Asserted-Identity", str(known))]
    if caller.withheld:
        return ANONYMOUS, [*headers, ("Privacy", "id")]
    return known, headers


def shown_to_phone(caller: CallerId, host: str) -> NameAddr:
    """Return the From that a phone may see."""
    if caller.withheld or not caller.user:
        return ANONYMOUS
    return NameAddr(caller.display, Uri("sip", caller.user, host))


def _wants_privacy(request: Request) -> bool:
    """Tell whether a Privacy header asks for more than nothing (RFC 3323 section 4.2)."""
    values = {value.strip().lower() for value in (request.headers.get("Privacy") or "").split(";")}
    return bool(values & {"id", "user", "header", "session"})


def _diverted_by(request: Request) -> str | None:
    """Return the last number that forwarded the call: the first Diversion, or the History-Info before ours."""
    diverted = next(_addresses(request, "Diversion"), None)
    if diverted is not None:
        return diverted.uri.user
    history = list(_addresses(request, "History-Info"))
    return history[-2].uri.user if len(history) > 1 else None


def _addresses(request: Request, name: str) -> Iterator[NameAddr]:
    """Yield the usable addresses of a header; what cannot be read says nothing."""
    for text in request.headers.all(name):
        try:
            address = parse_name_addr_untrusted(text)
        except BadMessage:
            continue
        if address.uri.scheme in _TELEPHONES:
            yield address
