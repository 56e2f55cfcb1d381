"""A thousand bad networks are a thousand rows of one plane: each row an echo behind a network of its own.

Everything is arrays: a tick's arrivals are one batch, and what all ears heard is checked at once.  Half of the rows
are relayed, half go through the tick.  `-m slow` runs ten thousand.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from gateway.ids import LegId, SeededIds
from gateway.media.commands import CodecOptions, RowState
from gateway.media.plane import Plane
from gateway.media.table import pack_address
from gateway.testing.numbered import numbered

_PACKETS = 100
_START = 1000.0
_Ints = NDArray[np.int64]


def make_plane(n_rows: int) -> tuple[Plane, NDArray[np.uint8]]:
    """Return a plane of echoes and the addresses their packets come from, uint8 [n_rows, 20]."""
    plane = Plane(n_rows, SeededIds(1))
    addresses = []
    for i in range(n_rows):
        leg, address = LegId(f"leg{i}"), (f"10.1.{i // 250}.{i % 250 + 1}", 4000)
        plane.open(leg)
        state = RowState(
            leg,
            1,
            address,
            None,
            "pcmu",
            0,
            20,
            {0: "pcmu"},
            None,
            None,
            True,
            True,
            None,
            "echo",
            i % 2 == 1,
            CodecOptions(conceal=False),
        )
        plane.apply(state, _START)
        addresses.append(pack_address(address))
    return plane, np.array(addresses)


@dataclass
class Train:
    """Everything that arrives, in order: which row's packet, which of its packets, when; arrays [n]."""

    row: _Ints
    packet: _Ints
    at: NDArray[np.float64]


def bad_networks(n_rows: int, seed: int) -> Train:
    """Lose, double and delay packets; how much of each is a row's own, up to 10 %, 10 % and 60 ms."""
    chance = np.random.default_rng(seed)
    loss, double, jitter = chance.random((3, n_rows, 1)) * np.array([0.1, 0.1, 0.06]).reshape(3, 1, 1)
    shape = (n_rows, _PACKETS)
    sent = _START + 0.001 + 0.02 * np.arange(_PACKETS) + chance.random((n_rows, 1)) * 0.02
    first = np.where(chance.random(shape) < loss, np.inf, sent + jitter * chance.random(shape))
    second = np.where(chance.random(shape) < double, first + jitter * chance.random(shape), np.inf)
    at = np.concatenate([first, second], axis=1).ravel()
    order = np.argsort(at, kind="stable")[: np.isfinite(at).sum()]
    row, column = np.divmod(order, 2 * _PACKETS)
    return Train(row, column % _PACKETS, at[order])


def packets_of(train: Train, part: slice) -> NDArray[np.uint8]:
    """Return the RTP packets of a part of the train, uint8 [n, 172]."""
    payloads = np.array(
        [np.frombuffer(numbered(2 * i) + numbered(2 * i + 1), np.uint8) for i in range(_PACKETS)]
    )
    row, packet = train.row[part], train.packet[part]
    out = np.zeros((row.size, 172), np.uint8)
    out[:, 0] = 0x80
    out[:, 2:4] = (packet + 65500 & 0xFFFF).astype(">u2").view(np.uint8).reshape(-1, 2)
    out[:, 4:8] = (packet * 160 + row).astype(">u4").view(np.uint8).reshape(-1, 4)
    out[:, 8:12] = row.astype(">u4").view(np.uint8).reshape(-1, 4)
    out[:, 12:] = payloads[packet]
    return out


@dataclass
class Ears:
    """What all rows were sent."""

    sends: list[NDArray[Any]] = field(default_factory=list)

    def hear(self, sends: NDArray[Any]) -> None:
        if sends.size:
            assert set(sends["bytes"].tolist()) == {172}
            heard = np.empty((sends.size, 176), np.uint8)
            heard[:, :4] = sends["row"].astype("<i4").view(np.uint8).reshape(-1, 4)
            heard[:, 4:] = sends["data"][:, :172]
            self.sends.append(heard)

    def by_row(self) -> tuple[_Ints, _Ints, _Ints, NDArray[np.uint8]]:
        """Return row, sequence, timestamp [n] and payload [n, 160], by row and sequence."""
        every = np.concatenate(self.sends)
        row = every[:, :4].copy().view("<i4").ravel().astype(np.int64)
        sequence = every[:, 6:8].copy().view(">u2").ravel().astype(np.int64)
        timestamp = every[:, 8:12].copy().view(">u4").ravel().astype(np.int64)
        order = np.lexsort((sequence, row))
        return row[order], sequence[order], timestamp[order], every[order, 16:]


def run(n_rows: int, seed: int) -> tuple[Train, Ears]:
    plane, addresses = make_plane(n_rows)
    train, ears = bad_networks(n_rows, seed), Ears()
    n_ticks = 2 * _PACKETS + 40
    ends = np.searchsorted(train.at, _START + 0.01 * np.arange(1, n_ticks + 1))
    for tick, (start, end) in enumerate(zip([0, *ends], ends, strict=False)):
        part = slice(int(start), int(end))
        packets = packets_of(train, part)
        sends, _ = plane.arrive(
            train.row[part].astype(np.int32),
            addresses[train.row[part]],
            packets,
            np.full(packets.shape[0], 172, np.int32),
            train.at[part],
        )
        ears.hear(sends)
        for ticked, rtcp in plane.tick(_START + 0.01 * (tick + 1), 0.0):
            if not rtcp:
                ears.hear(ticked)
    return train, ears


def check(train: Train, ears: Ears, n_rows: int) -> None:
    row, sequence, timestamp, payload = ears.by_row()
    same_row = row[1:] == row[:-1]
    assert (np.diff(sequence)[same_row] > 0).all(), "a sequence number was used twice"
    rises = (np.diff(timestamp) + 2**31) % 2**32 - 2**31
    assert (rises[same_row] > 0).all(), "time went back"

    units = payload.reshape(-1, 40, 2)
    assert (units.reshape(-1, 2, 40, 2) == units.reshape(-1, 2, 40, 2)[:, :, :1]).all(), "torn audio"
    low, high = units.reshape(-1, 2, 40, 2)[:, :, 0].astype(np.int64).transpose(2, 0, 1)
    spoken = (low != 0xFF).ravel()
    number = ((high - 128) * 100 + low - 1).ravel()[spoken]
    ear = np.repeat(row, 2)[spoken]
    same_ear = ear[1:] == ear[:-1]
    assert (np.diff(number)[same_ear] > 0).all(), "audio out of order, or twice"

    arrived = np.bincount(np.unique(train.row * _PACKETS + train.packet) // _PACKETS, minlength=n_rows) * 2
    heard = np.bincount(ear, minlength=n_rows)
    relayed = np.arange(n_rows) % 2 == 0
    assert (heard[relayed] >= arrived[relayed] - 8).all()
    assert (heard <= arrived).all()
    assert (heard >= 0.8 * arrived).all(), "a row that lost more than the wire"
    last = np.zeros(n_rows, np.int64)
    np.maximum.at(last, ear, number)
    assert (last >= 2 * _PACKETS - 12).all(), "a row that is stuck"


def test_a_thousand_bad_networks_leave_every_ear_in_order() -> None:
    train, ears = run(1000, seed=1)
    check(train, ears, 1000)


@pytest.mark.slow
def test_ten_thousand_bad_networks_leave_every_ear_in_order() -> None:
    train, ears = run(10_000, seed=2)
    check(train, ears, 10_000)
