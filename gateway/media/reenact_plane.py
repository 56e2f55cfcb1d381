"""A plane that can be made what it was: its rows have the numbers they had, and its ticks stop where they stopped.

A live tick runs in stages, and packets come in between.  A MARK in the record says how far the tick had come when the
packets before it came.  A plane of a few legs has other stages than the plane of all had: it cuts them at the marks.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gateway import _native
from gateway.ids import LegId
from gateway.media.commands import RowState
from gateway.media.flight import Phase
from gateway.media.flight_log import Record
from gateway.media.plan import BLOCK_ROWS, Plan, Stages
from gateway.media.plane import Plane
from gateway.media.snapshot import COLUMNS, SLOT_ARRAYS, RowSnapshot, image_of, put_image
from gateway.media.table import ROW

__all__ = ["Cut", "Drawn", "ReenactedPlane"]

_NOT_COMPARED: Final = frozenset({"rtp_fd", "rtcp_fd", "crypto"})
"""... nor what keys are for: their names begin with `srtp_`."""
_NO_ROWS: Final = np.zeros(0, np.int32)


class Drawn:
    """The numbers that were drawn then."""

    def __init__(self) -> None:
        self.numbers: deque[int] = deque()

    def token(self, n_bytes: int = 8) -> str:
        raise NotImplementedError(n_bytes)  # a plane draws numbers only

    def number(self, below: int) -> int:
        return self.numbers.popleft() % below


@dataclass(frozen=True, slots=True)
class Cut:
    """Packets that came in the midst of a tick."""

    phase: int
    row: int
    arrivals: Sequence[Record]


class ReenactedPlane(Plane):
    """A plane whose rows are where they were, and whose ticks can be cut."""

    def __init__(self, capacity: int, drawn: Drawn) -> None:
        super().__init__(capacity, drawn)
        self.digests = np.zeros(capacity, np.uint64)

    def leg_at(self, row: int) -> LegId:
        """Return whose row this is."""
        return self._leg_of[row]

    def state(self, row: int) -> RowState | None:
        """Return a row's last command."""
        return self._states.get(row)

    def is_at(self, ticks: int) -> None:
        """Let so many ticks have been run."""
        self._chores.ticks = ticks

    def reserve(self, row: int) -> None:
        """Let the next leg have this row."""
        self._free.remove(row)
        self._free.append(row)

    def refuse(self, row: int, verdict: int) -> None:
        """Count a packet that could not be opened."""
        self.table.rows["verdicts"][row, verdict] += 1

    def forget(self, leg: LegId, now: float) -> None:
        """Go on without a leg; it has not ended."""
        self.close(leg, now)
        self._events.pop()

    def put_back(self, row: int, still: RowSnapshot) -> None:
        """Make a row what it was.

        Raises:
            ValueError: what it was cannot have been.
        """
        if self._row_of.get(still.leg, row) != row:
            raise ValueError(f"leg {still.leg} has another row")
        if still.leg not in self._row_of:
            self.reserve(row)
            self._install(still.leg, self._free.pop(), -1, -1, socket=True)
        before = self._states.pop(row, None)
        if before is not None and before.room is not None:
            self._rooms.leave(before.room, row)
        put_image(still.image, row, self.table, self._columns)
        was = np.frombuffer(still.image.row, ROW)[0]
        for name in ("peer", "relay_source"):
            if not -1 <= was[name] < self.table.capacity:
                raise ValueError(f"{name} is row {was[name]} of {self.table.capacity}")
            self.table.rows[name][row] = was[name]
        self.table.rows["crypto"][row] = 0
        self._steering.forget(row)
        self._steering.follow(row, still)
        if still.state is not None:
            self._states[row] = still.state
            self._enter(row, still.state)
        self._plan = None

    def unlike(self, row: int, still: RowSnapshot) -> list[str]:
        """Return the names of what a row is now and was not then."""
        now, then = image_of(row, self.table, self._columns), still.image
        a, b = np.frombuffer(now.row, ROW)[0], np.frombuffer(then.row, ROW)[0]
        names = [
            name for name in ROW.names or () if name not in _NOT_COMPARED and not name.startswith("srtp_")
        ]
        unlike = [name for name in names if a[name].tobytes() != b[name].tobytes()]
        slots = _blanked(now.slots)
        unlike += [SLOT_ARRAYS[i] for i in range(len(SLOT_ARRAYS)) if slots[i] != then.slots[i]]
        unlike += [COLUMNS[i] for i in range(len(COLUMNS)) if now.columns[i] != then.columns[i]]
        unlike += ["codec states"] if now.voice != then.voice else []
        unlike += ["command"] if self._states.get(row) != still.state else []
        course = (still.reason, still.refused, still.relayed_by)
        return unlike + (["course"] if self._steering.course(row) != course else [])

    def tick_in_parts(
        self, now: float, wall: float, cuts: Sequence[Cut]
    ) -> Iterator[tuple[NDArray[Any], bool, Sequence[Record]]]:
        """Run a tick as `tick` does; yields with each part what comes in after it."""
        plan = self._planned()
        cut, comes = _cut(plan, cuts) if cuts else (plan, {})
        self._plan = cut
        for part, (sends, rtcp) in enumerate(self.tick(now, wall)):
            yield sends, rtcp, comes.get(part, ())
        if self._plan is cut:
            self._plan = plan


def _cut(plan: Plan, cuts: Sequence[Cut]) -> tuple[Plan, Mapping[int, Sequence[Record]]]:
    """Return a plan that stops at cuts, and what comes in after each part of its tick."""
    limits = {
        phase: [cut.row for cut in cuts if cut.phase == phase] for phase in (Phase.DECODED, Phase.MIXED)
    }
    decode, decoded = _stages(plan.decode_stages, limits[Phase.DECODED])
    encode, encoded = _stages(plan.encode_stages, limits[Phase.MIXED])
    n_mixed = len(decode) + 1
    parts = {Phase.DECODED: iter(decoded), Phase.MIXED: iter([n_mixed + part for part in encoded])}
    comes: dict[int, list[Record]] = {}
    for cut in cuts:
        part = n_mixed + len(encode) if cut.phase == Phase.REPORTED else next(parts[Phase(cut.phase)])
        comes.setdefault(part, []).extend(cut.arrivals)
    return replace(plan, decode_stages=decode, encode_stages=encode), comes


def _stages(stages: Stages, limits: Sequence[int]) -> tuple[Stages, Sequence[int]]:
    """Cut stages at rows; returns them, and the number of the stage that ends at each limit."""
    rows = np.concatenate([_NO_ROWS, *(rows for rows, _ in stages)])
    at = np.concatenate([_NO_ROWS, *(at for _, at in stages)])
    pieces: list[tuple[NDArray[np.int32], NDArray[np.int32]]] = []
    ends: list[int] = []
    begin = 0
    for limit in limits:
        end = max(int(np.searchsorted(rows, limit)), begin)
        pieces += _blocks(rows[begin:end], at[begin:end]) or [(_NO_ROWS, _NO_ROWS)]
        ends.append(len(pieces) - 1)
        begin = end
    return (*pieces, *_blocks(rows[begin:], at[begin:])), ends


def _blocks(
    rows: NDArray[np.int32], at: NDArray[np.int32]
) -> list[tuple[NDArray[np.int32], NDArray[np.int32]]]:
    return [(rows[i : i + BLOCK_ROWS], at[i : i + BLOCK_ROWS]) for i in range(0, rows.size, BLOCK_ROWS)]


def _blanked(parts: Sequence[bytes]) -> list[bytes]:
    """Return slot arrays as the recorder keeps them: with nothing where there is no frame."""
    slots, unit, fill, codec = (
        np.frombuffer(part, dtype).copy()
        for part, dtype in zip(parts, (np.uint8, np.int32, np.uint8, np.uint8), strict=True)
    )
    fill[unit < 0] = codec[unit < 0] = 0
    frames = slots.reshape(_native.SLOTS, _native.SLOT_BYTES)
    frames[np.arange(_native.SLOT_BYTES) >= fill[:, None]] = 0
    return [part.tobytes() for part in (slots, unit, fill, codec)]
