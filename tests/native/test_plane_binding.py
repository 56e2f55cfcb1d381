"""gateway._native checks everything at its door: a wrong size or row raises, and nothing is read or written."""

from __future__ import annotations

import gc
import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway import _native
from gateway.media.plan import IDLE, RELAY, TICK
from gateway.media.table import ADDRESS, NOTICE, ROW, SEND, Table, address_of, pack_address
from gateway.media.tally import VERDICT_NAMES

_CAPACITY = 4


@pytest.fixture
def table() -> Table:
    return Table(_CAPACITY)


def arrivals(n: int, **changes: Any) -> list[Any]:
    """Return good arguments of `arrive` behind the plane, with some made bad."""
    arguments = {
        "rows": np.zeros(n, np.int32),
        "sources": np.zeros((n, 20), np.uint8),
        "packets": np.zeros((n, 172), np.uint8),
        "lengths": np.full(n, 172, np.int32),
        "on_rtcp": np.zeros(n, np.uint8),
        "nows": np.zeros(n),
        "sends": np.zeros(n * _native.SEND_MAX, SEND),
        "verdicts": np.zeros(n, np.uint8),
    }
    return list((arguments | changes).values())


def a_tick(n: int, **changes: Any) -> list[Any]:
    """Return good arguments of `speak` behind the plane, with some made bad; the first four are `playout`'s."""
    arguments = {
        "rows": np.zeros(n, np.int32),
        "at": np.arange(n, dtype=np.int32),
        "pcm": np.zeros((n, _native.UNIT_SAMPLES), np.int16),
        "now": 1.0,
        "sends": np.zeros(n, SEND),
    }
    return list((arguments | changes).values())


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"rows": np.array([0, 4], np.int32)}, IndexError),
        ({"rows": np.array([-1, 0], np.int32)}, IndexError),
        ({"rows": np.zeros(2, np.int64)}, TypeError),
        ({"rows": [0, 0]}, TypeError),
        ({"sources": np.zeros((1, 20), np.uint8)}, ValueError),
        ({"sources": np.zeros(7, np.uint8)}, TypeError),
        ({"lengths": np.array([172, 173], np.int32)}, ValueError),
        ({"lengths": np.array([172, -1], np.int32)}, ValueError),
        ({"lengths": np.zeros(1, np.int32)}, ValueError),
        ({"on_rtcp": np.zeros(1, np.uint8)}, ValueError),
        ({"nows": np.zeros(1)}, ValueError),
        ({"nows": np.zeros(2, np.float32)}, TypeError),
        ({"verdicts": np.zeros(1, np.uint8)}, ValueError),
        ({"sends": np.zeros(3, SEND)}, ValueError),
        ({"packets": np.zeros((2, 344), np.uint8)[:, ::2]}, (BufferError, ValueError)),
    ],
)
def test_arrive_refuses(table: Table, change: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        _native.arrive(table.kernel, *arrivals(2, **change))

    assert not table.rows["verdicts"].any()


def test_arrive_refuses_to_write_into_what_is_read_only(table: Table) -> None:
    verdicts = np.zeros(1, np.uint8)
    verdicts.flags.writeable = False

    with pytest.raises((BufferError, ValueError)):
        _native.arrive(table.kernel, *arrivals(1, verdicts=verdicts))


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"rows": np.array([0, 4], np.int32)}, IndexError),
        ({"rows": np.array([-1, 0], np.int32)}, IndexError),
        ({"at": np.zeros(1, np.int32)}, ValueError),
        ({"at": np.array([0, 2], np.int32)}, IndexError),
        ({"at": np.array([-1, 0], np.int32)}, IndexError),
        ({"pcm": np.zeros((2, 79), np.int16)}, IndexError),
        ({"pcm": np.zeros((2, 80), np.int32)}, TypeError),
    ],
)
def test_playout_and_speak_refuse(table: Table, change: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        _native.playout(table.kernel, *a_tick(2, **change)[:4])
    with pytest.raises(error):
        _native.speak(table.kernel, *a_tick(2, **change))


@pytest.mark.parametrize(
    ("change", "error"), [({"sends": np.zeros(1, SEND)}, ValueError), ({"now": "later"}, TypeError)]
)
def test_speak_refuses(table: Table, change: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        _native.speak(table.kernel, *a_tick(2, **change))


@pytest.mark.parametrize("row", [-1, _CAPACITY])
def test_a_voice_is_of_a_row_that_is_there(table: Table, row: int) -> None:
    with pytest.raises(IndexError):
        _native.voice(table.kernel, row)
    with pytest.raises(IndexError):
        _native.set_voice(table.kernel, row, _native.voice(table.kernel, 0))
    with pytest.raises(IndexError):
        _native.forget_voice(table.kernel, row)


@given(st.binary(max_size=3000))
@settings(max_examples=100)
def test_bytes_that_are_no_voice_change_nothing(bad: bytes) -> None:
    table = Table(1)
    before = _native.voice(table.kernel, 0)

    for copy in (bad, before + b"\0", b"\x03" + before[1:]):
        assert not _native.is_voice(copy)
        with pytest.raises(ValueError, match="no codec states"):
            _native.set_voice(table.kernel, 0, copy)
    assert _native.voice(table.kernel, 0) == before


def test_rtcp_refuses_a_row_that_is_not_there_and_too_little_room(table: Table) -> None:
    with pytest.raises(IndexError):
        _native.rtcp(table.kernel, np.array([9], np.int32), 1.0, 1.0, False, np.zeros(1, SEND))
    with pytest.raises(ValueError, match="sends"):
        _native.rtcp(table.kernel, np.zeros(2, np.int32), 1.0, 1.0, False, np.zeros(1, SEND))


@pytest.mark.parametrize("function", [_native.enter, _native.leave])
@pytest.mark.parametrize("row", [-1, _CAPACITY, 2**31 - 1])
def test_entering_and_leaving_refuse_a_row_that_is_not_there(
    table: Table, function: Callable[[Any, int, float], None], row: int
) -> None:
    with pytest.raises(IndexError):
        function(table.kernel, row, 1.0)


@pytest.mark.parametrize("short", range(1, 6))
def test_a_plane_is_not_made_of_arrays_that_are_too_small(short: int) -> None:
    table = Table(_CAPACITY)
    arrays = [
        table.rows, table.slots, table.slot_unit, table.slot_fill, table.slot_codec, table.voices,
        np.zeros(4, NOTICE),
    ]  # fmt: skip
    arrays[short] = np.ascontiguousarray(arrays[short][:-1])

    with pytest.raises(ValueError, match="items are needed"):
        _native.plane(*arrays)


def test_a_plane_is_not_made_of_rows_of_another_size() -> None:
    with pytest.raises(TypeError, match="rows"):
        _native.plane(np.zeros(7, np.uint8), *(np.zeros(0, np.uint8) for _ in range(6)))


@pytest.mark.parametrize("capsule", [None, 7, object()])
def test_only_a_plane_is_taken_for_one(capsule: object) -> None:
    with pytest.raises((TypeError, ValueError)):
        _native.notices(capsule)
    with pytest.raises((TypeError, ValueError)):
        _native.arrive(capsule, *arrivals(1))


def test_a_plane_keeps_its_arrays_alive() -> None:
    kernel = Table(2).kernel
    gc.collect()

    assert _native.arrive(kernel, *arrivals(1)) == 0


def test_no_arrivals_are_no_work(table: Table) -> None:
    assert _native.arrive(table.kernel, *arrivals(0)) == 0
    assert _native.speak(table.kernel, *a_tick(0)) == 0


def test_the_lists_of_c_and_of_python_are_the_same() -> None:
    assert len(VERDICT_NAMES) == _native.VERDICTS
    assert (IDLE, RELAY, TICK) == (0, 1, 2)


def test_the_fields_of_a_row_lie_beside_each_other_and_within_it() -> None:
    spans = sorted(
        (offset, offset + ROW.fields[name][0].itemsize) for name, (_, offset) in ROW.fields.items()
    )

    assert all(end <= start for (_, end), (start, _) in itertools.pairwise(spans))
    assert spans[-1][1] <= ROW.itemsize <= 1024
    assert SEND.itemsize == 8 + _native.PACKET_BYTES
    assert ADDRESS.itemsize == 20


@given(
    st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)).map(str),
    st.integers(0, 0xFFFF),
)
def test_an_address_survives_its_20_bytes(host: str, port: int) -> None:
    assert address_of(pack_address((host, port))) == (host, port)


@pytest.mark.parametrize("address", [("localhost", 1), ("", 1), ("10.0.0.1", -1), ("10.0.0.1", 65536)])
def test_what_is_no_address_is_not_packed(address: tuple[str, int]) -> None:
    with pytest.raises(ValueError, match=r"address|port"):
        pack_address(address)
