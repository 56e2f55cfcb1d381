"""The media workers in Prometheus' words: what each has last told, read when somebody asks.

    tandem_media_lateness_seconds    histogram: how late ticks began
    tandem_media_tick_seconds        histogram: how long they took
    tandem_media_stage_seconds       histogram: how long a relayed packet may have had to wait
    tandem_media_busy                share of time in which the worker had something to do
    tandem_media_rows                legs and sources
    tandem_media_refusing            1 when it takes no new legs
    tandem_media_events_total        what its loop counted: packets, errors, ticks, ticks left out

All have the label `worker`, counted from 1.  A worker that is away is not there; one that was restarted begins at
zero, which is what a counter of Prometheus may do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import accumulate
from typing import Any, Final

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from gateway.transport.media_health import BOUNDS_S

__all__ = ["MediaMetrics"]

_HISTOGRAMS: Final = {
    "lateness": "How late ticks began",
    "tick": "How long ticks took, with the packets served between their stages",
    "stage": "How long one stage of a tick took",
}
_LIMITS: Final = (*(repr(bound) for bound in BOUNDS_S), "+Inf")

Figures = Callable[[], Mapping[int, Mapping[str, Any]]]


class MediaMetrics:
    """A collector (the duck type that `CollectorRegistry.register` wants)."""

    def __init__(self, figures: Figures) -> None:
        """`figures` returns what each worker has last told: `media_health.Health.as_map` by number."""
        self._figures = figures

    def collect(self) -> Iterator[Metric]:
        """Yield all families."""
        figures = {str(number + 1): told for number, told in self._figures().items()}
        for name, documentation in _HISTOGRAMS.items():
            yield _histogram(name, documentation, figures)
        yield _gauge("busy", "Share of time with something to do", figures, lambda told: float(told["busy"]))
        yield _gauge("rows", "Legs and sources", figures, lambda told: float(told["rows"]))
        yield _gauge("refusing", "1 = takes no new legs", figures, lambda told: float(bool(told["refusal"])))
        counters = CounterMetricFamily(
            "tandem_media_events", "What the loop counted", labels=["worker", "event"]
        )
        for worker, told in figures.items():
            for event, count in told["counters"].items():
                counters.add_metric([worker, event], count)
        yield counters


def _histogram(
    name: str, documentation: str, figures: Mapping[str, Mapping[str, Any]]
) -> HistogramMetricFamily:
    family = HistogramMetricFamily(f"tandem_media_{name}_seconds", documentation, labels=["worker"])
    for worker, told in figures.items():
        histogram = told["histograms"][name]
        buckets = list(zip(_LIMITS, accumulate(histogram["counts"]), strict=True))
        family.add_metric([worker], buckets, sum_value=histogram["sum_s"])
    return family


def _gauge(
    name: str,
    documentation: str,
    figures: Mapping[str, Mapping[str, Any]],
    read: Callable[[Mapping[str, Any]], float],
) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"tandem_media_{name}", documentation, labels=["worker"])
    for worker, told in figures.items():
        family.add_metric([worker], read(told))
    return family
