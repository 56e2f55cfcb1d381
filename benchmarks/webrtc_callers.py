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

from gateway.media.crypto import CryptoPolicy, SrtpEnds
from gateway.testing.fake_browser import FakeBrowser, check

__all__ = ["Door", "be_callers"]

_HOST: Final = "127.0.0.1"
_PACKET_S: Final = 0.02
_SLOTS: Final = 20
"""Phones speak at so many different moments of a packet's time."""
_CHECK_EVERY: Final = 125
"""Packets: 2.5 s, as Chromium checks a path that works."""
_PATIENCE_S: Final = 10.0
_STUN: Final = range(4)
_DTLS: Final = range(20, 64)
_KEY_BYTES, _SALT_BYTES = 16, 14


@dataclass(frozen=True, slots=True)
class Door:
    """Where a phone goes, and what its checks are made with."""

    port: int
    ufrag: str
    password: str


class _Phone:
    def __init__(self, *, browser: bool) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((_HOST, 0))
        self.browser = FakeBrowser() if browser else None
        self.packets: list[bytes] = []
        self.check = b""

    @property
    def card(self) -> tuple[int, str | None]:
        """Say where it is, and its certificate."""
        return self.socket.getsockname()[1], None if self.browser is None else self.browser.fingerprint

    def go(self, door: Door, n_packets: int, ssrc: int) -> None:
        """Find its way, and make all that it will say."""
        self.socket.connect((_HOST, door.port))
        self.packets = list(_packets(n_packets, ssrc))
        if self.browser is not None:
            self.check = check(door.ufrag, door.password, nominates=True)
            ends = self._shaken(self.browser)
            self.packets = [ends.protect(packet) for packet in self.packets]
        self.socket.setblocking(False)

    def drain(self) -> int:
        """Return how many packets of audio have come."""
        n = 0
        try:
            while data := self.socket.recv(2048):
                n += data[0] >> 6 == 2
        except BlockingIOError:
            return n
        return n

    def _shaken(self, browser: FakeBrowser) -> SrtpEnds:
        self.socket.settimeout(_PATIENCE_S)
        self.socket.send(self.check)
        while self.socket.recv(2048)[0] not in _STUN:
            pass
        said = browser.flight()
        while said:
            self.socket.send(said)
            while not browser.done and (data := self.socket.recv(4096))[0] not in _DTLS:
                pass
            said = b"" if browser.done else browser.flight([data])
        made = browser.exported(2 * (_KEY_BYTES + _SALT_BYTES))
        keys, salts = made[: 2 * _KEY_BYTES], made[2 * _KEY_BYTES :]
        ours, theirs = keys[:_KEY_BYTES] + salts[:_SALT_BYTES], keys[_KEY_BYTES:] + salts[_SALT_BYTES:]
        return SrtpEnds(CryptoPolicy("AES_CM_128_HMAC_SHA1_80", ours=ours, theirs=theirs))


def _packets(n: int, ssrc: int) -> Iterator[bytes]:
    payload = bytes(range(160))
    for i in range(n):
        yield struct.pack("!BBHII", 0x80, 0, i & 0xFFFF, 160 * i & 0xFFFFFFFF, ssrc) + payload


def be_callers(pipe: Connection, kind: str, n: int, seconds: float) -> None:
    """Be `n` phones that speak for a while."""
    phones = [_Phone(browser=kind == "webrtc") for _ in range(n)]
    pipe.send([phone.card for phone in phones])
    n_packets = int(seconds / _PACKET_S)
    for ssrc, (phone, door) in enumerate(zip(phones, pipe.recv(), strict=True), start=1):
        phone.go(door, n_packets, ssrc)
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
