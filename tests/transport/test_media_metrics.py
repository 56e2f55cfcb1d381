"""What the workers told, as Prometheus reads it."""

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from gateway.transport.media_health import Health
from gateway.transport.media_metrics import MediaMetrics


def scraped(figures):
    registry = CollectorRegistry()
    registry.register(MediaMetrics(lambda: figures))
    families = text_string_to_metric_families(generate_latest(registry).decode())
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in families
        for sample in family.samples
    }


def test_lateness_is_a_histogram_of_each_worker():
    health = Health(0.0)
    for late_s in (0.00004, 0.0004, 0.4):
        health.tick_begins(late_s)

    samples = scraped({0: health.as_map(rows=2, io={"received": 7}), 1: Health(0.0).as_map(rows=0, io={})})

    name, worker = "tandem_media_lateness_seconds", ("worker", "1")
    assert samples[f"{name}_bucket", ("le", "5e-05"), worker] == 1
    assert samples[f"{name}_bucket", ("le", "0.0004"), worker] == 2
    assert samples[f"{name}_bucket", ("le", "+Inf"), worker] == 3
    assert samples[f"{name}_count", worker] == 3
    assert samples[f"{name}_count", ("worker", "2")] == 0


def test_the_rest_are_gauges_and_counters():
    health = Health(0.0)
    health.tick_ended(0.001, 0.5, idle_s=0.05)

    samples = scraped({0: health.as_map(rows=2, io={"received": 7})})

    worker = ("worker", "1")
    assert samples["tandem_media_busy", worker] == 0.9
    assert samples["tandem_media_rows", worker] == 2
    assert samples["tandem_media_refusing", worker] == 1
    assert samples["tandem_media_events_total", ("event", "received"), worker] == 7


def test_where_no_worker_is_there_are_only_names():
    assert scraped({}) == {}
