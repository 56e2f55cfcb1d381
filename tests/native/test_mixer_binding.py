"""The mixer's door: what does not fit together is refused before anything is mixed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gateway import _native
from gateway.media.mixer import MIX_ROOM, MIX_ROW


def mix(**changes: Any) -> None:
    """Mix two members of one room out of three positions, something of it changed."""
    pcm = np.zeros((3, 80), np.int16)
    arguments = {
        "rows": np.zeros(2, MIX_ROW),
        "rooms": np.zeros(1, MIX_ROOM),
        "room_of": [0],
        "offsets": [0, 2],
        "member_rows": [0, 1],
        "member_at": [0, 2],
        "said": pcm,
        "spoken": pcm.copy(),
        "hears": pcm.copy(),
        "signal_of": np.zeros(3, np.int32),
        "samples": 80,
    } | changes
    _native.mix(*(np.array(a, np.int32) if isinstance(a, list) else a for a in arguments.values()))


def test_what_fits_is_mixed():
    mix()


def test_no_room_is_no_work():
    mix(room_of=[], offsets=[0], member_rows=[], member_at=[])


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"member_at": [0, 3]}, IndexError),
        ({"member_at": [-1, 0]}, IndexError),
        ({"member_rows": [0, 2]}, IndexError),
        ({"room_of": [1]}, IndexError),
        ({"offsets": [0, 3]}, ValueError),
        ({"offsets": [1, 2]}, ValueError),
        ({"room_of": [0, 0], "offsets": [0, 3, 2]}, ValueError),
        ({"offsets": [0]}, ValueError),
        ({"offsets": []}, ValueError),
        ({"member_rows": [0]}, ValueError),
        ({"samples": 0}, ValueError),
        ({"samples": -80}, ValueError),
        ({"samples": 961}, ValueError),
        ({"signal_of": np.zeros(2, np.int32)}, ValueError),
        ({"hears": np.zeros((2, 80), np.int16)}, ValueError),
        ({"said": np.zeros((3, 80), np.int32)}, TypeError),
    ],
)
def test_what_does_not_fit_is_refused(changes, error):
    with pytest.raises(error):
        mix(**changes)


@pytest.mark.parametrize("name", ["spoken", "hears"])
def test_nothing_is_mixed_into_what_it_reads(name):
    said = np.zeros((3, 80), np.int16)

    with pytest.raises(ValueError, match="three arrays"):
        mix(said=said, **{name: said})


def test_more_of_the_loudest_than_the_kernel_ranks_are_refused():
    rooms = np.zeros(1, MIX_ROOM)
    rooms["loudest"] = 65

    with pytest.raises(ValueError, match="at most 64"):
        mix(rooms=rooms)
