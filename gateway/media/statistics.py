"""What one leg's media was like: the facts behind the canonical line, the records and the metrics.

Counting follows RFC 3550 appendix A.3 (loss) and A.8 (jitter); times are milliseconds of media time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

__all__ = ["LegStatistics", "statistics_as_map", "statistics_from_map"]


@dataclass(frozen=True, slots=True)
class LegStatistics:
    """Counters of one leg since it was opened."""

    packets_received: int = 0
    bytes_received: int = 0
    """RTP payload bytes."""
    packets_lost: int = 0
    """Expected minus received (RFC 3550 A.3); negative when duplicates outnumber losses."""
    packets_late: int = 0
    """Arrived after their time to be played."""
    packets_duplicate: int = 0
    jitter_ms: float = 0.0
    """Interarrival jitter (RFC 3550 A.8)."""
    packets_sent: int = 0
    bytes_sent: int = 0
    mode: str = "tick"
    """How the leg's incoming audio travels: `relay` or `tick` (decoded and encoded)."""
    mode_reason: str = ""
    """Why it is so, in words."""
    inserted_ms: int = 0
    """By how much playout stepped back to wait longer."""
    dropped_ms: int = 0
    """Audio thrown away to keep the delay small."""
    concealed_ms: int = 0
    """Audio invented for what was lost, or came too late."""
    playout_delay_ms: float = 0.0
    """How long a packet waits beyond the fastest of the last seconds, before it is decoded; 0 when relayed."""
    mos: float = 0.0
    """How good the last second would sound to people (E-model, ITU-T G.107), 1 to 4.5; 0 = not rated yet."""
    remote_mos: float = 0.0
    """What the peer's extended report says of our audio (RFC 3611 section 4.7); 0 = none came."""
    strangers: int = 0
    """Packets from addresses that are not this leg's peer; never answered, never heard."""
    unauthentic: int = 0
    """Packets that are not from the one who has the key (SRTP): never heard, never counted against the call."""
    digits: int = 0
    """DTMF digits heard (RFC 4733), each counted once."""
    remote_lost: int = 0
    """What the peer's RTCP reports as lost of what we sent."""
    round_trip_ms: float = 0.0
    """From the peer's RTCP (RFC 3550 section 6.4.1); 0 = not reported."""


_NAMES = frozenset(field.name for field in fields(LegStatistics))


def statistics_as_map(statistics: LegStatistics) -> dict[str, Any]:
    """Return the counters as a plain map."""
    return asdict(statistics)


def statistics_from_map(counters: Mapping[str, Any]) -> LegStatistics:
    """Return the counters of a map; unknown keys of a newer peer are ignored, missing ones are zero."""
    return LegStatistics(**{name: value for name, value in counters.items() if name in _NAMES})
