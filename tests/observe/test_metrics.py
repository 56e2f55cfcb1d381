"""Metrics are read when they are asked for."""

import pytest
from prometheus_client import generate_latest

from gateway.observe import Metrics


def test_counters_are_read_at_the_time_of_the_scrape():
    counters = {"bad_message": 1}
    metrics = Metrics()
    metrics.counts("tandem_sip_events", "What the engine counted", label="event", read=lambda: counters)

    counters["bad_message"] = 2

    assert b'tandem_sip_events_total{event="bad_message"} 2.0' in generate_latest(metrics.registry)


def test_gauges_are_read_at_the_time_of_the_scrape():
    metrics = Metrics()
    metrics.gauges("tandem_ports", "RTP ports", label="state", read=lambda: {"leased": 4})

    assert b'tandem_ports{state="leased"} 4.0' in generate_latest(metrics.registry)


def test_two_families_of_one_name_are_a_mistake():
    metrics = Metrics()
    metrics.gauges("tandem_ports", "RTP ports", label="state", read=dict)

    with pytest.raises(ValueError, match="Duplicated"):
        metrics.gauges("tandem_ports", "again", label="state", read=dict)
