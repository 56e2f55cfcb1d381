"""A voice that never pauses, as a browser's: PCMU every 20 ms, what there is to say, keys (RFC 4733), else silence."""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import Final

import numpy as np
import numpy.typing as npt

import voicecodecs
from gateway.testing.phone import port_in
from gateway.testing.rtp_peer import RtpEar, RtpMouth

__all__ = ["RtpVoice"]

_HOST: Final = "127.0.0.1"
_PACKET_BYTES: Final = 160
_PACKET_S: Final = 0.02
_SILENCE: Final = b"\xff" * _PACKET_BYTES


class RtpVoice:
    """Speaks to whom a session description names, from the socket of `ear`, until it is stopped."""

    def __init__(self, ear: RtpEar, sdp: str) -> None:
        self._ear = ear
        self._to = (_HOST, port_in(sdp.encode()))
        self._events = _events_in(sdp)
        self._mouth = RtpMouth(ssrc=ear.address[1])
        self._due: deque[list[bytes]] = deque()
        """The packets of each 20 ms to come."""
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._speak, name="browser-voice", daemon=True)
        self._thread.start()

    def say(self, pcm: npt.NDArray[np.int16]) -> None:
        """Say int16 [n] after what is still to be said."""
        audio = b"".join(voicecodecs.encode_frames(pcm, "pcmu"))
        with self._lock:
            for start in range(0, len(audio) - _PACKET_BYTES + 1, _PACKET_BYTES):
                self._due.append([self._mouth.say(audio[start : start + _PACKET_BYTES]).to_bytes()])

    def press(self, keys: str) -> None:
        """Press keys, 100 ms each and 60 ms apart (RFC 4733 section 2.5)."""
        with self._lock:
            for key in keys:
                *growing, last, second, third = self._mouth.digit(key, payload_type=self._events)
                self._due += [[packet.to_bytes()] for packet in growing]
                self._due[-1] += [packet.to_bytes() for packet in (last, second, third)]
                self._due += [[self._mouth.say(_SILENCE).to_bytes()] for _ in range(3)]

    def keys(self) -> str:
        """Return the keys that have come from the peer."""
        return self._ear.digits(payload_type=self._events)

    def stop(self) -> None:
        """Say no more."""
        self._stopping.set()
        self._thread.join()

    def _speak(self) -> None:
        due = time.monotonic()
        while not self._stopping.wait(max(0.0, due - time.monotonic())):
            for packet in self._next():
                self._ear.send(packet, self._to)
            due += _PACKET_S

    def _next(self) -> list[bytes]:
        with self._lock:
            return self._due.popleft() if self._due else [self._mouth.say(_SILENCE).to_bytes()]


def _events_in(sdp: str) -> int:
    """Return the payload type of telephone-event in a description."""
    named = [line.removeprefix("a=rtpmap:") for line in sdp.splitlines() if "telephone-event/8000" in line]
    assert named, f"there are no telephone-events in {sdp}"
    return int(named[0].split()[0])
