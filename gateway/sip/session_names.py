"""The Session-ID of RFC 7989: one name for a conversation, whatever user agents and switches stand between its ends.

Each end has a UUID, and every message says both: `Session-ID: ab30...5d86;remote=47755...e2b`, the sender's first.  A
switch is two user agents, with a Call-ID for each; it passes the ends' UUIDs on (section 7), so that whoever looks at
a trace finds the legs of a call by what stands in them:

    leg     we say to it                 it says to us
    A       (B's);remote=(A's)           (A's);remote=...
    B       (A's);remote=(B's)           (B's);remote=...

Who is transferred speaks with somebody else from then on: the legs that have been joined say each other's names in
whatever they say next (section 7), and an INVITE that the switch sends for a transfer is in the name of whom it
transfers.

For an end that has none we make one.  Towards A we speak in a name of our own until B has said its; and if B never
says one, ours is B's.  A leg is found by its Call-ID, and B's leg finds A's by the UUID in its INVITE, which the switch
passes on like any header that goes untouched.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from gateway.ids import IdSource
from gateway.sip.message import Request, Response

__all__ = ["HEADER", "SessionNames"]

HEADER: Final = "Session-ID"
_NOBODY: Final = "0" * 32
_LOCAL: Final = re.compile(r"[ \t]*([0-9a-fA-F]{32})[ \t]*(?:;|\Z)")


@dataclass(slots=True)
class _Names:
    """The UUIDs of a leg's two ends."""

    ours: str
    theirs: str


class SessionNames:
    """The names of all legs that are on."""

    def __init__(self, ids: IdSource) -> None:
        self._ids: Final = ids
        self._legs: dict[str, _Names] = {}
        self._callers: dict[str, _Names] = {}
        """The legs of those who call us, by their UUID."""

    def __len__(self) -> int:
        return len(self._legs)

    def came(self, invite: Request) -> Request:
        """Begin a leg with an INVITE of a peer; return it with a name of the caller's, ours if it has none."""
        theirs = _said(invite)
        if theirs is None:
            theirs = self._made()
            invite = replace(invite, headers=invite.headers.with_(HEADER, f"{theirs};remote={_NOBODY}"))
        names = self._legs[invite.call_id] = _Names(self._made(), theirs)
        self._callers[theirs] = names
        return invite

    def went(self, invite: Request) -> None:
        """Begin a leg with an INVITE of ours, in the name that it has already or in one of our own."""
        self._legs[_call_id(invite)] = _Names(_said(invite) or self._made(), _NOBODY)

    def heard(self, response: Response) -> None:
        """Learn from a response to an INVITE of ours how the other end is called, and pass it on."""
        names = self._legs.get(response.call_id)
        if names is None or not 100 < response.status < 300:
            return
        caller = self._callers.get(names.ours)
        said = _said(response)
        if said is not None and caller is not None:
            caller.ours = said
        names.theirs = said or (names.theirs if caller is None else caller.ours)

    def introduce(self, call_id: str, other: str) -> None:
        """Let the far ends of two legs speak with each other from now on; without both legs nothing changes."""
        one, two = self._legs.get(call_id), self._legs.get(other)
        if one is not None and two is not None:
            one.ours, two.ours = self._end_of(two), self._end_of(one)

    def introduction(self, call_id: str) -> Sequence[tuple[str, str]]:
        """Return the header of an INVITE that we send in the name of a leg's far end; none without the leg."""
        names = self._legs.get(call_id)
        return [] if names is None else [(HEADER, f"{self._end_of(names)};remote={_NOBODY}")]

    def headers(self, call_id: str) -> Sequence[tuple[str, str]]:
        """Return the header of what we send on a leg; none on one that we do not know."""
        names = self._legs.get(call_id)
        return [] if names is None else [(HEADER, f"{names.ours};remote={names.theirs}")]

    def named(self, request: Request) -> Request:
        """Return a request of ours with the header of its leg."""
        for name, value in self.headers(_call_id(request)):
            return replace(request, headers=request.headers.with_(name, value))
        return request

    def of(self, call_id: str) -> tuple[str, str] | None:
        """Return the names of a leg's two ends, ours first."""
        names = self._legs.get(call_id)
        return None if names is None else (names.ours, names.theirs)

    def resume(self, call_id: str, ours: str, theirs: str, *, caller: bool) -> None:
        """Go on with a leg of a process before us; `caller` = the other end called us."""
        names = self._legs[call_id] = _Names(ours, theirs)
        if caller:
            self._callers[theirs] = names

    def forget(self, call_id: str) -> None:
        """End a leg."""
        names = self._legs.pop(call_id, None)
        if names is not None and self._callers.get(names.theirs) is names:
            del self._callers[names.theirs]

    def _end_of(self, names: _Names) -> str:
        """Return how the far end of a leg is called, by a name of our making if it has said none."""
        if names.theirs == _NOBODY:
            names.theirs = self._made()
        return names.theirs

    def _made(self) -> str:
        """Return a UUID of version 4 without hyphens."""
        digits = self._ids.token(16)
        return f"{digits[:12]}4{digits[13:16]}a{digits[17:]}"


def _call_id(request: Request) -> str:
    """Return the Call-ID of a request that has no Via yet."""
    return request.headers.get("Call-ID") or ""


def _said(message: Request | Response) -> str | None:
    """Return the sender's UUID in a message; None if it has none, or nobody's."""
    found = _LOCAL.match(message.headers.get(HEADER) or "")
    if found is None or found[1] == _NOBODY:
        return None
    return found[1].lower()
