"""One tick of 10 ms: playout, sources, mix, encode, send.

A generator in stages of at most `BLOCK_ROWS` rows of codec work.  What it yields must be sent before it is asked to
go on: the buffer is used again.  Between two stages the live loop serves the packets that have come meanwhile.
Python's cost is a few calls a stage: there is no loop over legs, packets or samples.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gateway import _native
from gateway.media.payloads import Banks
from gateway.media.plan import BLOCK_ROWS, Columns, Plan
from gateway.media.rooms import Rooms
from gateway.media.sources import Sources
from gateway.media.table import SEND, Table

__all__ = ["TICK_S", "Ticker"]

TICK_S: Final = 0.01

_UNIT_BYTES: Final = np.arange(_native.SLOT_BYTES)


class Ticker:
    """The audio half of the plane: runs a `Plan` over a table."""

    def __init__(self, table: Table, columns: Columns, sources: Sources, rooms: Rooms) -> None:
        self._table = table
        self._columns = columns
        self._sources = sources
        self._rooms = rooms
        self.banks = Banks(table.capacity)
        self._sends = np.zeros(BLOCK_ROWS, SEND)
        self._payloads = np.zeros((BLOCK_ROWS, _native.SLOT_BYTES), np.uint8)
        self._lengths = np.zeros(BLOCK_ROWS, np.int32)
        self._codecs = np.zeros(BLOCK_ROWS, np.uint8)

    def run(self, plan: Plan, now: float) -> Iterator[NDArray[Any]]:
        """Yield the packets of each stage, a structured array of `SEND`; empty ones let the loop breathe."""
        nothing = self._sends[:0]
        for start in range(0, plan.decode.size, BLOCK_ROWS):
            block = slice(start, start + BLOCK_ROWS)
            plan.said[plan.decode_at[block]] = self._playout(plan.decode[block])
            yield nothing
        self._speak(plan.speak, plan.speak_at, plan.said)
        plan.hears[:] = 0
        self._speak(plan.listen, plan.listen_at, plan.hears)
        self._mix(plan)
        if plan.echo_at.size:
            plan.hears[plan.echo_at] = plan.said[plan.echo_at]
        yield nothing
        for start in range(0, plan.encode.size, BLOCK_ROWS):
            block = slice(start, start + BLOCK_ROWS)
            yield self._encode(plan.encode[block], plan.hears[plan.signal_of[plan.encode_at[block]]], now)

    def _playout(self, rows: NDArray[np.int32]) -> NDArray[np.int16]:
        n = rows.size
        payloads, lengths, codecs = self._payloads[:n], self._lengths[:n], self._codecs[:n]
        _native.take(self._table.kernel, rows, payloads, lengths, codecs)
        return self.banks.decode(rows, payloads, lengths, codecs)

    def _mix(self, plan: Plan) -> None:
        if plan.rooms.size == 0:
            return
        _native.mix(
            self._columns.mix,
            self._rooms.settings,
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

    def _speak(self, rows: NDArray[np.int32], at: NDArray[np.int32], out: NDArray[np.int16]) -> None:
        if rows.size == 0:
            return
        positions = self._columns.source_position[rows]
        out[at] = self._sources.read(self._columns.source[rows], positions)
        self._columns.source_position[rows] = positions + _native.UNIT_SAMPLES

    def _encode(self, rows: NDArray[np.int32], pcm: NDArray[np.int16], now: float) -> NDArray[Any]:
        columns = self._columns
        unit = self._payloads[: rows.size]
        lengths = self.banks.encode(rows, pcm, self._table.rows["send_codec"][rows], unit)
        filled = columns.pending_bytes[rows]
        columns.pending[rows[:, None], filled[:, None] + _UNIT_BYTES] = unit
        columns.pending_bytes[rows] = filled + lengths
        columns.phase[rows] += 1
        due = rows[columns.phase[rows] >= columns.ptime_ticks[rows]]
        if due.size == 0:
            return self._sends[:0]
        samples = (columns.phase[due] * _native.UNIT_SAMPLES).astype(np.uint32)
        n = _native.emit(
            self._table.kernel,
            due,
            columns.pending[due],
            columns.pending_bytes[due],
            samples,
            now,
            self._sends,
        )
        columns.phase[due] = 0
        columns.pending_bytes[due] = 0
        return self._sends[:n]
