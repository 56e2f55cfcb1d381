"""Who calls, as a trunk wants to be told: the number's format, the From, and what is asserted beside it.

A carrier bills by P-Asserted-Identity and shows it, unless `Privacy: id` stands beside it (RFC 3325); an older
one knows the From alone.  One that we register with often wants its account in the From, whoever calls.  And
a user of this switch whose name is no number has none that the telephone network could show.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from gateway.sip.headers import NameAddr
from gateway.sip.identity import CallerId, shown_to_carrier, shown_to_phone
from gateway.sip.uri import Uri
from gateway.switch.trunk_numbers import NumberFormat

__all__ = ["Presentation", "presented"]


@dataclass(frozen=True, slots=True)
class Presentation:
    """One trunk's choice."""

    asserted: bool = True
    """Send P-Asserted-Identity, and Privacy for callers who are not to be shown."""
    caller_id: str | None = None
    """The number to show for callers who have none, in E.164."""
    from_user: str | None = None
    """The user part of every From, whoever calls."""
    from_host: str | None = None
    """The host of From and P-Asserted-Identity; None = our address."""


def presented(
    caller: CallerId, how: Presentation, numbers: NumberFormat, host: str
) -> tuple[NameAddr, list[tuple[str, str]]]:
    """Return the From of a call to a trunk, and the headers that go with it; `host` is our address."""
    known = numbers.read(caller.user)
    if not known.removeprefix("+").isdigit() and how.caller_id is not None:
        known = how.caller_id
    caller, host = replace(caller, user=numbers.written(known)), how.from_host or host
    from_, headers = shown_to_carrier(caller, host) if how.asserted else (shown_to_phone(caller, host), [])
    if how.from_user is not None:
        from_ = NameAddr(from_.display, Uri("sip", how.from_user, host))
    return from_, headers
