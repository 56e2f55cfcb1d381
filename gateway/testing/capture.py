"""What really went over the wire: UDP on the loopback interface, recorded by dumpcap and read here.

The recorder is somebody else's program and the reader is fifty lines of struct, so neither shares anything with
what is measured.  Classic pcap with nanoseconds (`-P`), Ethernet frames (link type 1), IPv4.
"""

from __future__ import annotations

import re
import secrets
import shutil
import signal
import socket
import struct
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from gateway.errors import BadMessage
from gateway.testing.processes import PATIENCE_S, Command
from gateway.testing.rtp_peer import RtpPacket, parse_rtp_untrusted

__all__ = ["Capture", "Datagram", "RtpDatagram", "captured", "missing", "rtp_packets"]

_ETHERNET: Final = 14
_UDP: Final = 17
_DISCARD: Final = 9
_LOOK_S: Final = 0.05
_LOOK_BYTES: Final = 1 << 20
_RTCP_PAYLOAD_TYPES: Final = range(72, 77)
"""Where SR, RR, SDES, BYE and APP fall when they are read as RTP (RFC 5761 section 4)."""

Address = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Datagram:
    """One UDP datagram, as the wire saw it."""

    at: float
    """Seconds of the wall clock."""
    source: Address
    destination: Address
    data: bytes


@dataclass(frozen=True, slots=True)
class RtpDatagram:
    """One RTP packet and when it was on the wire (seconds of the wall clock)."""

    at: float
    packet: RtpPacket


class Capture:
    """A recording of UDP on loopback while the `with` lasts; afterwards `datagrams` reads it.

    Args:
        path: the file to write.
        filter_: pcap filter, `udp portrange 12000-12199`.
        snap_bytes: how much of each frame to keep.
    """

    def __init__(self, path: Path, filter_: str, *, snap_bytes: int = 400) -> None:
        program = shutil.which("dumpcap")
        assert program, "dumpcap is not installed (Debian: apt install wireshark-common)"
        self._path = path
        self._command = (
            program,
            "-q",
            "-P",
            "-i",
            "lo",
            "-f",
            f"({filter_}) or udp dst port {_DISCARD}",
            "-s",
            str(snap_bytes),
        )

    def __enter__(self) -> Self:
        self._recorder = Command((*self._command, "-B", "64", "-w", str(self._path)))
        self._recorder.wait_for_line("File:")
        self._mark()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._recorder:
            if kind is None:
                self._mark()
            self._recorder.tell(signal.SIGINT)
            self._recorder.wait()
            self.summary = self._recorder.complaints()

    def _mark(self) -> None:
        """Return once the recorder has written a datagram of our own: it says nothing about when it really begins."""
        mark = secrets.token_bytes(16)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mouth:
            deadline = time.monotonic() + PATIENCE_S
            while mark not in self._end_of_file():
                assert time.monotonic() < deadline, f"dumpcap records nothing:\n{self._recorder.complaints()}"
                mouth.sendto(mark, ("127.0.0.1", _DISCARD))
                time.sleep(_LOOK_S)

    def _end_of_file(self) -> bytes:
        with self._path.open("rb") as file:
            file.seek(max(0, self._path.stat().st_size - _LOOK_BYTES))
            return file.read()

    @property
    def dropped(self) -> int:
        """How many packets the recorder itself lost: with any, a loss proves nothing."""
        counted = re.search(r": \d+/(\d+) \(", self.summary)
        assert counted, f"dumpcap does not tell what it lost:\n{self.summary}"
        return int(counted[1])

    def datagrams(self) -> Iterator[Datagram]:
        """Yield what was recorded, in order."""
        recorded = captured(self._path.read_bytes())
        return (each for each in recorded if each.destination[1] != _DISCARD)


def captured(data: bytes) -> Iterator[Datagram]:
    """Read the UDP datagrams of a classic pcap file.  Raise BadMessage if it is no such file."""
    if len(data) < 24:
        raise BadMessage("no pcap file")
    order = "<" if data[:4] in (b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1") else ">"
    magic, _, _, _, _, _, link = struct.unpack_from(f"{order}IHHiIII", data)
    if magic not in (0xA1B2C3D4, 0xA1B23C4D) or link != 1:
        raise BadMessage(f"magic {magic:#x}, link type {link}: not a pcap file of Ethernet frames")
    fraction = 1e-9 if magic == 0xA1B23C4D else 1e-6
    record, at = struct.Struct(f"{order}IIII"), 24
    while at + record.size <= len(data):
        seconds, parts, kept, _ = record.unpack_from(data, at)
        at += record.size
        datagram = _datagram(seconds + parts * fraction, data[at + _ETHERNET : at + kept])
        at += kept
        if datagram is not None:
            yield datagram


def rtp_packets(datagrams: Iterable[Datagram]) -> Iterator[tuple[Address, Address, RtpDatagram]]:
    """Yield the RTP packets with source and destination, in the order of the wire; RTCP is left out."""
    for datagram in datagrams:
        try:
            packet = parse_rtp_untrusted(datagram.data)
        except BadMessage:
            continue
        if packet.payload_type not in _RTCP_PAYLOAD_TYPES:
            yield datagram.source, datagram.destination, RtpDatagram(datagram.at, packet)


def missing(sequences: Iterable[int]) -> int:
    """Return how many sequence numbers between the first and the last never came (RFC 3550 appendix A.1)."""
    extended: list[int] = []
    for sequence in sequences:
        last = extended[-1] if extended else sequence
        extended.append(last + ((sequence - last + 0x8000) & 0xFFFF) - 0x8000)
    return max(extended) - min(extended) + 1 - len(set(extended)) if extended else 0


def _datagram(at: float, frame: bytes) -> Datagram | None:
    """Read an IPv4 header (RFC 791) and a UDP header; None for anything else."""
    if len(frame) < 28 or frame[0] >> 4 != 4 or frame[9] != _UDP:
        return None
    udp = 4 * (frame[0] & 0x0F)
    from_port, to_port, length = struct.unpack_from("!HHH", frame, udp)
    source, destination = (".".join(map(str, frame[i : i + 4])) for i in (12, 16))
    return Datagram(at, (source, from_port), (destination, to_port), frame[udp + 8 : udp + length])
