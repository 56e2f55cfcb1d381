"""Flight files that are what they should be, and those that are not: each is told what is wrong with it."""

from __future__ import annotations

import contextlib
import functools
import os
import subprocess
import sys
import zlib
from pathlib import Path

import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy._core import _multiarray_umath as numpy_core

from gateway.errors import LocalError
from gateway.ids import LegId
from gateway.lab.replay.file import read_flight, write_flight
from gateway.lab.replay.outcome import Replay, replay
from gateway.media.flight import Kind
from gateway.media.flight_log import Flight, Record, select
from gateway.media.snapshot import LAYOUT
from gateway.testing.flight_scenarios import play
from gateway.testing.flights import recorded_bench, ring_of

_MAGIC = b"tandem flight 1\n"
_HEAD = {"layout": LAYOUT, "version": "0", "leg": None, "legs": ["a"], "capacity": 4}


@functools.cache
def a_flight() -> Flight:
    """Return a call of three legs with all four codecs about, from a ring that has lost its beginning."""
    bench = recorded_bench(ring_bytes=1 << 20)
    play(bench, range(10))
    return select(ring_of(bench), LegId("3-0"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "a.flight"
    write_flight(path, a_flight(), leg=LegId("3-0"), capacity=64)
    return path


def read(path: Path, data: bytes) -> Replay:
    path.write_bytes(data)
    return replay(read_flight(path))


def made_of(*values: object) -> bytes:
    return _MAGIC + zlib.compress(b"".join(map(msgpack.packb, values)))


def a_tick(now: float) -> list[object]:
    return [Kind.TICK, 0, msgpack.packb([0, now, 0.0])]


def test_a_file_says_what_it_is_and_has_all_its_records(path: Path) -> None:
    flight = read_flight(path)

    assert (flight.leg, flight.legs, flight.capacity) == ("3-0", a_flight().legs, 64)
    assert list(flight.records()) == list(a_flight().records)


def test_a_file_is_for_its_owner_alone_even_if_it_was_there(path: Path) -> None:
    path.chmod(0o644)
    write_flight(path, a_flight(), leg=None, capacity=64)

    assert path.stat().st_mode & 0o777 == 0o600


def test_a_replay_is_identical_and_faster_than_it_was(path: Path) -> None:
    outcome = replay(read_flight(path))

    assert outcome.differences == []
    assert outcome.compared > 5
    assert outcome.took_s < outcome.duration_s
    assert all(outcome.pcm(again.heard).any() for again in outcome.legs.values())


def test_numpy_without_this_machines_vectors_gives_the_same_bits(path: Path) -> None:
    """The C kernels choose their clones by the processor itself, which nobody can switch off here."""
    vectors = [name for name in numpy_core.__cpu_dispatch__ if numpy_core.__cpu_features__[name]]
    ran = subprocess.run(
        [sys.executable, "-m", "gateway", "replay", str(path), "--json"],
        env=os.environ | {"NPY_DISABLE_CPU_FEATURES": " ".join(vectors)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert ran.returncode == 0, ran.stderr
    assert '"identical": true' in ran.stdout


def test_a_file_that_ends_early_is_truncated(path: Path) -> None:
    data = path.read_bytes()
    with pytest.raises(LocalError, match=r"a\.flight is truncated: it ends behind record \d+"):
        read(path, data[: len(data) // 2])


def test_a_path_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(LocalError, match="cannot read"):
        read_flight(tmp_path / "none")


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "is no flight"),
        (b"RIFF....WAVE", "is no flight"),
        (b"tandem flight 2\nxyz", "of another version"),
        (_MAGIC, "does not say what it is"),
        (_MAGIC + b"no zlib stream", "is damaged: Error -3"),
        (made_of(7), "does not say what it is"),
        (made_of({"layout": LAYOUT}), "does not say what it is"),
        (made_of(_HEAD | {"layout": "old", "version": "0.1"}), r"another build \(tandem 0.1\)"),
        (made_of(_HEAD | {"capacity": 10**9}), "no plane has 1000000000 rows"),
        (made_of(_HEAD | {"legs": [5]}), "no plane has 4 rows for 1 such legs"),
        (made_of(_HEAD, [1, 0, b""]), "is truncated: it ends behind record 1"),
        (made_of(_HEAD, [1, 0]), "is damaged behind record 0"),
        (made_of(_HEAD, [0, 0, b""], 1), "is damaged: a record that cannot be"),
        (made_of(_HEAD, [1, 0, b"short"], 1), "is damaged: a record that cannot be"),
        (made_of(_HEAD, [Kind.TICK, 0, b"\xc1"], 1), "is damaged: a record that cannot be"),
        (
            made_of(_HEAD, [Kind.OPEN, 0, msgpack.packb([99, "a", True, []])], 1),
            "is damaged: a record that cannot be",
        ),
        (made_of(_HEAD, b"x" * (17 << 20)), "is damaged"),
        (made_of(_HEAD, a_tick(0.0), a_tick(1e9), 2), "is damaged: it lasts 1000000000 s"),
        (made_of(_HEAD, a_tick(float("nan")), 1), "is damaged: it lasts nan s"),
    ],
    ids=range(19),
)
def test_what_is_no_flight_is_said_to_be_none(tmp_path: Path, data: bytes, why: str) -> None:
    with pytest.raises(LocalError, match=why):
        read(tmp_path / "bad.flight", data)


def write_quickly(path: Path, records: list[Record]) -> bytes:
    head = _HEAD | {"legs": list(a_flight().legs), "capacity": 64}
    return made_of(head, *([each.kind, each.flag, each.data] for each in records), len(records))


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_no_changed_byte_does_more_than_to_be_noticed(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """A record is changed before it is packed, so neither zlib nor msgpack sees that anything is wrong."""
    records = list(a_flight().records)
    kind = data.draw(st.sampled_from(sorted({record.kind for record in records})))
    at = data.draw(st.sampled_from([i for i, record in enumerate(records) if record.kind == kind]))
    changed = bytearray(records[at].data)
    for _ in range(data.draw(st.integers(1, 20))):
        changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
    records[at] = Record(records[at].kind, records[at].flag, bytes(changed))
    path = tmp_path_factory.getbasetemp() / "changed.flight"

    with contextlib.suppress(LocalError):  # or it is another call, and said to be different
        read(path, write_quickly(path, records))
