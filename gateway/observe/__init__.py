"""What can be seen of a running Tandem: logs as events, metrics read when asked for."""

from gateway.observe.events import EVENTS, EventDescription
from gateway.observe.logs import LineWriter, configure
from gateway.observe.metrics import Metrics

__all__ = ["EVENTS", "EventDescription", "LineWriter", "Metrics", "configure"]
