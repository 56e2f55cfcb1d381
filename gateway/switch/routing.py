"""Where a call goes: a pure function of who calls, what was dialled and one table.

The order is the policy.  Strangers reach nothing at all (no route without identity).  Users reach each
other, the built-in destinations, the rooms, the numbers this switch owns, and last, by the longest prefix,
the trunks, which cost money.  A trunk reaches users and owned numbers only: its source address can be
forged (UDP), and a carrier that could dial another carrier through us would be somebody else's phone bill
on ours.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, TypeAlias

from gateway.ids import RoomId
from gateway.sip.authentication import Credentials
from gateway.sip.uri import Uri
from gateway.switch.causes import ENDINGS, Ending

__all__ = [
    "BUILT_IN",
    "Caller",
    "Destination",
    "Refused",
    "RoutingTable",
    "ToApplication",
    "ToBuiltIn",
    "ToRoom",
    "ToTrunk",
    "ToUser",
    "Trunk",
    "route",
]

BUILT_IN: Final[Mapping[str, str]] = MappingProxyType(
    {"echo": "echo", "tone": "tone:440", "music": "music", "silence": "silence"}
)
"""What a registered user may always call, and the media plane's source that answers."""

_ROOM: Final = re.compile(r"conf-([A-Za-z0-9_.-]{1,64})")
_NUMBER: Final = re.compile(r"\+?[0-9][0-9().-]{0,31}")
_VISUAL: Final = str.maketrans("", "", "().-")
"""Visual separators of a telephone number (RFC 3966 section 5.1.1)."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, as far as it was proved: a digest user, a configured trunk, or neither (a stranger)."""

    user: str | None = None
    trunk: str | None = None


@dataclass(frozen=True, slots=True)
class Trunk:
    """A carrier: numbers that begin with `prefix` and are not ours leave through it."""

    name: str
    uri: Uri
    prefix: str = ""
    codecs: tuple[str, ...] = ()
    """Lower-case codec names in the order to offer them; empty = the switch's own list."""
    credentials: Credentials | None = None


@dataclass(frozen=True, slots=True)
class RoutingTable:
    """Everything that routing may know."""

    users: frozenset[str] = frozenset()
    numbers: Mapping[str, str] = field(default_factory=dict)
    """Numbers we own and the key of the application that takes their calls."""
    trunks: tuple[Trunk, ...] = ()


@dataclass(frozen=True, slots=True)
class ToUser:
    """To every phone that this user has registered."""

    name: str


@dataclass(frozen=True, slots=True)
class ToBuiltIn:
    """To a source of the media plane."""

    source: str


@dataclass(frozen=True, slots=True)
class ToRoom:
    """Into a conference room."""

    room: RoomId


@dataclass(frozen=True, slots=True)
class ToApplication:
    """To the application that owns the number."""

    number: str
    application: str


@dataclass(frozen=True, slots=True)
class ToTrunk:
    """Out through a carrier."""

    trunk: Trunk
    number: str


@dataclass(frozen=True, slots=True)
class Refused:
    """Nowhere, and why."""

    ending: Ending


Destination: TypeAlias = ToUser | ToBuiltIn | ToRoom | ToApplication | ToTrunk | Refused


def route(dialled: str, *, caller: Caller, table: RoutingTable) -> Destination:
    """Return where a call to `dialled` (the user part of the request URI) goes."""
    if caller.user is None and caller.trunk is None:
        return Refused(ENDINGS["forbidden"])
    if dialled in table.users:
        return ToUser(dialled)
    if caller.user is not None:
        if (source := BUILT_IN.get(dialled)) is not None:
            return ToBuiltIn(source)
        if _ROOM.fullmatch(dialled):
            return ToRoom(RoomId(dialled))
    number = dialled.translate(_VISUAL) if _NUMBER.fullmatch(dialled) else dialled
    if (application := table.numbers.get(number)) is not None:
        return ToApplication(number, application)
    if caller.user is not None and (trunk := _longest_prefix(number, table.trunks)) is not None:
        return ToTrunk(trunk, number)
    return Refused(ENDINGS["unknown"])


def _longest_prefix(number: str, trunks: tuple[Trunk, ...]) -> Trunk | None:
    """Only telephone numbers leave; among equals the first configured trunk wins."""
    if not _NUMBER.fullmatch(number):
        return None
    fitting = [trunk for trunk in trunks if number.startswith(trunk.prefix)]
    return max(fitting, key=lambda trunk: len(trunk.prefix), default=None)
