"""A laboratory bench for the media plane: legs of a plane joined to senders and ears in virtual time.

    bench = PlaneBench()
    a, b = bench.leg("a", codec="pcmu"), bench.leg("b", codec="pcma")
    bench.join("room", a, b)
    a.say(speech)                 # packets every 20 ms from now on
    bench.run(seconds=3.0)
    b.heard()                     # int16 at the media time of what the plane sent to b

Every packet goes through `Plane.arrive` one at a time, in the order of its arrival; every tick is 10 ms.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
import voicecodecs
from numpy.typing import NDArray

from gateway.ids import LegId, RoomId, SeededIds
from gateway.media.commands import RowState
from gateway.media.events import MediaEvent
from gateway.media.plane import TICK_S, Plane
from gateway.media.table import pack_address

__all__ = ["BenchLeg", "Packet", "PlaneBench"]

_STATIC: Final = {"pcmu": 0, "pcma": 8}
_EVENT_PT: Final = 101
_START: Final = 1000.0


@dataclass(frozen=True, slots=True)
class Packet:
    """One RTP packet, read."""

    at: float
    marker: bool
    payload_type: int
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes

    @classmethod
    def read(cls, at: float, data: bytes) -> Packet:
        """Read the fixed header; the plane writes no other."""
        return cls(
            at=at,
            marker=bool(data[1] & 0x80),
            payload_type=data[1] & 0x7F,
            sequence=int.from_bytes(data[2:4], "big"),
            timestamp=int.from_bytes(data[4:8], "big"),
            ssrc=int.from_bytes(data[8:12], "big"),
            payload=data[12:],
        )


def write_rtp(
    payload: bytes, *, pt: int, sequence: int, timestamp: int, ssrc: int, marker: bool = False
) -> bytes:
    """Return an RTP packet."""
    return (
        bytes([0x80, pt | (0x80 if marker else 0)])
        + (sequence & 0xFFFF).to_bytes(2, "big")
        + (timestamp & 0xFFFFFFFF).to_bytes(4, "big")
        + ssrc.to_bytes(4, "big")
        + payload
    )


@dataclass
class BenchLeg:
    """A phone: what it sends, and what the plane sent to it."""

    bench: PlaneBench
    state: RowState
    row: int
    address: tuple[str, int]
    sent: list[Packet] = field(default_factory=list)
    received: list[Packet] = field(default_factory=list)
    reports: list[bytes] = field(default_factory=list)
    sequence: int = 1000
    timestamp: int = 5000
    ssrc: int = 0

    def send(self, data: bytes, *, delay_s: float = 0.0, source: tuple[str, int] | None = None) -> None:
        """Put a packet on the wire now; it reaches the plane after `delay_s`."""
        self.bench.post(self.bench.now + delay_s, self, data, source or self.address)

    def say(
        self,
        pcm: NDArray[np.int16],
        *,
        ptime_ms: int = 20,
        start_s: float = 0.0,
        impair: Callable[[int], Sequence[float]] = lambda _: (0.0,),
    ) -> None:
        """Send `pcm` in packets of `ptime_ms`; `impair(i)` gives the delays at which copies of packet i arrive."""
        n = 8 * ptime_ms
        frames = voicecodecs.encode_frames(pcm[: pcm.size // n * n], self.state.send_codec)
        per_packet = ptime_ms // 10
        for i in range(pcm.size // n):
            payload = b"".join(frames[i * per_packet : (i + 1) * per_packet])
            packet = write_rtp(
                payload,
                pt=_STATIC[self.state.send_codec],
                sequence=self.sequence,
                timestamp=self.timestamp,
                ssrc=self.ssrc,
                marker=i == 0,
            )
            at = self.bench.now + start_s + i * ptime_ms / 1000
            self.sent.append(Packet.read(at, packet))
            self.sequence += 1
            self.timestamp += n
            for delay_s in impair(i):
                self.bench.post(at + delay_s, self, packet, self.address)

    def press(self, digit: str, *, duration_ms: int = 100, ends: int = 3) -> None:
        """Send a digit by RFC 4733: a packet each 20 ms, the end `ends` times."""
        code = "0123456789*#ABCD".index(digit)
        start = self.timestamp
        steps = [(i + 1) * 160 for i in range(duration_ms // 20)]
        for i, (duration, end) in enumerate([(d, False) for d in steps] + [(steps[-1], True)] * ends):
            payload = bytes([code, (0x80 if end else 0) | 10]) + duration.to_bytes(2, "big")
            packet = write_rtp(
                payload, pt=_EVENT_PT, sequence=self.sequence, timestamp=start, ssrc=self.ssrc, marker=i == 0
            )
            self.sequence += 1
            self.bench.post(self.bench.now + min(i, len(steps)) * 0.02, self, packet, self.address)
        self.timestamp += steps[-1]

    def heard(self) -> NDArray[np.int16]:
        """Return what the plane sent, decoded, each packet at its media time; gaps are zero."""
        audio = [p for p in self.received if p.payload_type in _STATIC.values()]
        if not audio:
            return np.zeros(0, np.int16)
        origin = audio[0].timestamp
        at = [(p.timestamp - origin + 2**31) % 2**32 - 2**31 for p in audio]
        pcm = np.zeros(max(t + len(p.payload) for t, p in zip(at, audio, strict=True)), np.int16)
        for t, packet in zip(at, audio, strict=True):
            if t >= 0:
                name = {0: "pcmu", 8: "pcma"}[packet.payload_type]
                frames = [packet.payload[i : i + 80] for i in range(0, len(packet.payload), 80)]
                pcm[t : t + len(packet.payload)] = voicecodecs.decode_frames(frames, name)
        return pcm


class PlaneBench:
    """A plane, its phones and a clock that only moves when told."""

    def __init__(self, capacity: int = 64, seed: int = 1) -> None:
        self.plane = Plane(capacity, SeededIds(seed))
        self.now = _START
        self.events: list[MediaEvent] = []
        self.verdicts: list[int] = []
        self.legs: dict[int, BenchLeg] = {}
        self._post: list[tuple[float, int, BenchLeg, bytes, tuple[str, int]]] = []
        self._posted = 0
        self._next_tick = _START

    def leg(self, name: str, *, codec: str = "pcmu", **changes: Any) -> BenchLeg:
        """Open a row with a phone at an address of its own; `changes` are fields of `RowState`."""
        number = len(self.legs) + 1
        address = ("192.0.2.1", 20000 + 2 * number)
        state = RowState(
            leg=LegId(name),
            generation=1,
            remote=address,
            remote_rtcp=None,
            send_codec=codec,
            send_pt=_STATIC[codec],
            ptime_ms=20,
            receive={_STATIC[codec]: codec},
            event_send_pt=_EVENT_PT,
            event_receive_pt=_EVENT_PT,
            sending=True,
            receiving=True,
            room=None,
        )
        row = self.plane.open(state.leg, rtp_fd=1000 + 2 * number, rtcp_fd=1001 + 2 * number)
        leg = BenchLeg(self, replace(state, **changes), row, address, ssrc=0xA0000000 + number)
        self.legs[row] = leg
        self.plane.apply(leg.state, self.now)
        return leg

    def change(self, leg: BenchLeg, **changes: Any) -> None:
        """Give a leg a new state."""
        leg.state = replace(leg.state, generation=leg.state.generation + 1, **changes)
        self.plane.apply(leg.state, self.now)

    def join(self, room: str, *legs: BenchLeg) -> None:
        """Put legs into a room."""
        for leg in legs:
            self.change(leg, room=RoomId(room))

    def post(self, at: float, leg: BenchLeg, data: bytes, source: tuple[str, int]) -> None:
        """Let a packet reach the plane at `at`."""
        self._posted += 1
        heapq.heappush(self._post, (at, self._posted, leg, data, source))

    def run(self, seconds: float) -> None:
        """Let time pass: packets and ticks in their order."""
        end = self.now + seconds
        while True:
            arrival = self._post[0][0] if self._post else float("inf")
            self.now = min(arrival, self._next_tick)
            if self.now > end:
                self.now = end
                return
            if arrival <= self._next_tick:
                self._arrive(*heapq.heappop(self._post)[2:])
            else:
                self._tick()

    def _arrive(self, leg: BenchLeg, data: bytes, source: tuple[str, int]) -> None:
        sends, verdicts = self.plane.arrive(
            np.array([leg.row], np.int32),
            pack_address(source)[None],
            np.frombuffer(data, np.uint8)[None],
            np.array([len(data)], np.int32),
            np.array([self.now]),
        )
        self.verdicts += verdicts.tolist()
        self._deliver(sends, rtcp=False)

    def _tick(self) -> None:
        self._next_tick += TICK_S
        for sends, rtcp in self.plane.tick(self.now, self.now):
            self._deliver(sends, rtcp=rtcp)
        self.events += self.plane.events()

    def _deliver(self, sends: NDArray[Any], *, rtcp: bool) -> None:
        for send in sends:
            leg = self.legs[int(send["row"])]
            data = send["data"][: send["bytes"]].tobytes()
            if rtcp:
                leg.reports.append(data)
            else:
                leg.received.append(Packet.read(self.now, data))
