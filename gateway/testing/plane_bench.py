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
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

import voicecodecs
from gateway.ids import LegId, RoomId, SeededIds
from gateway.media.commands import CodecOptions, RowState
from gateway.media.events import DigitHeard, MediaEvent
from gateway.media.plane import TICK_S, Plane
from gateway.media.ring import Rings
from gateway.media.statistics import LegStatistics
from gateway.media.table import address_of, pack_address
from gateway.media.tally import VERDICT_NAMES
from gateway.testing.frames import Coding, decoded_stream, packed, split
from gateway.testing.numbered import numbered
from gateway.testing.plane_packet import Packet
from gateway.testing.rtp_stream import in_order, signed

__all__ = ["EVENT_PT", "STATIC_PT", "Address", "BenchLeg", "Packet", "PlaneBench"]

Address = tuple[str, int]

STATIC_PT: Final = {"pcmu": 0, "pcma": 8, "g729": 18, "ilbc": 97}
EVENT_PT: Final = 101
_NAMES: Final = {pt: name for name, pt in STATIC_PT.items()}
_START: Final = 1000.0
_DIGITS: Final = "0123456789*#ABCD"


def _at_once(_: int) -> Sequence[float]:
    return (0.0,)


@dataclass
class BenchLeg:
    """A phone: what it sends, and what the plane sent to it."""

    bench: PlaneBench
    state: RowState
    address: Address
    ssrc: int
    sent: list[Packet] = field(default_factory=list)
    received: list[Packet] = field(default_factory=list)
    reports: list[bytes] = field(default_factory=list)
    """RTCP packets."""
    sent_to: Counter[Address | None] = field(default_factory=Counter)
    """Where the plane's packets went."""
    sequence: int = 1000
    timestamp: int = 5000

    @property
    def row(self) -> int:
        """The leg's row in the plane that the bench has now."""
        return self.bench.plane.row(self.state.leg)

    @property
    def coding(self) -> Coding:
        """The codec that the phone speaks and hears."""
        return _coding(self.state.send_codec, self.state.options)

    @property
    def statistics(self) -> LegStatistics:
        """The leg's counters."""
        return self.bench.plane.statistics(self.state.leg)

    @property
    def digits(self) -> str:
        """The digits that the plane reported of this leg."""
        return "".join(
            e.digit for e in self.bench.events if isinstance(e, DigitHeard) and e.leg == self.state.leg
        )

    @property
    def audio(self) -> list[Packet]:
        """What was received and is no telephone event, in the order of arrival."""
        return [p for p in self.received if p.payload_type != EVENT_PT]

    @property
    def events(self) -> list[Packet]:
        """The telephone events received, in the order of arrival."""
        return [p for p in self.received if p.payload_type == EVENT_PT]

    def send(
        self, data: bytes, *, delay_s: float = 0.0, source: Address | None = None, rtcp: bool = False
    ) -> None:
        """Put bytes on the wire now; they reach the plane after `delay_s`."""
        self.bench.post(self.bench.now + delay_s, self, data, source or self.address, rtcp=rtcp)

    def talk(
        self,
        payloads: Sequence[bytes],
        *,
        codec: str | Sequence[str] | None = None,
        start_s: float = 0.0,
        source: Address | None = None,
        impair: Callable[[int], Sequence[float]] = _at_once,
    ) -> None:
        """Send payloads one after another, each as long as it is.

        `codec` names the payload type, one for all or one each; `impair(i)` gives the delays in seconds at which the
        copies of packet i arrive: none = it is lost.
        """
        names = (
            [codec or self.state.send_codec] * len(payloads)
            if codec is None or isinstance(codec, str)
            else codec
        )
        at = self.bench.now + start_s
        for i, (payload, name) in enumerate(zip(payloads, names, strict=True)):
            packet = Packet(
                at, STATIC_PT[name], self.sequence, self.timestamp, self.ssrc, payload, marker=i == 0
            )
            self._put(packet, impair(i), source)
            samples = _coding(name, self.state.options).samples(payload)
            self.timestamp += samples
            at += samples / 8000

    def _put(self, packet: Packet, delays_s: Sequence[float], source: Address | None = None) -> None:
        self.sent.append(packet)
        self.sequence += 1
        for delay_s in delays_s:
            self.bench.post(packet.at + delay_s, self, packet.to_bytes(), source or self.address)

    def say(self, pcm: NDArray[np.int16], *, ptime_ms: int = 20, **how: Any) -> None:
        """Encode `pcm` and send it in packets of `ptime_ms`; `how` is `talk`'s.  Pauses go unsent if that is agreed."""
        coding, n = self.coding, 8 * ptime_ms
        frames = coding.encode(pcm[: pcm.size // n * n])
        self.send_frames(frames, per_packet=ptime_ms // coding.facts.frame_ms, **how)

    def send_frames(
        self,
        frames: Sequence[bytes],
        *,
        per_packet: int,
        start_s: float = 0.0,
        impair: Callable[[int], Sequence[float]] = _at_once,
    ) -> None:
        """Send frames of the phone's codec in packets of so many; a packet leaves when its last frame is there."""
        facts, begin = self.coding.facts, self.timestamp
        packets = packed(frames, per_packet, facts)
        for i, (first, payload) in enumerate(packets):
            at = self.bench.now + start_s + first * facts.frame_ms / 1000
            timestamp = begin + first * facts.frame_samples
            spurt = i == 0 or first != packets[i - 1][0] + len(split(packets[i - 1][1], facts))
            pt = STATIC_PT[self.state.send_codec]
            packet = Packet(at, pt, self.sequence, timestamp, self.ssrc, payload, marker=spurt)
            self._put(packet, impair(i))
        self.timestamp = begin + len(frames) * facts.frame_samples

    def count(self, first: int, last: int, *, ptime_ms: int = 20, **how: Any) -> None:
        """Say the numbers of the units first <= n < last (see `numbered`); `how` is `talk`'s."""
        step = ptime_ms // 10
        self.talk([b"".join(numbered(n + i) for i in range(step)) for n in range(first, last, step)], **how)

    def press(
        self,
        digit: str,
        *,
        duration_ms: int = 100,
        ends: int = 3,
        start_s: float = 0.0,
        same_sequence: bool = False,
        impair: Callable[[int], Sequence[float]] = _at_once,
    ) -> None:
        """Send a digit by RFC 4733: a packet each 20 ms, then the end `ends` times; `impair` as for `talk`."""
        code, n_steps = _DIGITS.index(digit), duration_ms // 20
        steps = [(min(i + 1, n_steps) * 160, i >= n_steps) for i in range(n_steps + ends)]
        for i, (duration, end) in enumerate(steps):
            payload = bytes([code, (0x80 if end else 0) | 10]) + duration.to_bytes(2, "big")
            at = self.bench.now + start_s + i * 0.02
            packet = Packet(at, EVENT_PT, self.sequence, self.timestamp, self.ssrc, payload, marker=i == 0)
            self.sequence += not (same_sequence and end)
            for delay_s in impair(i):
                self.bench.post(at + delay_s, self, packet.to_bytes(), self.address)
        self.sequence += same_sequence
        self.timestamp += n_steps * 160

    def heard(self) -> NDArray[np.int16]:
        """Return what the plane sent, decoded, each packet at its media time from the first on; gaps are zero."""
        if self.coding.name not in {"pcmu", "pcma"}:
            return decoded_stream(self.audio, self.coding)
        audio = in_order(self.audio)
        if not audio:
            return np.zeros(0, np.int16)
        at = [signed(p.timestamp - audio[0].timestamp) for p in audio]
        pcm = np.zeros(max(t + len(p.payload) for t, p in zip(at, audio, strict=True)), np.int16)
        for t, packet in zip(at, audio, strict=True):
            pcm[t : t + len(packet.payload)] = decoded(packet)
        return pcm


def decoded(packet: Packet) -> NDArray[np.int16]:
    """Return the samples of one packet of G.711."""
    frames = [packet.payload[i : i + 80] for i in range(0, len(packet.payload), 80)]
    return voicecodecs.decode_frames(frames, _NAMES[packet.payload_type])


def _coding(name: str, options: CodecOptions) -> Coding:
    match name:
        case "g729":
            return Coding(name, annexb=options.annexb)
        case "ilbc":
            return Coding(name, mode_ms=options.mode_ms)
        case _:
            return Coding(name)


class PlaneBench:
    """A plane, its phones and a clock that only moves when told."""

    def __init__(self, capacity: int = 64, seed: int = 1, memory: memoryview | None = None) -> None:
        self.rings = Rings.private()
        """What clips come by."""
        self.plane = Plane(capacity, SeededIds(seed), memory, rings=self.rings)
        self.now = _START
        self.events: list[MediaEvent] = []
        self.verdicts: Counter[str] = Counter()
        """How many packets got each verdict, by name."""
        self.legs: dict[LegId, BenchLeg] = {}
        self.ticking = True
        self._post: list[tuple[float, int, BenchLeg, bytes, Address, bool]] = []
        self._posted = 0
        self._next_tick = _START

    def leg(
        self, name: str, *, codec: str = "pcmu", address: Address | None = None, **changes: Any
    ) -> BenchLeg:
        """Open a row with a phone at an address of its own; `changes` are fields of `RowState`."""
        number = len(self.legs) + 1
        home = address or ("192.0.2.1", 20000 + 2 * number)
        state = RowState(
            leg=LegId(name),
            generation=1,
            remote=home,
            remote_rtcp=None,
            send_codec=codec,
            send_pt=STATIC_PT[codec],
            ptime_ms=20,
            receive={STATIC_PT[codec]: codec},
            event_send_pt=EVENT_PT,
            event_receive_pt=EVENT_PT,
            sending=True,
            receiving=True,
            room=None,
            options=CodecOptions(conceal=False),
        )
        self.plane.open(state.leg, rtp_fd=1000 + 2 * number, rtcp_fd=1001 + 2 * number)
        leg = BenchLeg(self, replace(state, **changes), home, ssrc=0xA0000000 + number)
        self.legs[leg.state.leg] = leg
        self.plane.apply(leg.state, self.now)
        return leg

    def source(self, name: str, source: str, room: str, **changes: Any) -> None:
        """Put a row without a socket into a room: what it says is `source`; `changes` are fields of `RowState`."""
        state = RowState(
            LegId(name), 1, None, None, "pcmu", 0, 20, {}, None, None, False, False, RoomId(room), source
        )
        self.plane.apply(replace(state, **changes), self.now)

    def change(self, leg: BenchLeg, **changes: Any) -> None:
        """Give a leg a new state."""
        leg.state = replace(leg.state, generation=leg.state.generation + 1, **changes)
        self.plane.apply(leg.state, self.now)

    def join(self, room: str, *legs: BenchLeg, **changes: Any) -> None:
        """Put legs into a room."""
        for leg in legs:
            self.change(leg, room=RoomId(room), **changes)

    def post(self, at: float, leg: BenchLeg, data: bytes, source: Address, *, rtcp: bool = False) -> None:
        """Let a packet reach the plane at `at`."""
        self._posted += 1
        heapq.heappush(self._post, (at, self._posted, leg, data, source, rtcp))

    def crash(self, plane: Plane, *, down_s: float) -> None:
        """Lose the plane and have another after a while; packets meanwhile wait in the sockets."""
        self.now += down_s
        self._next_tick += down_s
        self.plane = plane

    def run(self, seconds: float) -> None:
        """Let time pass: packets and ticks in their order."""
        end = self.now + seconds
        while True:
            arrival = self._post[0][0] if self._post else float("inf")
            at = max(min(arrival, self._next_tick), self.now)
            if at > end:
                self.now = end
                return
            self.now = at
            if arrival <= self._next_tick:
                self._arrive(*heapq.heappop(self._post)[2:])
            else:
                self._tick()

    def _arrive(self, leg: BenchLeg, data: bytes, source: Address, rtcp: bool) -> None:
        sends, verdicts = self.plane.arrive(
            np.array([leg.row], np.int32),
            pack_address(source)[None],
            np.frombuffer(data, np.uint8)[None],
            np.array([len(data)], np.int32),
            np.array([self.now]),
            np.array([rtcp], np.uint8),
        )
        self.verdicts.update(VERDICT_NAMES[verdict] for verdict in verdicts)
        self._deliver(sends, rtcp=False)

    def _tick(self) -> None:
        self._next_tick += TICK_S
        if not self.ticking:
            return
        for sends, rtcp in self.plane.tick(self.now, self.now):
            self._deliver(sends, rtcp=rtcp)
        self.events += self.plane.events()

    def _deliver(self, sends: NDArray[Any], *, rtcp: bool) -> None:
        for send in sends:
            row = self.plane.table.rows[send["row"]]
            leg = next(leg for leg in self.legs.values() if leg.row == send["row"])
            data = send["data"][: send["bytes"]].tobytes()
            leg.sent_to[address_of(row["latched"]) or address_of(row["remote"])] += 1
            if rtcp:
                leg.reports.append(data)
            else:
                leg.received.append(Packet.read(self.now, data))
