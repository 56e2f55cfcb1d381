"""Keys as telephone-events (RFC 4733): one sender and one receiver, both a step at a time.

Sending: each key is one event.  Its packets share the timestamp of its start and differ in a duration that
grows; the first has the marker, the last is sent three times with the E bit.  A comma waits for half a
second.

Receiving: a key is a pair (SSRC, timestamp), whatever else is lost, repeated or late; it is reported once, at
its first E or after `SILENCE_S` without another packet of it.
"""

from __future__ import annotations

import math
import struct
from collections import deque
from dataclasses import dataclass
from typing import Final

from gateway.errors import BadMessage, LocalError
from gateway.lab.phone.rtp import Packet

__all__ = ["KEYS", "EventPacket", "KeyReceiver", "KeySeen", "KeySender", "check_keys"]

KEYS: Final = "0123456789*#ABCD"
KEY_MS: Final = 120
GAP_MS: Final = 80
SILENCE_S: Final = 0.120
_PAUSE_MS: Final = 500
_VOLUME: Final = 10
_N_ENDS: Final = 3


def check_keys(keys: str) -> str:
    """Return keys as they can be pressed.  Raise LocalError for what is no key."""
    wrong = set(keys.upper()) - set(KEYS) - {","}
    if wrong:
        raise LocalError(
            f"{''.join(sorted(wrong))!r} is not a key of a telephone; keys are {KEYS} and a comma"
        )
    return keys.upper()


@dataclass(frozen=True, slots=True)
class EventPacket:
    """What the next packet is to carry instead of sound."""

    payload: bytes
    timestamp: int
    marker: bool


class KeySender:
    """A queue of keys, asked once for every packet interval whether it wants it."""

    def __init__(self, *, rate_hz: int = 8000) -> None:
        self.rate_hz = rate_hz
        self._keys: deque[str] = deque()
        self._steps: deque[EventPacket] = deque()
        self._rest_ms = 0

    def press(self, keys: str) -> None:
        """Queue keys (`0-9*#A-D`, comma = wait 0.5 s).  Raise LocalError for any other character."""
        self._keys.extend(check_keys(keys))

    @property
    def idle(self) -> bool:
        """Whether every key has been sent."""
        return not self._keys and not self._steps and self._rest_ms <= 0

    def step(self, timestamp: int, ptime_ms: int) -> EventPacket | None:
        """Return what to send in this interval; None = sound.  `timestamp` is the interval's own."""
        if not self._steps:
            self._rest_ms -= ptime_ms
            if self._rest_ms > 0 or not self._keys:
                return None
            key = self._keys.popleft()
            if key == ",":
                self._rest_ms = _PAUSE_MS
                return None
            self._steps.extend(self._packets(key, timestamp, ptime_ms))
            self._rest_ms = GAP_MS
        return self._steps.popleft()

    def _packets(self, key: str, timestamp: int, ptime_ms: int) -> list[EventPacket]:
        event, n_steps = KEYS.index(key), math.ceil(KEY_MS / ptime_ms)
        per_step = ptime_ms * self.rate_hz // 1000
        durations = [*range(per_step, n_steps * per_step, per_step), *[n_steps * per_step] * _N_ENDS]
        return [
            EventPacket(
                struct.pack("!BBH", event, _VOLUME | (0x80 if number >= n_steps - 1 else 0), duration),
                timestamp,
                marker=number == 0,
            )
            for number, duration in enumerate(durations)
        ]


@dataclass(frozen=True, slots=True)
class KeySeen:
    """A key that the other end pressed."""

    key: str
    duration_ms: int


class KeyReceiver:
    """Telephone-events in, each key out once."""

    def __init__(self, *, rate_hz: int = 8000) -> None:
        self.rate_hz = rate_hz
        self._open: tuple[int, int] | None = None
        self._event, self._duration, self._last_s = 0, 0, 0.0
        self._done: deque[tuple[int, int]] = deque(maxlen=32)

    def arrive(self, packet: Packet, now: float) -> list[KeySeen]:
        """Take one event packet; return the keys that ended by it.  Raise BadMessage if it is none."""
        if len(packet.payload) < 4:
            raise BadMessage(f"a telephone-event of {len(packet.payload)} bytes")
        event, flags, duration = struct.unpack_from("!BBH", packet.payload)
        identity = (packet.ssrc, packet.timestamp)
        if event >= len(KEYS) or identity in self._done:
            return []
        seen = [] if self._open in (None, identity) else self._finish()
        if self._open is None:
            self._open, self._event, self._duration = identity, event, 0
        self._duration, self._last_s = max(self._duration, duration), now
        return [*seen, *self._finish()] if flags & 0x80 else seen

    def due(self, now: float) -> list[KeySeen]:
        """Return the key whose end never came, once nothing more is heard of it."""
        return self._finish() if self._open is not None and now - self._last_s >= SILENCE_S else []

    def _finish(self) -> list[KeySeen]:
        assert self._open is not None  # both callers have looked
        self._done.append(self._open)
        self._open = None
        return [KeySeen(KEYS[self._event], 1000 * self._duration // self.rate_hz)]
