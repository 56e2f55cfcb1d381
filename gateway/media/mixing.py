"""The mixer's part of a plane: what commands wish of it, its run in each tick, and what it has to tell.

Who hears whom is decided by rooms (`Rooms`), how loud by the rows' wishes (`MIX_ROW`), and the samples by one native
call.  Everything here is written between two ticks; the tick itself is `run`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from gateway import _native
from gateway.ids import LegId
from gateway.media.commands import RowState
from gateway.media.events import MediaEvent
from gateway.media.mixer import connect_coaches, fresh_row, row_wishes
from gateway.media.plan import Columns, Plan
from gateway.media.rooms import Rooms
from gateway.media.speakers import Speakers

__all__ = ["Mixing"]

_ROOMS_OWN: Final = ("active", "told_active", "chosen", "leading")
"""What a row is in its room, and not in another."""


class Mixing:
    """The mixer over a plane's columns."""

    def __init__(self, columns: Columns, capacity: int) -> None:
        self.rooms: Final = Rooms(capacity)
        self._columns = columns
        self._coaches: dict[int, LegId] = {}
        self._speakers = Speakers(columns, self.rooms)

    def open(self, row: int, key: int, *, socket: bool) -> None:
        """Begin with a row; `key` breaks ties."""
        self._columns.mix[row] = fresh_row(key)
        self._columns.mix["person"][row] = socket

    def wish(self, row: int, state: RowState, *, moved: bool) -> None:
        """Write what a command says of one row; `moved` = it was in another room, or in none.

        Raises:
            LocalError: a gain out of bounds.
        """
        mix = self._columns.mix
        for name, value in row_wishes(state).items():
            mix[name][row] = value
        if moved:  # what was said and heard elsewhere ends without a click
            mix["weight"][row] = 0 if mix["person"][row] else mix["gain_in"][row]
            mix["switched"][row] = 1
            for name in _ROOMS_OWN:
                mix[name][row] = 0

    def enter(self, row: int, state: RowState) -> None:
        """Put a row into its room; its source is known already."""
        columns = self._columns
        columns.room[row] = -1 if state.room is None else self.rooms.enter(state.room, row)
        columns.tap[row] = state.source == "tap"
        columns.mix["aside"][row] = columns.socket[row] and columns.source[row] >= 0
        self.forget(row)
        if state.coach is not None:
            self._coaches[row] = state.coach

    def forget(self, row: int) -> None:
        """Let a row coach nobody."""
        self._coaches.pop(row, None)
        self._columns.mix["heard_by"][row] = -1

    def connect(self, row_of: Mapping[LegId, int]) -> None:
        """Find the rows of those who are coached; once before each new plan."""
        connect_coaches(self._columns.mix, self._coaches, row_of)

    def run(self, plan: Plan) -> None:
        """Mix what `plan.said` holds: afterwards position p hears `plan.hears[plan.signal_of[p]]`."""
        if plan.rooms.size == 0:
            return
        _native.mix(
            self._columns.mix,
            self.rooms.settings,
            plan.rooms,
            plan.offsets,
            plan.members,
            plan.members_at,
            plan.said,
            plan.spoken,
            plan.hears,
            plan.signal_of,
            _native.UNIT_SAMPLES,
        )

    def unite(self, kernel: Any, plan: Plan, now: float) -> None:
        """Let rows that hear the same signal have it encoded once; after `run`, before anything is encoded."""
        if plan.singers.size == 0:
            return
        _native.chorus(
            kernel, self._columns.mix, plan.singers, plan.singers_at, plan.signal_of, plan.choruses, now
        )

    def news(self, ticks: int, leg_of: Mapping[int, LegId], top: int) -> list[MediaEvent]:
        """Return what the rooms have to tell after that many ticks."""
        return self._speakers.news(ticks, leg_of, top)
