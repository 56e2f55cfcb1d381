"""What an INVITE is once its sender is known: who calls by which trunk, and what was dialled."""

from __future__ import annotations

from dataclasses import dataclass, replace

from gateway.sip.events import SessionOffered
from gateway.sip.identity import CallerId, read_caller
from gateway.switch.doors import Doors
from gateway.switch.routing import Caller, Trunk
from gateway.switch.trunks import Trunks
from gateway.switch.world import World

__all__ = ["Origin", "origin_of"]


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a call comes from."""

    caller: Caller
    caller_id: CallerId
    """Who calls, as applications and called parties are told; numbers of a trunk in E.164."""
    dialled: str
    """What was dialled; from a trunk in E.164."""
    trunk: Trunk | None = None
    """The configured trunk, if there is one of that name."""


def origin_of(offered: SessionOffered, world: World) -> Origin:
    """Return where an INVITE comes from."""
    trunks, table = world.trunks, world.settings.table
    caller = _caller_of(offered, world.settings.doors, trunks)
    trusted = offered.trusted or (caller.trunk is not None)
    caller_id = read_caller(offered.request, user=caller.user, trusted=trusted)
    trunk = next((each for each in table.trunks if each.name == caller.trunk), None)
    asked = offered.request.uri.user or ""
    if trunk is None:
        return Origin(caller, caller_id, asked)
    if trunks.of_contact(asked) == trunk.name:  # it calls our registration, and the number stands in To
        asked = offered.request.to.uri.user or ""
    caller_id = replace(caller_id, user=trunk.numbers.read(caller_id.user))
    return Origin(caller, caller_id, trunk.numbers.read(asked), trunk)


def _caller_of(offered: SessionOffered, doors: Doors, trunks: Trunks) -> Caller:
    address = offered.flow.remote[0]
    if offered.user is not None:
        if doors.is_key(offered.user):
            return Caller(trunk=doors.of_key(offered.user, address))
        return Caller(user=offered.user)
    if not offered.trusted:
        return Caller()
    by_contact = trunks.of_contact(offered.request.uri.user)
    if by_contact is not None and doors.admits(by_contact, address):
        return Caller(trunk=by_contact)
    return Caller(trunk=doors.of_address(address))
