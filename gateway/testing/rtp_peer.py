"""An RTP peer for tests: it sends exactly what a test chose, and hears without any of Tandem's own code.

What the peer of a media server may legally do is wide (RFC 3550 appendix A.1): begin anywhere, change its
SSRC, jump in sequence or time, send twice, send late, switch payload types between packets.  `RtpMouth` makes
such packets one by one, sans-IO, with every header field in the test's hands.  `RtpEar` is the other half for
tests over real sockets: it binds a port, collects what arrives with its arrival time, and judges it with
arithmetic of its own.

Both read and write RTP with `struct` here and share nothing with the phone or the media plane, so a mistake
there cannot hide by being made twice.
"""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from types import TracebackType
from typing import Final, Self

from gateway.errors import BadMessage

__all__ = ["HeardPacket", "RtpEar", "RtpMouth", "RtpPacket", "digits_in", "parse_rtp_untrusted", "shuffled"]

_HEADER: Final = struct.Struct("!BBHII")
_DIGITS: Final = "0123456789*#ABCD"


@dataclass(frozen=True, slots=True)
class RtpPacket:
    """One RTP packet (RFC 3550 section 5.1), without CSRCs, extension or padding of its own."""

    payload_type: int
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes = b""
    marker: bool = False

    def to_bytes(self) -> bytes:
        """Write the packet; fields wrap at their width, so a test may count on past the end."""
        second = (0x80 if self.marker else 0) | (self.payload_type & 0x7F)
        head = _HEADER.pack(
            0x80, second, self.sequence & 0xFFFF, self.timestamp & 0xFFFFFFFF, self.ssrc & 0xFFFFFFFF
        )
        return head + self.payload


def parse_rtp_untrusted(data: bytes) -> RtpPacket:
    """Read one RTP packet, skipping CSRCs and extension and taking padding off.  Raise BadMessage."""
    if len(data) < _HEADER.size:
        raise BadMessage(f"{len(data)} bytes are no RTP packet")
    first, second, sequence, timestamp, ssrc = _HEADER.unpack_from(data)
    if first >> 6 != 2:
        raise BadMessage(f"RTP version {first >> 6}")
    start, end = _HEADER.size + 4 * (first & 0x0F), len(data)
    if first & 0x10:
        if len(data) < start + 4:
            raise BadMessage("the header extension is cut off")
        start += 4 + 4 * int.from_bytes(data[start + 2 : start + 4])
    if first & 0x20:
        end -= data[-1]
    if start > end:
        raise BadMessage("header and padding are longer than the packet")
    return RtpPacket(second & 0x7F, sequence, timestamp, ssrc, data[start:end], bool(second & 0x80))


class RtpMouth:
    """A sender whose next header is whatever the test says; sans-IO, one packet a call.

    `sequence` and `timestamp` may be assigned at any time: that is a jump.  So may `ssrc` and `payload_type`.
    """

    def __init__(
        self,
        *,
        payload_type: int = 0,
        ssrc: int = 0x7A11,
        sequence: int = 1,
        timestamp: int = 0,
        step: int = 160,
    ) -> None:
        self.payload_type = payload_type
        self.ssrc = ssrc
        self.sequence = sequence
        self.timestamp = timestamp
        self.step = step

    def say(self, payload: bytes, *, marker: bool = False) -> RtpPacket:
        """Return the next packet and go on by one in sequence and by `step` in time."""
        packet = self._packet(self.payload_type, self.timestamp, payload, marker=marker)
        self.timestamp = (self.timestamp + self.step) & 0xFFFFFFFF
        return packet

    def skip(self, n_packets: int = 1) -> None:
        """Lose `n_packets`: both sequence and time go on, nothing is returned."""
        self.sequence = (self.sequence + n_packets) & 0xFFFF
        self.timestamp = (self.timestamp + n_packets * self.step) & 0xFFFFFFFF

    def pause(self, n_packets: int = 1) -> None:
        """Be silent for `n_packets` (DTX): only time goes on."""
        self.timestamp = (self.timestamp + n_packets * self.step) & 0xFFFFFFFF

    def digit(
        self,
        digit: str,
        *,
        payload_type: int = 101,
        n_packets: int = 5,
        n_ends: int = 3,
        same_sequence: bool = False,
    ) -> list[RtpPacket]:
        """Return one telephone-event (RFC 4733 section 2.5.1): growing durations, then `n_ends` ends.

        `same_sequence` gives all ends one sequence number, as sipp's recorded digits do.  Afterwards time has
        gone on by the length of the digit.
        """
        event, packets = _DIGITS.index(digit), []
        for index in range(n_packets + n_ends):
            end = index >= n_packets
            duration = self.step * min(index + 1, n_packets)
            payload = struct.pack("!BBH", event, 0x80 | 10 if end else 10, duration)
            packets.append(self._packet(payload_type, self.timestamp, payload, marker=index == 0))
            if same_sequence and n_packets <= index < n_packets + n_ends - 1:
                self.sequence = (self.sequence - 1) & 0xFFFF
        self.timestamp = (self.timestamp + n_packets * self.step) & 0xFFFFFFFF
        return packets

    def _packet(self, payload_type: int, timestamp: int, payload: bytes, *, marker: bool) -> RtpPacket:
        packet = RtpPacket(payload_type, self.sequence, timestamp, self.ssrc, payload, marker)
        self.sequence = (self.sequence + 1) & 0xFFFF
        return packet


def shuffled(
    packets: Sequence[RtpPacket],
    *,
    lose: Iterable[int] = (),
    repeat: Iterable[int] = (),
    swap: Iterable[int] = (),
) -> list[RtpPacket]:
    """Return the packets as a bad network brings them.

    Indices are those of `packets`: those in `lose` never come, those in `repeat` come twice, each in `swap`
    changes places with the one that follows it.
    """
    order = list(range(len(packets)))
    for index in swap:
        order[index], order[index + 1] = order[index + 1], order[index]
    gone, twice = set(lose), set(repeat)
    return [packets[index] for index in order if index not in gone for _ in range(2 if index in twice else 1)]


def digits_in(packets: Iterable[RtpPacket], *, payload_type: int = 101) -> str:
    """Return the digits of the telephone-events among `packets`, one for each (SSRC, timestamp)."""
    seen: dict[tuple[int, int], str] = {}
    for packet in packets:
        if packet.payload_type == payload_type and packet.payload and packet.payload[0] < len(_DIGITS):
            seen.setdefault((packet.ssrc, packet.timestamp), _DIGITS[packet.payload[0]])
    return "".join(seen.values())


@dataclass(frozen=True, slots=True)
class HeardPacket:
    """What came, when (monotonic seconds) and from where."""

    packet: RtpPacket
    at: float
    source: tuple[str, int]


class RtpEar:
    """A UDP socket with a thread behind it that keeps every RTP packet; leave the `with` to close it.

    It also speaks: `send` uses the same socket, as RFC 4961 wants.
    """

    def __init__(self, address: str = "127.0.0.1") -> None:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_DGRAM)
        self._socket.bind((address, 0))
        self._socket.settimeout(0.2)
        self._changed = threading.Condition()
        self._heard: list[HeardPacket] = []
        self._closing = False
        self.n_bad = 0
        """Datagrams that were no RTP (RTCP on the same port counts as RTP of payload types 72-76)."""
        self._thread = threading.Thread(target=self._listen, name="rtp-ear", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing = True
        self._thread.join()
        self._socket.close()

    @property
    def address(self) -> tuple[str, int]:
        """Where to send to: host and port."""
        host, port = self._socket.getsockname()[:2]
        return str(host), int(port)

    def send(self, packet: RtpPacket | bytes, to: tuple[str, int]) -> None:
        """Send one packet, or bytes that are none."""
        self._socket.sendto(packet if isinstance(packet, bytes) else packet.to_bytes(), to)

    def heard(self) -> list[HeardPacket]:
        """Return everything that came so far, in order of arrival."""
        with self._changed:
            return list(self._heard)

    def wait_for(self, n_packets: int, *, within_s: float = 5.0) -> list[HeardPacket]:
        """Return what came as soon as it is `n_packets`.  Raise TimeoutError.

        It blocks: in an event loop use `asyncio.to_thread`.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: len(self._heard) >= n_packets, timeout=within_s):
                raise TimeoutError(f"heard {len(self._heard)} packets of {n_packets} in {within_s} s")
            return list(self._heard)

    def missing(self) -> int:
        """Return how many sequence numbers between the first and the last never came, over all SSRCs."""
        by_ssrc: dict[int, list[int]] = {}
        for heard in self.heard():
            numbers = by_ssrc.setdefault(heard.packet.ssrc, [])
            last = numbers[-1] if numbers else heard.packet.sequence
            numbers.append(last + ((heard.packet.sequence - last + 0x8000) & 0xFFFF) - 0x8000)
        return sum(max(numbers) - min(numbers) + 1 - len(set(numbers)) for numbers in by_ssrc.values())

    def spacing_ms(self) -> list[float]:
        """Return the time between arrivals, in milliseconds."""
        return [1000.0 * (later.at - earlier.at) for earlier, later in pairwise(self.heard())]

    def digits(self, *, payload_type: int = 101) -> str:
        """Return the telephone-events heard, each once."""
        return digits_in((heard.packet for heard in self.heard()), payload_type=payload_type)

    def _listen(self) -> None:
        while not self._closing:
            try:
                data, source = self._socket.recvfrom(2048)
            except TimeoutError:
                continue
            except ConnectionError:  # an ICMP error for something we sent: the peer closed first
                continue
            self._keep(data, (str(source[0]), int(source[1])), time.monotonic())

    def _keep(self, data: bytes, source: tuple[str, int], at: float) -> None:
        try:
            packet = parse_rtp_untrusted(data)
        except BadMessage:
            self.n_bad += 1
            return
        with self._changed:
            self._heard.append(HeardPacket(packet, at, source))
            self._changed.notify_all()
