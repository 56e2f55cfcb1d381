"""Ten thousand bad networks are rows of one plane, in every codec: each an echo behind a network of its own.

Half of the rows are relayed, half go through the tick.  What a relayed row sends is what came, byte for byte, so each
packet is told by its content.  In the tick a frame is told by its media time: the end of what has been played, which
the table has as columns.  On the wire all are held to one stream: sequence and time rise, sizes are the codec's.
`-m slow` runs ten thousand; the numbers that G.711 can carry through a decoder are `test_many_networks`' business.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from gateway.ids import LegId, SeededIds
from gateway.media.commands import CodecOptions, RowState
from gateway.media.plane import Plane
from gateway.media.table import pack_address
from gateway.testing.plane_bench import STATIC_PT
from voicecodecs import encode_frames

_START = 1000.0
_UNITS = 200
"""How long everybody speaks, in units of 10 ms."""
_HEADER = np.dtype([("first", "u1"), ("pt", "u1"), ("seq", ">u2"), ("ts", ">u4"), ("ssrc", ">u4")])
_WIDTH = 172
_Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Kind:
    """A codec as a row speaks it."""

    codec: str
    units: int
    """Of a packet, which holds `frames` frames."""
    frames: int
    mode_ms: int = 20

    @property
    def packets(self) -> int:
        return _UNITS // self.units


KINDS = (
    Kind("pcmu", 2, 2),
    Kind("pcma", 2, 2),
    Kind("g729", 2, 2),
    Kind("ilbc", 2, 1),
    Kind("ilbc", 3, 1, mode_ms=30),
)


@cache
def payloads(kind: Kind) -> NDArray[np.uint8]:
    """Return the payloads of a train, each unlike all others: uint8 [packets, bytes]."""
    n_samples = kind.packets * kind.units * 80
    pcm = np.random.default_rng(1).normal(0, 2000, n_samples).clip(-32768, 32767).astype(np.int16)
    mode = {"mode_ms": kind.mode_ms} if kind.codec == "ilbc" else {}
    frames = encode_frames(pcm, kind.codec, **mode)
    data = np.frombuffer(b"".join(frames), np.uint8).reshape(kind.packets, -1)
    assert len(np.unique(data, axis=0)) == kind.packets
    return data


def kind_of(row: _Ints) -> _Ints:
    return row // 2 % len(KINDS)


def make_plane(n_rows: int) -> tuple[Plane, NDArray[np.uint8]]:
    """Return a plane of echoes, every other one through the tick, and their addresses, uint8 [n_rows, 20]."""
    plane = Plane(n_rows, SeededIds(1))
    addresses = []
    for i in range(n_rows):
        kind, leg = KINDS[i // 2 % len(KINDS)], LegId(f"leg{i}")
        address = (f"10.{i // 62_500}.{i // 250 % 250}.{i % 250 + 1}", 4000)
        pt = STATIC_PT[kind.codec]
        plane.open(leg)
        state = RowState(
            leg,
            1,
            address,
            None,
            kind.codec,
            pt,
            10 * kind.units,
            {pt: kind.codec},
            None,
            None,
            True,
            True,
            None,
            "echo",
            i % 2 == 1,
            CodecOptions(mode_ms=kind.mode_ms),
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
    most = max(kind.packets for kind in KINDS)
    loss, double, jitter = chance.random((3, n_rows, 1)) * np.array([0.1, 0.1, 0.06]).reshape(3, 1, 1)
    kinds = kind_of(np.arange(n_rows))
    units = np.array([kind.units for kind in KINDS])[kinds][:, None]
    last = np.array([kind.packets for kind in KINDS])[kinds][:, None]
    shape = (n_rows, most)
    sent = _START + 0.001 + 0.01 * units * np.arange(most) + chance.random((n_rows, 1)) * 0.02
    absent = (chance.random(shape) < loss) | (np.arange(most) >= last)
    first = np.where(absent, np.inf, sent + jitter * chance.random(shape))
    second = np.where(chance.random(shape) < double, first + jitter * chance.random(shape), np.inf)
    at = np.concatenate([first, second], axis=1).ravel()
    order = np.argsort(at, kind="stable")[: np.isfinite(at).sum()]
    row, column = np.divmod(order, 2 * most)
    return Train(row, column % most, at[order])


def packets_of(train: Train, part: slice) -> tuple[NDArray[np.uint8], NDArray[np.int32]]:
    """Return the RTP packets of a part of the train, uint8 [n, 172], and their lengths."""
    row, packet = train.row[part], train.packet[part]
    out, lengths = np.zeros((row.size, _WIDTH), np.uint8), np.zeros(row.size, np.int32)
    head = np.zeros(row.size, _HEADER)
    head["first"], head["seq"], head["ssrc"] = 0x80, packet + 65500 & 0xFFFF, row
    for number, kind in enumerate(KINDS):
        mine = kind_of(row) == number
        data = payloads(kind)
        head["pt"][mine] = STATIC_PT[kind.codec]
        head["ts"][mine] = packet[mine] * kind.units * 80 + row[mine]
        out[mine, 12 : 12 + data.shape[1]] = data[packet[mine]]
        lengths[mine] = 12 + data.shape[1]
    out[:, :12] = np.frombuffer(head.tobytes(), np.uint8).reshape(-1, 12)
    return out, lengths


@dataclass
class Ears:
    """What all rows were sent."""

    sends: list[NDArray[Any]] = field(default_factory=list)

    def hear(self, sends: NDArray[Any]) -> None:
        if sends.size:
            heard = np.zeros(sends.size, [("row", "i8"), ("bytes", "i8"), ("data", "u1", _WIDTH)])
            heard["row"], heard["bytes"] = sends["row"], sends["bytes"]
            heard["data"] = sends["data"][:, :_WIDTH]
            self.sends.append(heard)

    def by_row(self) -> NDArray[Any]:
        """Return all packets, by row and in the order in which they were sent."""
        every = np.concatenate(self.sends)
        return every[np.argsort(every["row"], kind="stable")]


class Watch:
    """Sees the media time of what each row plays go on: the end of the newest frame that was played."""

    def __init__(self, n_rows: int) -> None:
        self.units = np.zeros(n_rows, np.int64)
        """How much was played that had come."""
        self._ticked = np.arange(n_rows) % 2 == 1
        self._head = np.zeros(n_rows, np.int64)
        self._end = np.full(n_rows, -1, np.int64)
        self.last = np.zeros(n_rows, np.int64)
        """The packet that was played last."""

    def look(self, rows: NDArray[Any]) -> None:
        n = self._head.size
        head = rows["played_head"][:n].astype(np.int64)
        took = self._ticked & (head != self._head) & (head > 0)
        end = rows["slot_origin"][:n].astype(np.int64) + head * 80 - np.arange(n) & 0xFFFFFFFF
        assert (end[took] > self._end[took]).all(), "audio out of order, or twice"
        self.units[took] += np.array([kind.units // kind.frames for kind in KINDS])[
            kind_of(np.flatnonzero(took))
        ]
        self._head, self._end = head, np.where(took, end, self._end)
        self.last = np.maximum(self.last, self._end // 80)


def run(n_rows: int, seed: int) -> tuple[Train, Ears, Watch]:
    plane, addresses = make_plane(n_rows)
    train, ears, watch = bad_networks(n_rows, seed), Ears(), Watch(n_rows)
    n_ticks = _UNITS + 40
    ends = np.searchsorted(train.at, _START + 0.01 * np.arange(1, n_ticks + 1))
    for tick, (start, end) in enumerate(zip([0, *ends], ends, strict=False)):
        part = slice(int(start), int(end))
        packets, lengths = packets_of(train, part)
        rows = train.row[part]
        sends, _ = plane.arrive(rows.astype(np.int32), addresses[rows], packets, lengths, train.at[part])
        ears.hear(sends)
        for ticked, rtcp in plane.tick(_START + 0.01 * (tick + 1), 0.0):
            if not rtcp:
                ears.hear(ticked)
        watch.look(plane.table.rows)
    return train, ears, watch


def check_streams(heard: NDArray[Any]) -> None:
    """Hold every row to one stream, on the wire."""
    sequence = np.ascontiguousarray(heard["data"][:, 2:4]).view(">u2").ravel().astype(np.int64)
    timestamp = np.ascontiguousarray(heard["data"][:, 4:8]).view(">u4").ravel().astype(np.int64)
    same_row = heard["row"][1:] == heard["row"][:-1]
    for name, values, modulus in (("sequence", sequence, 2**16), ("time", timestamp, 2**32)):
        assert np.unique(heard["row"] * modulus + values).size == heard.size, f"a {name} was used twice"
        steps = (np.diff(values) + modulus // 2) % modulus - modulus // 2
        ticked = (heard["row"][1:] % 2 == 1) & same_row
        assert (steps[ticked] > 0).all(), f"{name} went back"
    sizes = np.array([12 + payloads(kind).shape[1] for kind in KINDS])
    assert (heard["bytes"] == sizes[kind_of(heard["row"])]).all()


def check_relayed(train: Train, heard: NDArray[Any], n_rows: int) -> None:
    """Each packet of a relayed row is one that came, and goes out once, at its place in the stream."""
    for number, kind in enumerate(KINDS):
        data = payloads(kind)
        known = np.ascontiguousarray(data).view(f"V{data.shape[1]}").ravel()
        order = np.argsort(known)
        mine = (kind_of(heard["row"]) == number) & (heard["row"] % 2 == 0)
        sent = np.ascontiguousarray(heard["data"][mine, 12 : 12 + data.shape[1]]).view(known.dtype).ravel()
        packet = order[np.searchsorted(known[order], sent) % kind.packets]
        assert (known[packet] == sent).all(), "audio that nobody said"
        row = heard["row"][mine]
        assert np.unique(row * kind.packets + packet).size == row.size, "audio twice"
        came_mine = (kind_of(train.row) == number) & (train.row % 2 == 0)
        came = np.unique(train.row[came_mine] * kind.packets + train.packet[came_mine])
        n_came = np.bincount(came // kind.packets, minlength=n_rows)
        n_sent = np.bincount(row, minlength=n_rows)
        assert (n_sent >= n_came - 4).all(), "a relay that lost more than the wire"


def check_ticked(train: Train, watch: Watch, n_rows: int) -> None:
    """What a row plays is what came, nearly all of it, to the end."""
    units = np.array([kind.units for kind in KINDS])[kind_of(np.arange(n_rows))]
    came = np.unique(train.row * _UNITS + train.packet) // _UNITS
    arrived = np.bincount(came, minlength=n_rows) * units
    ticked = np.arange(n_rows) % 2 == 1
    assert (watch.units[ticked] <= arrived[ticked]).all()
    assert (watch.units[ticked] >= 0.8 * arrived[ticked]).all(), "a row that lost more than the wire"
    assert (watch.last[ticked] >= _UNITS - 15).all(), "a row that is stuck"


def check(n_rows: int, seed: int) -> None:
    train, ears, watch = run(n_rows, seed)
    heard = ears.by_row()
    check_streams(heard)
    check_relayed(train, heard, n_rows)
    check_ticked(train, watch, n_rows)


def test_five_hundred_bad_networks_in_every_codec_leave_every_ear_in_order() -> None:
    check(500, seed=1)


@pytest.mark.slow
def test_ten_thousand_bad_networks_in_every_codec_leave_every_ear_in_order() -> None:
    check(10_000, seed=2)
