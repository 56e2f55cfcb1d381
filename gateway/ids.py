"""Identifiers, and where chance comes from.

Protocol cores draw no random numbers of their own: they are given an `IdSource`.  A test gives a seeded one and
gets the same bytes on every run; the service gives the operating system's.
"""

from __future__ import annotations

import random
import secrets
from typing import NewType, Protocol

__all__ = ["CallId", "IdSource", "LegId", "RoomId", "RtpTime", "SeededIds", "Ssrc", "SystemIds"]

LegId = NewType("LegId", str)
CallId = NewType("CallId", str)
RoomId = NewType("RoomId", str)
Ssrc = NewType("Ssrc", int)
RtpTime = NewType("RtpTime", int)
"""An RTP timestamp: 32 bits that wrap, in units of the payload's clock (RFC 3550 section 5.1)."""


class IdSource(Protocol):
    """Where unguessable identifiers come from."""

    def token(self, n_bytes: int = 8) -> str:
        """Return `2 * n_bytes` lower-case hexadecimal digits."""
        ...

    def number(self, below: int) -> int:
        """Return an integer in 0 <= n < below."""
        ...


class SystemIds:
    """The operating system's entropy."""

    def token(self, n_bytes: int = 8) -> str:
        return secrets.token_hex(n_bytes)

    def number(self, below: int) -> int:
        return secrets.randbelow(below)


class SeededIds:
    """The same identifiers for the same seed: for tests and replays, never for the wire."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def token(self, n_bytes: int = 8) -> str:
        return self._random.randbytes(n_bytes).hex()

    def number(self, below: int) -> int:
        return self._random.randrange(below)
