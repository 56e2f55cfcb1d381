"""Rooms: who is in which, under what number, and how it is mixed.

A room is there for as long as a row is in it.  How it is mixed (`RoomState`) may be said before the first row comes,
and is remembered until something else is said: only when far more rooms were spoken of than there can be, the oldest
that nobody is in is forgotten.
"""

from __future__ import annotations

from collections.abc import Iterable, Set
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gateway.ids import RoomId
from gateway.media.commands import RoomState
from gateway.media.mixer import MIX_ROOM, room_wishes

__all__ = ["Rooms"]


class Rooms:
    """The rooms of a plane of `capacity` rows."""

    def __init__(self, capacity: int) -> None:
        self.settings: Final[NDArray[Any]] = np.zeros(capacity, MIX_ROOM)
        """How each room is mixed, by its number."""
        self.tells_speaker: Final = np.zeros(capacity, bool)
        """Who asked for events, by number."""
        self.tells_levels: Final = np.zeros(capacity, bool)
        self._capacity = capacity
        self._members: dict[RoomId, set[int]] = {}
        self._numbers: dict[RoomId, int] = {}
        self._names: dict[int, RoomId] = {}
        self._states: dict[RoomId, RoomState] = {}
        self._free = list(range(capacity - 1, -1, -1))

    def members(self, room: RoomId) -> Set[int]:
        """Return the rows in a room."""
        return self._members.get(room, frozenset())

    def name(self, number: int) -> RoomId:
        """Return the room that has this number now."""
        return self._names[number]

    def state(self, room: RoomId) -> RoomState:
        """Return how a room is mixed."""
        return self._states.get(room) or RoomState(room, 0)

    def said(self, rooms: Iterable[RoomId]) -> tuple[RoomState, ...]:
        """Return the states that were commanded for some rooms."""
        return tuple(self._states[room] for room in sorted(set(rooms)) if room in self._states)

    def enter(self, room: RoomId, row: int) -> int:
        """Put a row into a room, which is opened for it if need be; returns the room's number."""
        if room not in self._members:
            self._members[room] = set()
            self._numbers[room] = self._free.pop()
            self._names[self._numbers[room]] = room
            self._write(room)
        self._members[room].add(row)
        return self._numbers[room]

    def leave(self, room: RoomId, row: int) -> Set[int]:
        """Take a row out of a room, which goes with its last row, and return who is left."""
        members = self._members[room]
        members.discard(row)
        if not members:
            del self._members[room]
            number = self._numbers.pop(room)
            del self._names[number]
            self._free.append(number)
        return members

    def apply(self, state: RoomState) -> None:
        """Mix a room as `state` says, now or when it is opened; an older generation is ignored.

        Raises:
            LocalError: a number out of bounds.
        """
        room_wishes(state)
        known = self._states.get(state.room)
        if known is not None and state.generation < known.generation:
            return
        self._states[state.room] = state
        if state.room in self._numbers:
            self._write(state.room)
        if len(self._states) > 2 * self._capacity:
            del self._states[next(room for room in self._states if room not in self._numbers)]

    def _write(self, room: RoomId) -> None:
        number, state = self._numbers[room], self.state(room)
        for name, value in room_wishes(state).items():
            self.settings[name][number] = value
        self.tells_speaker[number] = state.tell_speaker
        self.tells_levels[number] = state.tell_levels
