"""Instants and spans as clients write them in queries: ISO 8601, a date or a time, UTC unless it says more."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from gateway import signing
from gateway.api import faults

__all__ = ["DAY_S", "Span", "day_start", "moment", "span"]

DAY_S: Final = 86_400
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclass(frozen=True, slots=True)
class Span:
    """From `start` up to, not including, `stop`; Unix seconds."""

    start: float
    stop: float


def moment(written: str) -> float:
    """Return an instant as Unix seconds; a date is its midnight.

    Raises:
        Fault: it is none (40001).
    """
    text = f"{written}T00:00:00Z" if _DATE.fullmatch(written) else written.replace(" ", "+")
    at = signing.instant(text)
    if at is None:
        raise faults.invalid(f"Invalid time: {written[:40]!r}")
    return at


def span(start: str | None, stop: str | None, *, default: Span, longest_s: float) -> Span:
    """Return a span of which either end may be left out.

    Raises:
        Fault: an end is no instant, the span is empty or too long (40001).
    """
    asked = Span(moment(start) if start else default.start, moment(stop) if stop else default.stop)
    if asked.stop <= asked.start:
        raise faults.invalid("The stop must be after the start")
    if asked.stop - asked.start > longest_s:
        raise faults.invalid(f"The time may be {longest_s / DAY_S:g} days long at most")
    return asked


def day_start(at: float) -> float:
    """Return the midnight (UTC) before an instant."""
    return at - at % DAY_S
