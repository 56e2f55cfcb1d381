"""One tick of 10 ms: playout, sources, mix, keys, encode, send.

A generator in stages of at most `BLOCK_ROWS` rows and half a millisecond of codec work.  What it yields must be sent
before it is asked to go on: the buffer is used again.  Between two stages the live loop serves the packets that have
come meanwhile.  Python's cost is a few calls a stage: there is no loop over legs, packets or samples.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gateway import _native
from gateway.media.mixing import Mixing
from gateway.media.plan import BLOCK_ROWS, PRESSES_AT, Clips, Columns, Plan
from gateway.media.ring import Rings
from gateway.media.sources import Sources, generation_of, ring_of
from gateway.media.table import SEND, Table

__all__ = ["TICK_S", "Ticker"]

TICK_S: Final = 0.01


class Ticker:
    """The audio half of the plane: runs a `Plan` over a table."""

    def __init__(
        self, table: Table, columns: Columns, sources: Sources, mixing: Mixing, rings: Rings | None = None
    ) -> None:
        self._table = table
        self._columns = columns
        self._sources = sources
        self._mixing = mixing
        self._rings = rings
        self._sends = np.zeros(BLOCK_ROWS, SEND)

    def run(self, plan: Plan, now: float) -> Iterator[NDArray[Any]]:
        """Yield the packets of each stage, a structured array of `SEND`; empty ones let the loop breathe."""
        kernel, nothing = self._table.kernel, self._sends[:0]
        for rows, at in plan.decode_stages:
            _native.playout(kernel, rows, at, plan.said, now)
            yield nothing
        self._speak(plan.speak, plan.speak_at, plan.said)
        plan.hears[:] = 0
        self._speak(plan.listen, plan.listen_at, plan.hears)
        if plan.clips.rows.size:
            self._play(plan.clips, plan)
        self._mixing.run(plan)
        if plan.echo_at.size:
            plan.hears[plan.echo_at] = plan.said[plan.echo_at]
        plan.tapes.write(self._rings, plan.said, plan.hears, plan.signal_of)
        self._mixing.unite(kernel, plan, now)
        yield self._press(plan, now) if plan.pressing.size else nothing
        for rows, at in plan.encode_stages:
            yield self._sends[: _native.speak(kernel, rows, plan.signal_of[at], plan.hears, now, self._sends)]

    def _press(self, plan: Plan, now: float) -> NDArray[Any]:
        """Return the packets of the keys that are pressed for phones, SEND [n]."""
        presses = self._columns.presses
        rows = plan.pressing[presses[plan.pressing, PRESSES_AT] != 0][:BLOCK_ROWS]
        return self._sends[: _native.pressed(self._table.kernel, rows, presses, now, self._sends)]

    def _speak(self, rows: NDArray[np.int32], at: NDArray[np.int32], out: NDArray[np.int16]) -> None:
        if rows.size == 0:
            return
        positions = self._columns.source_position[rows]
        out[at] = self._sources.read(self._columns.source[rows], positions)
        self._columns.source_position[rows] = positions + _native.UNIT_SAMPLES

    def _play(self, clips: Clips, plan: Plan) -> None:
        """Take a unit of each clip; silence where it is over, or its ring carries another one by now."""
        units = np.zeros((clips.rows.size, _native.UNIT_SAMPLES), np.int16)
        if self._rings is not None:
            there = self._there(clips.rows)
            units[there] = self._rings.read_units(ring_of(self._columns.source[clips.rows[there]]))
        plan.said[clips.said_at] = units[clips.said]
        plan.hears[clips.heard_at] = units[clips.heard]

    def _there(self, rows: NDArray[np.int32]) -> NDArray[np.bool_]:
        """Say of each row whether its ring still carries its clip."""
        assert self._rings is not None
        numbers = self._columns.source[rows]
        rings = ring_of(numbers)
        known = rings < self._rings.count
        carried = self._rings.generations(np.where(known, rings, 0))
        there: NDArray[np.bool_] = known & (carried == generation_of(numbers))
        return there

    def ended(self, clips: Clips) -> NDArray[np.int32]:
        """Return the rows whose clips are over and of which this was not told yet; they count as told now."""
        rows = clips.rows[~self._columns.source_ended[clips.rows]]
        if rows.size == 0:
            return rows
        over = np.ones(rows.size, bool)
        if self._rings is not None:
            there = self._there(rows)
            over[there] = self._rings.drained(ring_of(self._columns.source[rows[there]]))
        ended = rows[over]
        self._columns.source_ended[ended] = True
        return ended
