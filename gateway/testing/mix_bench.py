"""The mixer alone, without a plane: rooms of members in arrays, mixed a tick at a time.

    bench = MixBench([3, 1000])            # two rooms
    bench.rows["muted"][2] = 1
    hears = bench.tick(said)               # int16 [members, samples]

Members are rows 0..n - 1 in the order of their rooms; their positions and the order in which the kernel meets them
are shuffled by `seed`, because neither may matter.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from gateway import _native
from gateway.ids import RoomId
from gateway.media.commands import RoomState
from gateway.media.mixer import MIX_ROOM, MIX_ROW, fresh_row, room_wishes

__all__ = ["MixBench"]


class MixBench:
    """Rooms of so many members each."""

    def __init__(self, sizes: Sequence[int], *, seed: int = 0, **room: int | float | bool) -> None:
        """`room` are fields of `RoomState` for all rooms; without any, nothing is gated or left out."""
        chance = np.random.default_rng(seed)
        n = sum(sizes)
        self.rows = np.zeros(n, MIX_ROW)
        """The members, MIX_ROW [n]; wishes are written here between ticks."""
        for i in range(n):
            self.rows[i] = fresh_row(key=1000 + i)
        self.rows["person"] = 1
        self.rooms = np.zeros(len(sizes), MIX_ROOM)
        self.signal_of = np.zeros(n, np.int32)
        """For each member the member whose signal it shares; itself when it hears something of its own."""
        self.mix_rooms_as(**room)
        self._at = chance.permutation(n).astype(np.int32)
        self._offsets = np.cumsum([0, *sizes]).astype(np.int32)
        starts = self._offsets[:-1]
        rooms = [start + chance.permutation(size) for start, size in zip(starts, sizes, strict=True)]
        self._members = np.concatenate([*rooms, np.zeros(0)]).astype(np.int32)

    def mix_rooms_as(self, **room: int | float | bool) -> None:
        """Change how all rooms are mixed."""
        defaults = {"gate_from": 0, "loudest_from": 0}
        for name, value in room_wishes(RoomState(RoomId("room"), 1, **(defaults | room))).items():  # type: ignore[arg-type]  # mypy cannot tell fields apart
            self.rooms[name] = value

    def tick(self, said: NDArray[np.int16], aside: NDArray[np.int16] | None = None) -> NDArray[np.int16]:
        """Mix one tick: said int16 [members, samples] -> what each hears, of the same shape.

        `aside`, of the same shape, is what those hear who hear something else than their room.
        """
        hears = np.zeros_like(said)
        if aside is not None:
            hears[self._at] = aside
        signal_of = np.arange(said.shape[0], dtype=np.int32)
        self.prepared(said, hears, signal_of)()
        row_at = np.argsort(self._at)
        self.signal_of = row_at[signal_of[self._at]].astype(np.int32)
        return hears[signal_of[self._at]]

    def prepared(
        self, said: NDArray[np.int16], hears: NDArray[np.int16], signal_of: NDArray[np.int32]
    ) -> Callable[[], None]:
        """Return the native call alone; `hears` and `signal_of` are over positions."""
        positions, spoken = np.empty_like(said), np.zeros_like(said)
        positions[self._at] = said
        numbers = np.arange(self.rooms.size, dtype=np.int32)
        members_at = self._at[self._members]
        return lambda: _native.mix(
            self.rows,
            self.rooms,
            numbers,
            self._offsets,
            self._members,
            members_at,
            positions,
            spoken,
            hears,
            signal_of,
            said.shape[1],
        )

    def run(self, said: NDArray[np.int16], *, unit: int = 80) -> NDArray[np.int16]:
        """Mix signals of any length, int16 [members, n * unit], tick by tick."""
        ticks = np.split(said, said.shape[1] // unit, axis=1)
        return np.concatenate([self.tick(np.ascontiguousarray(each)) for each in ticks], axis=1)
