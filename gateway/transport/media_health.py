"""How a media worker fares: how late its ticks are, how long they take, how busy it is, and when it is enough.

    lateness    from the moment a tick was due to the moment it began
    tick        from its beginning to its end, packets that were served between its stages included
    stage       one stage of it: what a relayed packet may have to wait
    busy        the share of time that went into packets and ticks; commands can wait, and do not count

All are counted since the start, in buckets (Prometheus' kind: cumulative, in seconds), so that whoever looks
twice knows what was in between.

Admission.  A worker that is late, or nearly never idle, refuses new legs before it harms those it has.  It
takes legs again when it is clearly better, not as soon as it is a little less bad.  Packets are served before
ticks are late, so the share of busy time is what tells first; at 95 % the kernel would stop a real-time process
for 50 ms in each second (sched(7)), and `FULL` stays below that.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from typing import Any, Final

__all__ = ["BOUNDS_S", "FULL", "LATE_S", "Admission", "Health", "Histogram", "quantile"]

BOUNDS_S: Final = tuple(
    each / 1e6
    for each in (
        *(50, 75, 100, 150, 200, 300, 400, 500, 600, 700, 800, 900, 1000, 1200, 1400, 1700),
        *(2000, 2500, 3000, 4000, 5000, 7500, 10_000, 20_000, 50_000, 100_000),
    )
)
"""Upper bounds of the buckets: fine where a tick should be, coarse where it should not."""

LATE_S: Final = 0.005
IN_TIME_S: Final = 0.002
"""Mean lateness at which new legs are refused, and below which they are taken again."""
FULL: Final = 0.90
SPARE: Final = 0.80
"""Share of busy time at which new legs are refused, and below which they are taken again."""
WINDOW_S: Final = 0.25
"""Over how long the share of busy time is taken."""
_SMOOTHING: Final = 1 / 64


class Histogram:
    """Counts of seconds by `BOUNDS_S`, and their sum."""

    __slots__ = ("counts", "total_s")

    def __init__(self) -> None:
        self.counts = [0] * (len(BOUNDS_S) + 1)
        self.total_s = 0.0

    def observe(self, seconds: float) -> None:
        """Count one."""
        self.counts[bisect_left(BOUNDS_S, seconds)] += 1
        self.total_s += seconds

    def as_map(self) -> dict[str, Any]:
        """Return what travels: counts by bucket (the last one has no bound), and the sum in seconds."""
        return {"counts": list(self.counts), "sum_s": self.total_s}


class Admission:
    """Says whether new legs are taken, and if not why."""

    def __init__(self) -> None:
        self.refusal: str | None = None
        """Why new legs are refused; None = they are taken."""

    def judge(self, *, late_s: float, busy: float) -> None:
        """Look at the worker: mean lateness in seconds, share of busy time."""
        if late_s >= LATE_S:
            self.refusal = f"ticks are {late_s * 1000:.1f} ms late"
        elif busy >= FULL:
            self.refusal = f"the media process is busy {100 * busy:.0f} % of the time"
        elif late_s < IN_TIME_S and busy < SPARE:
            self.refusal = None


class Health:
    """The figures of one worker.  Times are monotonic seconds."""

    def __init__(self, now: float) -> None:
        self.lateness = Histogram()
        self.tick = Histogram()
        self.stage = Histogram()
        self.admission = Admission()
        self.ticks = 0
        self.skipped = 0
        """Ticks that were left out because the machine slept."""
        self.errors = 0
        self.late_s = 0.0
        """Mean lateness of the last second or so."""
        self.busy = 0.0
        """Share of busy time in the last window."""
        self._window_began = now
        self._idle_before_s = 0.0

    def tick_begins(self, late_s: float) -> None:
        """Note how late a tick is."""
        self.ticks += 1
        self.lateness.observe(late_s)
        self.late_s += (late_s - self.late_s) * _SMOOTHING

    def tick_ended(self, took_s: float, now: float, *, idle_s: float) -> None:
        """Note how long it took; idle_s: for how long, since its start, the worker had nothing that could not wait."""
        self.tick.observe(took_s)
        lasted_s = now - self._window_began
        if lasted_s >= WINDOW_S:
            self.busy = min(1.0, max(0.0, 1.0 - (idle_s - self._idle_before_s) / lasted_s))
            self._window_began, self._idle_before_s = now, idle_s
        self.admission.judge(late_s=self.late_s, busy=self.busy)

    def as_map(self, *, rows: int, io: Mapping[str, int]) -> dict[str, Any]:
        """Return all figures as they travel to the switch."""
        return {
            "rows": rows,
            "busy": round(self.busy, 4),
            "lateness_ms": self.late_s * 1000,
            "refusal": self.admission.refusal,
            "counters": {"ticks": self.ticks, "skipped": self.skipped, "errors": self.errors, **io},
            "histograms": {
                "lateness": self.lateness.as_map(),
                "tick": self.tick.as_map(),
                "stage": self.stage.as_map(),
            },
        }


def quantile(counts: Sequence[int], share: float) -> float:
    """Return the upper bound in seconds of the bucket in which a share of what was counted lies below.

    Infinite when that is the last one; 0 when nothing was counted.
    """
    wanted, seen = share * sum(counts), 0
    if wanted == 0:
        return 0.0
    for bound, count in zip(BOUNDS_S, counts, strict=False):
        seen += count
        if seen >= wanted:
            return bound
    return float("inf")
