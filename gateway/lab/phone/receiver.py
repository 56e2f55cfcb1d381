"""What came in: RFC 3550's statistics, and a place on one time line for every packet.

A peer may change its SSRC, start its sequence or its timestamps anew, or pause; the listener still has one
pair of ears.  So each packet gets a *position*: samples since the first packet heard.  Within a stream the
timestamps say where; when the stream breaks (new SSRC, two packets in order far outside the window, a
timestamp that disagrees with the clock by seconds), the new one is joined on by its time of arrival.

Counting follows appendix A.1 (validity), A.3 (loss) and A.8 (jitter), with two differences: the first packets
are never thrown away on probation, and duplicates are told apart so that they cannot hide a loss.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from gateway.lab.phone.rtp import Packet, signed16, signed32

__all__ = ["Placed", "Receiver", "ReportBlock"]

_MAX_DROPOUT: Final = 3000
_MAX_MISORDER: Final = 100
_WINDOW: Final = (1 << 512) - 1
_MAX_CLOCK_ERROR_S: Final = 2.0


@dataclass(frozen=True, slots=True)
class Placed:
    """A packet with its place in the whole of what is heard."""

    packet: Packet
    index: int
    """Sequence number without wrap, rising over stream breaks too."""
    position: int
    """Samples since the first packet heard; negative for one that overtook nothing but time."""
    breaks: bool
    """The first of a new stream: decoder state of the old one means nothing here."""


@dataclass(frozen=True, slots=True)
class ReportBlock:
    """What an RTCP report says of a stream (RFC 3550 section 6.4.1)."""

    ssrc: int
    fraction_lost: int
    """Of 256, since the last report."""
    lost: int
    highest_sequence: int
    jitter: int
    """In timestamp units."""


class Receiver:
    """Bookkeeping of all packets that one phone hears in one call."""

    def __init__(self, *, rate_hz: int = 8000) -> None:
        self.rate_hz = rate_hz
        self.n_packets = 0
        """Different packets received; duplicates are not among them."""
        self.n_bytes = 0
        self.n_duplicate = 0
        self.n_reordered = 0
        self.n_breaks = 0
        """How often the stream changed its SSRC or began anew."""
        self.ssrc: int | None = None
        self.first_s: float | None = None
        """When the first packet came."""
        self.best_origin_s = float("inf")
        """The earliest time that position 0 can have been here, judged by the fastest packet."""
        self._highest = -1
        self._expected_before = 0
        self._base = 0
        self._seen = 0
        self._held: Packet | None = None
        self._timestamp = 0
        self._position = 0
        self._transit: float | None = None
        self._jitter = 0.0
        self._reported = (0, 0)

    @property
    def n_expected(self) -> int:
        """How many packets were sent to us, judged by their sequence numbers (A.3)."""
        return self._expected_before + (self._highest - self._base + 1 if self.ssrc is not None else 0)

    @property
    def n_lost(self) -> int:
        """How many of them never came."""
        return max(0, self.n_expected - self.n_packets)

    @property
    def jitter_ms(self) -> float:
        """Interarrival jitter as RFC 3550 A.8 smoothes it."""
        return 1000.0 * self._jitter / self.rate_hz

    def arrive(self, packet: Packet, now: float, *, timed: bool = True) -> list[Placed]:
        """Count a packet and return what can be placed: nothing for a duplicate, two after a confirmed jump.

        `timed` is False for packets whose timestamp is not the time of their sending (telephone-events hold
        it): they do not count in the jitter.
        """
        if self.ssrc is None:
            self.first_s = now
            return [self._start(packet, now)]
        if packet.ssrc != self.ssrc:
            return [self._start(packet, now)]
        step = signed16(packet.sequence, self._highest & 0xFFFF)
        if -_MAX_MISORDER < step < _MAX_DROPOUT:
            self._held = None
            return self._continue(packet, step, now, timed=timed)
        held, self._held = self._held, packet
        if held is None or packet.sequence != (held.sequence + 1) & 0xFFFF:
            return []
        self._held = None
        return [self._start(held, now), *self._continue(packet, 1, now, timed=timed)]

    def report(self) -> ReportBlock | None:
        """Return the report of what came since the last one; None before the first packet."""
        if self.ssrc is None:
            return None
        expected, received = self.n_expected - self._reported[0], self.n_packets - self._reported[1]
        self._reported = (self.n_expected, self.n_packets)
        fraction = 256 * max(0, expected - received) // expected if expected > 0 else 0
        return ReportBlock(
            self.ssrc,
            min(fraction, 255),
            min(self.n_lost, 0x7FFFFF),
            (self._highest - self._base + (self._base & 0xFFFF)) & 0xFFFFFFFF,
            int(self._jitter),
        )

    def _start(self, packet: Packet, now: float) -> Placed:
        breaks = self.ssrc is not None
        self._expected_before = self.n_expected
        self.n_breaks += breaks
        self.ssrc = packet.ssrc
        # The next multiple of 65536 above everything keeps `index` rising and its low bits the sequence.
        self._base = ((self._highest >> 16) + 1 << 16) + packet.sequence
        self._highest, self._seen, self._held = self._base, 1, None
        self._join(packet, now)
        self._count(packet, now)
        return Placed(packet, self._base, self._position, breaks)

    def _continue(self, packet: Packet, step: int, now: float, *, timed: bool) -> list[Placed]:
        index = self._highest + step
        if step > 0:
            self._seen = (self._seen << step | 1) & _WINDOW
            self._highest = index
        elif self._seen >> -step & 1:
            self.n_duplicate += 1
            return []
        else:
            self._seen |= 1 << -step
            self.n_reordered += 1
            if index < self._base:  # sent before the first that came: it was never missed
                self._base = index
        position = self._position + signed32(packet.timestamp, self._timestamp)
        breaks = timed and abs(position - self._clock(now)) > _MAX_CLOCK_ERROR_S * self.rate_hz
        if breaks:
            self._join(packet, now)
            self.n_breaks += 1
            position = self._position
        elif step > 0 and timed:
            self._timestamp, self._position = packet.timestamp, position
        self._count(packet, now)
        if timed:
            self._time(packet, position, now)
        return [Placed(packet, index, position, breaks)]

    def _join(self, packet: Packet, now: float) -> None:
        """Tie the packet's timestamp to the time line by the moment of its arrival."""
        self._timestamp = packet.timestamp
        self._position = max(self._position, self._clock(now))
        self._transit = None

    def _clock(self, now: float) -> int:
        assert self.first_s is not None  # set by the first packet, before anything is placed
        return round((now - self.first_s) * self.rate_hz)

    def _count(self, packet: Packet, now: float) -> None:
        self.n_packets += 1
        self.n_bytes += len(packet.payload)
        if self.best_origin_s == float("inf"):
            self.best_origin_s = now - self._position / self.rate_hz

    def _time(self, packet: Packet, position: int, now: float) -> None:
        self.best_origin_s = min(self.best_origin_s, now - position / self.rate_hz)
        transit = now * self.rate_hz - position
        if self._transit is not None:
            self._jitter += (abs(transit - self._transit) - self._jitter) / 16.0
        self._transit = transit
