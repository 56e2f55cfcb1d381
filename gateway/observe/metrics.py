"""Prometheus metrics that cost nothing until somebody asks.

Our protocol cores count in plain dictionaries (`counters`, `census()`).  A `Metrics` holds functions that return
those, and calls them when `/metrics` is read: no counter object is touched on the way of a packet, and none can be
forgotten when a leg ends.

    metrics = Metrics()
    metrics.counts("tandem_sip_events", "What the SIP engine counted", label="event", read=lambda: endpoint.counters)
    metrics.gauges("tandem_live", "Things alive", label="kind", read=endpoint.census)
    create_app(status, registry=metrics.registry)
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

__all__ = ["Metrics"]

Read = Callable[[], Mapping[str, float]]
"""Returns value by label: the only label that a family here has."""


class Metrics:
    """A registry of its own (never the global one), and families that are read when asked for."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()

    def counts(self, name: str, documentation: str, *, label: str, read: Read) -> None:
        """Add a family of counters; `name` is without the `_total` that Prometheus adds."""
        self.registry.register(_Family(CounterMetricFamily, name, documentation, label, read))

    def gauges(self, name: str, documentation: str, *, label: str, read: Read) -> None:
        """Add a family of gauges."""
        self.registry.register(_Family(GaugeMetricFamily, name, documentation, label, read))


class _Family:
    """A collector of one family (the duck type that `CollectorRegistry.register` wants)."""

    def __init__(
        self,
        kind: type[CounterMetricFamily] | type[GaugeMetricFamily],
        name: str,
        documentation: str,
        label: str,
        read: Read,
    ) -> None:
        self._kind = kind
        self._name = name
        self._documentation = documentation
        self._label = label
        self._read = read

    def describe(self) -> Iterator[Metric]:
        """Yield the empty family, so that two of one name are refused when the second is added."""
        yield self._kind(self._name, self._documentation, labels=[self._label])

    def collect(self) -> Iterator[Metric]:
        """Yield the family with what `read` returns now."""
        family = self._kind(self._name, self._documentation, labels=[self._label])
        for key, value in self._read().items():
            family.add_metric([key], value)
        yield family
