"""The callers of `benchmarks.webrtc`: a process of phones on sockets of their own, with or without a browser's media.

Over its pipe it says where its phones are and what their certificates are, hears which doors they go to, checks and
shakes hands, says "ready", waits for "go", speaks, and reports.  All that is sent is made before.
"""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Final

from gateway.testing.wire_browser import WireBrowser

__all__ = ["Door", "be_callers"]

_HOST: Final = "127.0.0.1"
_PACKET_S: Final = 0.02
_SLOTS: Final = 20
"""Phones speak at so many different moments of a packet's time."""
_CHECK_EVERY: Final = 125
"""Packets: 2.5 s, as Chromium checks a path that works."""
_RTP_VERSION: Final = 2


@dataclass(frozen=True, slots=True)
class Door:
    """Where a phone goes, and what its checks are made with."""

    port: int
    ufrag: str
    password: str


class _Phone:
    """A plain one."""

    def __init__(self) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((_HOST, 0))
        self.packets: list[bytes] = []
        self.check = b""

    @property
    def card(self) -> tuple[int, str | None]:
        """Say where it is, and that it has no certificate."""
        return self.socket.getsockname()[1], None

    def go(self, door: Door, packets: Iterator[bytes]) -> None:
        """Find its way, and make all that it will say."""
        self.socket.connect((_HOST, door.port))
        self.packets = list(packets)

    def drain(self) -> int:
        """Return how many packets of audio have come."""
        n = 0
        try:
            while data := self.socket.recv(2048, socket.MSG_DONTWAIT):
                n += data[0] >> 6 == _RTP_VERSION
        except BlockingIOError:
            return n
        return n


class _Browser(_Phone):
    """One that checks, shakes hands, and speaks SRTP."""

    def __init__(self) -> None:
        self.browser = WireBrowser()
        self.socket = self.browser.socket

    @property
    def card(self) -> tuple[int, str | None]:
        """Say where it is, and its certificate."""
        return self.browser.address[1], self.browser.fingerprint

    def go(self, door: Door, packets: Iterator[bytes]) -> None:
        """Find its way, and make all that it will say."""
        self.browser.find((_HOST, door.port), door.ufrag, door.password)
        self.socket.settimeout(None)  # what is read without waiting is not waited for
        self.check = self.browser.nomination
        self.packets = [self.browser.protect(packet) for packet in packets]


def _packets(n: int, ssrc: int) -> Iterator[bytes]:
    payload = bytes(range(160))
    for i in range(n):
        yield struct.pack("!BBHII", 0x80, 0, i & 0xFFFF, 160 * i & 0xFFFFFFFF, ssrc) + payload


def be_callers(pipe: Connection, kind: str, n: int, seconds: float) -> None:
    """Be `n` phones that speak for a while."""
    phones = [_Browser() if kind == "webrtc" else _Phone() for _ in range(n)]
    pipe.send([phone.card for phone in phones])
    n_packets = int(seconds / _PACKET_S)
    for ssrc, (phone, door) in enumerate(zip(phones, pipe.recv(), strict=True), start=1):
        phone.go(door, _packets(n_packets, ssrc))
    pipe.send("ready")
    assert pipe.recv() == "go"
    received = _speak(phones, n_packets)
    pipe.send({"sent": n * n_packets, "received": received})
    pipe.close()


def _speak(phones: list[_Phone], n_packets: int) -> int:
    began, received = time.monotonic(), 0
    for i in range(n_packets):
        for slot in range(_SLOTS):
            time.sleep(max(0.0, began + (i + slot / _SLOTS) * _PACKET_S - time.monotonic()))
            for number in range(slot, len(phones), _SLOTS):
                phone = phones[number]
                phone.socket.send(phone.packets[i])
                if phone.check and (i + number) % _CHECK_EVERY == 0:
                    phone.socket.send(phone.check)
                received += phone.drain()
    time.sleep(5 * _PACKET_S)
    return received + sum(phone.drain() for phone in phones)
