"""Where a call goes: a pure function of who calls, what was dialled and one table.

The order is the policy.  Strangers reach nothing at all (no route without identity).  Users reach each
other, the built-in destinations, the rooms, the numbers this switch owns, and last, by the longest prefix,
the trunks, which cost money.  A trunk reaches users and owned numbers only: its source address can be
forged (UDP), and a carrier that could dial another carrier through us would be somebody else's phone bill
on ours.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final, TypeAlias

from gateway.ids import RoomId
from gateway.sip.authentication import Credentials
from gateway.sip.uri import Uri
from gateway.switch.causes import ENDINGS, Ending
from gateway.switch.trunk_identity import Presentation
from gateway.switch.trunk_numbers import NumberFormat

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
    "room_of",
    "route",
    "trunks_to",
]

BUILT_IN: Final[Mapping[str, str]] = MappingProxyType(
    {"echo": "echo", "tone": "tone:440", "music": "music", "silence": "silence"}
)
"""What a registered user may always call, and the media plane's source that answers."""

_ROOM_PREFIX: Final = "conf-"
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
    priority: int = 0
    """Among trunks of one prefix, the lowest first."""
    weight: int = 1
    """Its share among trunks of one priority; 0 = when no other is left."""
    numbers: NumberFormat = field(default_factory=NumberFormat)
    presentation: Presentation = field(default_factory=Presentation)
    max_calls: int | None = None
    """Calls at a time, both directions; None = no limit of its own."""
    calls_per_s: float | None = None
    """New calls a second, both directions; None = no limit."""
    patience_s: float = 4.0
    """How long a server may say nothing at all before the next one is asked."""
    ping_s: float = 0.0
    """How often each server is asked by OPTIONS whether it is there; 0 = never."""
    registers: bool = False
    """Register there with `credentials`, and be called by that way."""
    application: str = ""
    """Key of the application whose calls come by it; "" = it is a carrier and nobody's."""


@dataclass(frozen=True, slots=True)
class RoutingTable:
    """Everything that routing may know."""

    users: Set[str] = frozenset()
    """Names; a live view of the store's in a running switch."""
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

    trunks: tuple[Trunk, ...]
    """Those of the longest prefix that fits, as they were configured."""
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
    if caller.user is not None and (trunks := trunks_to(number, table.trunks)):
        return ToTrunk(trunks, number)
    return Refused(ENDINGS["unknown"])


def room_of(dialled: str) -> str | None:
    """Return the name of the conference room that was dialled; None if it was something else."""
    return dialled.removeprefix(_ROOM_PREFIX) if _ROOM.fullmatch(dialled) else None


def trunks_to(number: str, trunks: tuple[Trunk, ...]) -> tuple[Trunk, ...]:
    """Return the trunks of the longest prefix that fits; only telephone numbers leave.

    A shorter prefix is no way round: whoever says where a country's calls go has said where they do not go.
    """
    if not _NUMBER.fullmatch(number):
        return ()
    fitting = [trunk for trunk in trunks if number.startswith(trunk.prefix)]
    longest = max((trunk.prefix for trunk in fitting), key=len, default="")
    return tuple(trunk for trunk in fitting if trunk.prefix == longest)
