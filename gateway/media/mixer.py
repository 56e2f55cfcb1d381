"""The mixer's columns, and the wishes of commands written into them.

The mixing itself is native (`native/mixer/mixer.h` says how): all rooms of a tick in one call.  Here are its two
structured arrays as numpy sees them (a `MIX_ROW` for each row of the plane, a `MIX_ROOM` for each room), the
translation of decibels and legs into what the kernel reads, and the levels that meters show.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gateway import _native
from gateway.errors import LocalError
from gateway.ids import LegId
from gateway.media.commands import RoomState, RowState

__all__ = [
    "GAIN_DB",
    "MIX_ROOM",
    "MIX_ROW",
    "SILENCE_DBOV",
    "connect_coaches",
    "fresh_row",
    "gain_q12",
    "level_dbov",
    "rest",
    "room_wishes",
    "row_wishes",
]

GAIN_DB: Final = (-60.0, 24.0)
"""The least and the greatest gain; what is quieter is muted."""
SILENCE_DBOV: Final = -127

_UNITY: Final = 4096
_AUTO_UNITY: Final = 65536
_HEARD_BY_ROOM: Final = -1
_HEARD_BY_NOBODY: Final = -2

_STEPS: Final = np.array([math.ceil(2**30 * 10 ** ((dbov + 0.5) / 10)) for dbov in range(-90, 0)])
"""Mean squares half-way between two whole levels, -90 dBov and up."""


def _dtype(layout: tuple[int, Sequence[tuple[str, str, int, int]]]) -> np.dtype[Any]:
    itemsize, fields = layout
    names, kinds, offsets, _ = zip(*fields, strict=True)
    return np.dtype({"names": names, "formats": kinds, "offsets": offsets, "itemsize": itemsize})


MIX_ROW: Final = _dtype(_native.mix_row_layout())
MIX_ROOM: Final = _dtype(_native.mix_room_layout())


def fresh_row(key: int) -> NDArray[Any]:
    """Return the MIX_ROW [] of a member that has said nothing yet; `key` breaks ties wherever it goes."""
    row = np.zeros((), MIX_ROW)
    row["key"] = key
    row["heard_by"] = _HEARD_BY_ROOM
    row["auto_gain"] = _AUTO_UNITY
    for name in ("gain_in", "gain_out", "weight", "out_weight"):
        row[name] = _UNITY
    return row


def gain_q12(gain_db: float, of: str) -> int:
    """Return a gain as the kernel multiplies by it: 4096 is 0 dB.

    Raises:
        LocalError: it is outside of `GAIN_DB`.
    """
    least, most = GAIN_DB
    if not least <= gain_db <= most:
        raise LocalError(f"{of}: a gain of {gain_db} dB is not within {least:g} to {most:g}")
    return min(round(_UNITY * 10 ** (gain_db / 20)), 65535)


def row_wishes(state: RowState) -> dict[str, int]:
    """Return the columns of MIX_ROW that a command decides by itself.

    Raises:
        LocalError: a gain out of bounds.
    """
    return {
        "gain_in": gain_q12(state.gain_in_db, f"leg {state.leg}"),
        "gain_out": gain_q12(state.gain_out_db, f"leg {state.leg}"),
        "muted": state.muted or state.hold is not None or state.source == "tap",
        "deaf": state.deaf,
    }


def room_wishes(state: RoomState) -> dict[str, int]:
    """Return the MIX_ROOM columns of a room's state.

    Raises:
        LocalError: a number out of bounds.
    """
    if not 0 <= state.loudest <= 64:
        raise LocalError(f"room {state.room}: the loudest {state.loudest} of at most 64")
    if not 0 <= state.loudest_margin_db <= 20:
        raise LocalError(f"room {state.room}: a margin of {state.loudest_margin_db} dB is not within 0 to 20")
    return {
        "gate_from": state.gate_from,
        "loudest": state.loudest,
        "loudest_from": state.loudest_from,
        "margin_q8": round(256 * 10 ** (state.loudest_margin_db / 10)),
        "auto_gain": state.auto_gain,
    }


def connect_coaches(mix: NDArray[Any], coaches: Mapping[int, LegId], row_of: Mapping[LegId, int]) -> None:
    """Say by row number who alone hears whom; whoever coaches a leg that is not here is heard by nobody."""
    mix["whispered"] = 0
    for coach, leg in coaches.items():
        hearer = row_of.get(leg, _HEARD_BY_NOBODY)
        mix["heard_by"][coach] = hearer
        if hearer >= 0:
            mix["whispered"][hearer] = 1


def rest(mix: NDArray[Any], resting: NDArray[np.bool_]) -> None:
    """Rows that are not mixed now begin as they are when they are mixed again: a relay has no gain to come from."""
    for name in ("weight", "out_weight"):
        mix[name][resting] = _UNITY
    mix["last_heard"][resting] = mix["switched"][resting] = mix["shared_ticks"][resting] = 0


def level_dbov(power: NDArray[Any]) -> NDArray[np.int64]:
    """Return mean squares of int16 samples as whole dBov, 0 to -90 and `SILENCE_DBOV` below; any shape."""
    levels = np.searchsorted(_STEPS, power, side="right") - _STEPS.size
    return np.where(levels == -_STEPS.size, SILENCE_DBOV, levels)
