"""The plan of a tick: which rows are decoded, mixed and encoded, as arrays made when something changed.

Joining, leaving and re-negotiating are paid here, between ticks, so that the tick itself runs over ready index
arrays.  Rows that the tick deals with get *positions* 0..n in two arrays of PCM: what each said, what each hears.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from gateway import _native
from gateway.media.answering_machine import ANSWERER
from gateway.media.mixer import MIX_ROW, rest
from gateway.media.recorders import NO_TAPE, Tapes, recorded, tapes_of
from gateway.media.sources import CLIP

__all__ = [
    "BLOCK_ROWS",
    "IDLE",
    "PRESSES_AT",
    "RELAY",
    "STAGE_COST",
    "TICK",
    "Columns",
    "Plan",
    "Stages",
    "make_plan",
]

IDLE: Final = 0
RELAY: Final = 1
TICK: Final = 2
"""`enum mode` of native/plane/plane.h: how the audio of a row travels."""

BLOCK_ROWS: Final = 64
"""Rows of codec work in one stage, at most."""
STAGE_COST: Final = 384
"""Microseconds of codec work in one stage: below 0.5 ms, so that a relayed packet never waits longer."""
_PRESS_BYTES: Final = _native.press_layout()[0]
PRESSES_AT: Final = _native.press_layout()[1]
"""Where among the bytes of a row's keys their number is."""
_REMEMBERING: Final = (_native.CODEC_G729, _native.CODEC_ILBC_20, _native.CODEC_ILBC_30)
_LEAST_COST: Final = STAGE_COST // BLOCK_ROWS

Stages: TypeAlias = tuple[tuple[NDArray[np.int32], NDArray[np.int32]], ...]
"""Rows and their positions, stage by stage."""


def _no_rows() -> NDArray[np.int32]:
    return np.zeros(0, np.int32)


def _no_indices() -> NDArray[np.int64]:
    return np.zeros(0, np.int64)


def _no_pcm() -> NDArray[np.int16]:
    return np.zeros((0, _native.UNIT_SAMPLES), np.int16)


class Columns:
    """What the tick keeps of each row beside the kernel's columns; arrays over rows."""

    def __init__(self, capacity: int) -> None:
        self.open = np.zeros(capacity, bool)
        """The row is in use."""
        self.socket = np.zeros(capacity, bool)
        """It has a socket; else it is a source that others hear."""
        self.room = np.full(capacity, -1, np.int32)
        self.source = np.full(capacity, -1, np.int64)
        """The loop or clip that the row says (no socket) or hears (socket); -1 = none."""
        self.source_position = np.zeros(capacity, np.int64)
        self.source_ended = np.zeros(capacity, bool)
        """The clip is over, and that was told."""
        self.echo = np.zeros(capacity, bool)
        self.tap = np.zeros(capacity, bool)
        """The row has no socket and hears its room: a recorder, a detector."""
        self.tapes = np.full((capacity, 2), NO_TAPE, np.int64)
        """The rings that record what it hears and says."""
        self.mix = np.zeros(capacity, MIX_ROW)
        """How the mixer treats the row, and what it knows of it."""
        self.in_band = np.zeros(capacity, bool)
        """Keys are listened for in what it says."""
        self.answerer = np.zeros(capacity, ANSWERER)
        """Who has answered: what is known of it, where it was asked."""
        self.timed_out = np.zeros(capacity, bool)
        """It was told that nothing comes from its phone any more."""
        self.ear_cost = np.zeros(capacity, np.int32)
        """Microseconds to decode what the row says in one tick."""
        self.mouth_cost = np.zeros(capacity, np.int32)
        """Microseconds to encode what it hears."""
        self.presses = np.zeros((capacity, _PRESS_BYTES), np.uint8)
        """The keys that are pressed for its phone: `struct press` of native/plane/press.h."""

    def clear(self, row: int) -> None:
        """Free a row."""
        self.open[row] = self.socket[row] = self.echo[row] = self.tap[row] = self.timed_out[row] = False
        self.in_band[row] = False
        self.answerer[row] = np.zeros((), ANSWERER)
        self.room[row] = self.source[row] = -1
        self.source_position[row] = 0
        self.source_ended[row] = False
        self.tapes[row] = NO_TAPE
        self.presses[row] = 0


@dataclass(frozen=True, slots=True)
class Clips:
    """Rows whose source is a clip.  All are read, those to whom nothing is sent too: the time of a clip passes."""

    rows: NDArray[np.int32] = field(default_factory=_no_rows)
    said: NDArray[np.int64] = field(default_factory=_no_indices)
    """Which of `rows` have no socket and are heard by their room ..."""
    said_at: NDArray[np.int32] = field(default_factory=_no_rows)
    heard: NDArray[np.int64] = field(default_factory=_no_indices)
    """... and which have one and hear their clip alone."""
    heard_at: NDArray[np.int32] = field(default_factory=_no_rows)


@dataclass(frozen=True, slots=True)
class Plan:
    """Index arrays of one tick.  `*_at` are positions in `said` and `hears`, int16 [positions, UNIT_SAMPLES]."""

    decode: NDArray[np.int32] = field(default_factory=_no_rows)
    decode_at: NDArray[np.int32] = field(default_factory=_no_rows)
    speak: NDArray[np.int32] = field(default_factory=_no_rows)
    """Rows without a socket, whose loop is heard by their room."""
    speak_at: NDArray[np.int32] = field(default_factory=_no_rows)
    members: NDArray[np.int32] = field(default_factory=_no_rows)
    """Rows, room by room."""
    members_at: NDArray[np.int32] = field(default_factory=_no_rows)
    offsets: NDArray[np.int32] = field(default_factory=_no_rows)
    """members[offsets[r]:offsets[r + 1]] are in the room whose number is rooms[r]."""
    rooms: NDArray[np.int32] = field(default_factory=_no_rows)
    echo_at: NDArray[np.int32] = field(default_factory=_no_rows)
    in_band: NDArray[np.int32] = field(default_factory=_no_rows)
    """Rows in whose audio keys are listened for."""
    in_band_at: NDArray[np.int32] = field(default_factory=_no_rows)
    answerers: NDArray[np.int32] = field(default_factory=_no_rows)
    """Rows of which it is asked who has answered."""
    answerers_at: NDArray[np.int32] = field(default_factory=_no_rows)
    taps: NDArray[np.int32] = field(default_factory=_no_rows)
    """Rows without a socket that hear their room."""
    taps_at: NDArray[np.int32] = field(default_factory=_no_rows)
    tapes: Tapes = field(default_factory=Tapes)
    """What is recorded."""
    listen: NDArray[np.int32] = field(default_factory=_no_rows)
    """Rows with a socket that hear a loop alone."""
    listen_at: NDArray[np.int32] = field(default_factory=_no_rows)
    clips: Clips = field(default_factory=Clips)
    decode_stages: Stages = ()
    encode_stages: Stages = ()
    pressing: NDArray[np.int32] = field(default_factory=_no_rows)
    """Rows for whose phones keys are pressed."""
    singers: NDArray[np.int32] = field(default_factory=_no_rows)
    """Rows in rooms whose encoders have a memory: those that hear the same signal have it encoded once."""
    singers_at: NDArray[np.int32] = field(default_factory=_no_rows)
    choruses: NDArray[np.int64] = field(default_factory=_no_indices)
    """Scratch for finding who encodes for them."""
    said: NDArray[np.int16] = field(default_factory=_no_pcm)
    spoken: NDArray[np.int16] = field(default_factory=_no_pcm)
    """The mixer's own: what those say whom it weighs."""
    hears: NDArray[np.int16] = field(default_factory=_no_pcm)
    signal_of: NDArray[np.int32] = field(default_factory=_no_rows)
    """What position p hears is hears[signal_of[p]]: many listeners of a room share one signal."""


def _rows_where(condition: NDArray[np.bool_]) -> NDArray[np.int32]:
    return np.flatnonzero(condition).astype(np.int32)


def make_plan(rows: NDArray[Any], columns: Columns, top: int) -> Plan:
    """Return the plan for rows[:top] as they are now: no Python loop over rows."""
    mode, peer = rows["mode"][:top], rows["peer"][:top]
    is_open, socket, source = columns.open[:top], columns.socket[:top], columns.source[:top]
    fed = np.zeros(top, bool)  # a relay writes to it: the tick must not
    fed[peer[(mode == RELAY) & is_open & (peer >= 0) & (peer < top)]] = True
    decoded = is_open & socket & (mode == TICK)
    spoken = is_open & ~socket & (source >= 0)
    encoded = is_open & socket & ~fed & (rows["sending"][:top] != 0)
    tapping = is_open & columns.tap[:top]
    taped = is_open & recorded(columns.tapes[:top])
    taking_part = decoded | spoken | encoded | tapping | taped
    position = np.cumsum(taking_part, dtype=np.int32) - 1
    n = int(position[-1]) + 1 if top else 0
    mixed = taking_part & (columns.room[:top] >= 0)
    rest(columns.mix[:top], ~mixed)
    members, offsets = _rooms(_rows_where(mixed), columns.room)
    clip = is_open & (source >= CLIP)
    decode, speak, encode = _rows_where(decoded), _rows_where(spoken & ~clip), _rows_where(encoded)
    singers = _rows_where(encoded & mixed & np.isin(rows["send_codec"][:top], _REMEMBERING))
    listening = (encoded | taped & socket) & (source >= 0)
    listen = _rows_where(listening & ~clip)
    echo, taps = _rows_where(decoded & columns.echo[:top]), _rows_where(tapping)
    in_band = _rows_where(decoded & columns.in_band[:top])
    answerers = _rows_where(decoded & columns.answerer["wanted"][:top])
    return Plan(
        decode=decode,
        decode_at=position[decode],
        speak=speak,
        speak_at=position[speak],
        members=members,
        members_at=position[members],
        offsets=offsets,
        rooms=columns.room[members[offsets[:-1]]],
        echo_at=position[echo],
        in_band=in_band,
        in_band_at=position[in_band],
        answerers=answerers,
        answerers_at=position[answerers],
        taps=taps,
        taps_at=position[taps],
        tapes=tapes_of(columns.tapes[:top], taped, position),
        listen=listen,
        listen_at=position[listen],
        clips=_clips(_rows_where(clip), spoken, listening, position),
        decode_stages=_stages(decode, position[decode], columns.ear_cost),
        encode_stages=_stages(encode, position[encode], columns.mouth_cost),
        pressing=_rows_where(columns.presses[:top, PRESSES_AT] != 0),
        singers=singers,
        singers_at=position[singers],
        choruses=np.zeros(n * _native.CHORUS_KINDS if singers.size else 0, np.int64),
        said=np.zeros((n, _native.UNIT_SAMPLES), np.int16),
        spoken=np.zeros((n, _native.UNIT_SAMPLES), np.int16),
        hears=np.zeros((n, _native.UNIT_SAMPLES), np.int16),
        signal_of=np.arange(n, dtype=np.int32),
    )


def _clips(
    rows: NDArray[np.int32],
    spoken: NDArray[np.bool_],
    listening: NDArray[np.bool_],
    position: NDArray[np.int32],
) -> Clips:
    said, heard = np.flatnonzero(spoken[rows]), np.flatnonzero(listening[rows])
    return Clips(rows, said, position[rows[said]], heard, position[rows[heard]])


def _stages(rows: NDArray[np.int32], at: NDArray[np.int32], cost: NDArray[np.int32]) -> Stages:
    """Cut codec work into stages by its cost."""
    if rows.size == 0:
        return ()
    spent = np.cumsum(np.maximum(cost[rows], _LEAST_COST))
    cuts = np.flatnonzero(np.diff((spent - 1) // STAGE_COST)) + 1
    return tuple(zip(np.split(rows, cuts), np.split(at, cuts), strict=True))


def _rooms(
    members: NDArray[np.int32], room: NDArray[np.int32]
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Return the members room by room, and where each room begins and the last ends."""
    order = members[np.argsort(room[members], kind="stable")]
    if order.size == 0:
        return order, _no_rows()
    starts = np.flatnonzero(np.diff(room[order], prepend=-2))
    return order, np.append(starts, order.size).astype(np.int32)
