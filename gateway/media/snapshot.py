"""Rows taken out of one plane and put into another: for replay, for moving a leg to another worker, for tests.

A snapshot is absolute: it says everything that a row is, so a fresh plane goes on with the same SSRC, sequence and
time, and with the audio that was buffered, bit for bit.  Rows name each other by leg, because their numbers differ in
another plane.  Three things stay behind: descriptors (the broker passes new ones), the loops of sources (made anew,
the same on every machine) and events that were not told yet: take a snapshot after a tick, when they have been.

The bytes are those of this build's `struct row`; `LAYOUT` names it, and a snapshot of another layout is refused.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

import numpy as np

from gateway import _native
from gateway.ids import LegId
from gateway.media.answering_machine import ANSWERER
from gateway.media.commands import RoomState, RowState
from gateway.media.plan import PRESSES_AT, Columns
from gateway.media.table import ROW, Table

__all__ = ["COLUMNS", "LAYOUT", "SLOT_ARRAYS", "RowImage", "RowSnapshot", "Snapshot", "image_of", "put_image"]

SLOT_ARRAYS: Final = ("slots", "slot_unit", "slot_fill", "slot_codec")
COLUMNS: Final = (
    "socket",
    "echo",
    "mix",
    "source_position",
    "ear_cost",
    "mouth_cost",
    "timed_out",
    "presses",
    "answerer",
)
"""The columns that are the row's own; rooms and sources have other numbers in another plane."""

LAYOUT: Final = hashlib.blake2b(
    repr(
        (
            _native.row_layout(),
            _native.mix_row_layout(),
            _native.press_layout(),
            _native.SLOTS,
            _native.SLOT_BYTES,
            _native.VOICE_BYTES,
            COLUMNS,
            ANSWERER.descr,
        )
    ).encode(),
    digest_size=8,
).hexdigest()
"""Names the layout of `RowImage.row` and `RowImage.slots`."""


_MOST_KEYS: Final = 16
_NOISE_BYTES: Final = 33
"""A silence descriptor of RFC 3389 at most: a level and 32 coefficients."""


@dataclass(frozen=True, slots=True)
class RowImage:
    """The arrays of one row, as bytes."""

    row: bytes
    slots: tuple[bytes, ...]
    columns: tuple[bytes, ...]
    voice: bytes
    """The codec states in use."""


@dataclass(frozen=True, slots=True)
class RowSnapshot:
    """One leg."""

    leg: LegId
    state: RowState | None
    """The last command; None if there was none yet."""
    peer: LegId | None
    """Who hears this leg alone."""
    relay_source: LegId | None
    """Whose packets were relayed to this leg last."""
    reason: str | None
    """Why its audio goes the way it does, in words."""
    refused: bool
    """Its packets could not be relayed after all."""
    relayed_by: float | None
    """Until when it waits for a pause to be relayed again, monotonic seconds; None = it does not wait."""
    image: RowImage


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Some legs of a plane between two ticks."""

    layout: str
    ticks: int
    """How many ticks the plane had run: its reports keep their rhythm."""
    rows: tuple[RowSnapshot, ...]
    rooms: tuple[RoomState, ...] = ()
    """How their rooms are mixed, as far as it was said."""


def image_of(row: int, table: Table, columns: Columns) -> RowImage:
    """Return the bytes of one row."""
    return RowImage(
        row=table.rows[row].tobytes(),
        slots=tuple(getattr(table, name)[row].tobytes() for name in SLOT_ARRAYS),
        columns=tuple(getattr(columns, name)[row].tobytes() for name in COLUMNS),
        voice=_native.voice(table.kernel, row),
    )


def put_image(image: RowImage, row: int, table: Table, columns: Columns) -> None:
    """Make a row what an image says, descriptors and the numbers of other rows apart.

    Raises:
        ValueError: its codec states are none, its slots hold more than a frame, or more keys wait than may.
    """
    if image.columns[COLUMNS.index("presses")][PRESSES_AT] > _MOST_KEYS:
        raise ValueError("more keys than may wait")
    _, _, fill, codec = (np.frombuffer(part, np.uint8) for part in image.slots)
    if (fill > np.where(codec == _native.CODEC_COMFORT_NOISE, _NOISE_BYTES, _native.SLOT_BYTES)).any():
        raise ValueError("a playout slot that holds more than a frame")
    _native.set_voice(table.kernel, row, image.voice)
    table.rows[row] = np.frombuffer(image.row, ROW)[0]
    for name in ("rtp_fd", "rtcp_fd", "peer", "relay_source"):
        table.rows[name][row] = -1
    arrays = [(getattr(table, name), part) for name, part in zip(SLOT_ARRAYS, image.slots, strict=True)]
    arrays += [(getattr(columns, name), part) for name, part in zip(COLUMNS, image.columns, strict=True)]
    for array, part in arrays:
        array[row] = np.frombuffer(part, array.dtype).reshape(array.shape[1:])
