"""A leg as the placement knows it, and what the placement tells of legs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from gateway.ids import LegId, RoomId
from gateway.media.commands import RowState
from gateway.media.events import MediaEvent
from gateway.transport.media_place_table import Where

__all__ = ["PlacedLeg", "PlacementEvent", "PortOpened", "PortRefused"]


@dataclass(frozen=True, slots=True)
class PortOpened:
    """A leg has its port."""

    leg: LegId
    address: tuple[str, int]
    """What SDP names."""


@dataclass(frozen=True, slots=True)
class PortRefused:
    """A leg gets no port, for a reason in words."""

    leg: LegId
    reason: str


PlacementEvent: TypeAlias = MediaEvent | PortOpened | PortRefused


@dataclass(slots=True)
class PlacedLeg:
    """One leg: where it is and where it goes, which port it has, and what its row shall be."""

    id: LegId
    here: int
    """The worker that has it, or is asked for it."""
    there: int
    """The worker that it moves to; `here` while it does not move."""
    state: Where
    refused_by: set[int] = field(default_factory=set)
    reason: str = "the media process does not answer"
    """Why it has no port."""
    address: tuple[str, int] | None = None
    """As the switch was told; None for a source without a socket."""
    bound: tuple[str, int] | None = None
    """Where others on this machine reach it."""
    row: RowState | None = None
    has_socket: bool = True
    trunk: tuple[RoomId, int] | None = None
    """The room and the part that it connects with home; None for everybody's legs."""
