"""Reporting: one user's calls, the platform's counters and services, call records, time."""

from __future__ import annotations

from typing import Literal

from gateway.api.wire.base import Said

__all__ = [
    "CounterResponse",
    "RecordsResponse",
    "ServiceResponse",
    "TimestampResponse",
    "UserCallsResponse",
]


class UserCallsResponse(Said):
    """What one user's calls came to."""

    success: int
    """Calls that were answered."""
    duration: int
    """Seconds, all of them together."""
    failed: int
    start: str
    """Since when they were counted."""


class CounterResponse(Said):
    """A counter as of its last refresh."""

    value: int
    modified: str


class ServiceResponse(Said):
    """Whether a part of the platform works."""

    status: Literal["up", "down"]


class TimestampResponse(Said):
    """The server's time: clients with a wrong clock sign with this one's."""

    timestamp: str


class RecordsResponse(Said):
    """Call records of one layout, one object a call, keys as the columns of the file."""

    layout: str
    records: list[dict[str, str]]
