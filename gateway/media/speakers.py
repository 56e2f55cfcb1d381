"""Who speaks in a room and how loud everybody is: told five times a second at most, to whom asked for it.

The kernel knows the active speaker of each room at every tick (`native/mixer/choose.c`: who leads by 3 dB for 600 ms
takes over).  A row remembers whether that was told (`told_active`), so a plane that takes over says nothing twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gateway.ids import LegId
from gateway.media.events import ActiveSpeaker, MediaEvent, RoomLevels
from gateway.media.mixer import level_dbov
from gateway.media.plan import Columns
from gateway.media.rooms import Rooms

__all__ = ["TELL_EVERY_TICKS", "Speakers"]

TELL_EVERY_TICKS: Final = 20


class Speakers:
    """Reads the mixer's columns for events."""

    def __init__(self, columns: Columns, rooms: Rooms) -> None:
        self._columns = columns
        self._rooms = rooms

    def news(self, ticks: int, leg_of: Mapping[int, LegId], top: int) -> list[MediaEvent]:
        """Return what the rooms have to tell after that many ticks."""
        if ticks % TELL_EVERY_TICKS:
            return []
        return [*self._changes(leg_of, top), *self._levels(leg_of, top)]

    def _changes(self, leg_of: Mapping[int, LegId], top: int) -> list[MediaEvent]:
        mix, room = self._columns.mix[:top], self._columns.room[:top]
        changed = (mix["active"] != mix["told_active"]) & (room >= 0)
        if not changed.any():
            return []
        mix["told_active"] = mix["active"]
        active = np.flatnonzero(mix["active"])
        speaker = {int(room[row]): leg_of[row] for row in active.tolist()}
        numbers = np.unique(room[changed])
        asked = numbers[self._rooms.tells_speaker[numbers]]
        return [ActiveSpeaker(self._rooms.name(number), speaker.get(number)) for number in asked.tolist()]

    def _levels(self, leg_of: Mapping[int, LegId], top: int) -> list[MediaEvent]:
        rows = np.flatnonzero(self._asked_for_levels(top))
        if rows.size == 0:
            return []
        numbers = self._columns.room[rows]
        levels = level_dbov(self._columns.mix["smooth"][rows])
        told: dict[int, dict[LegId, int]] = {}
        for row, number, level in zip(rows.tolist(), numbers.tolist(), levels.tolist(), strict=True):
            told.setdefault(number, {})[leg_of[row]] = level
        return [RoomLevels(self._rooms.name(number), legs) for number, legs in told.items()]

    def _asked_for_levels(self, top: int) -> NDArray[np.bool_]:
        room = self._columns.room[:top]
        asked: NDArray[np.bool_] = (room >= 0) & self._rooms.tells_levels[room]
        return asked
