"""Three kinds of time, never confused.

- *now*: monotonic seconds as a float; every timer and duration.  Protocol cores get it as an argument.
- *media time*: samples on a leg's RTP clock (`ids.RtpTime`), 32 bits that wrap.
- *wall time*: seconds since 1970; only ever printed (records, callbacks, the NTP field of an RTCP SR).
"""

from __future__ import annotations

import time
from typing import Protocol

__all__ = ["Clock", "SystemClock"]


class Clock(Protocol):
    """What the rim asks for the time; virtual in tests."""

    def now(self) -> float:
        """Return monotonic seconds."""
        ...

    def wall(self) -> float:
        """Return seconds since the epoch."""
        ...


class SystemClock:
    """The machine's clocks."""

    def now(self) -> float:
        return time.monotonic()

    def wall(self) -> float:
        return time.time()
