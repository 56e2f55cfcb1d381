"""The HTTP application: health and metrics now, the REST API beside them as it grows.

`create_app` takes ports (Protocols), never the objects behind them, so that a test needs no switch and an API router
cannot reach past what it was given.

- `GET /healthz`  200 when the switch takes calls, 503 otherwise; `{"ready": true, "census": {"legs": 0}}`
- `GET /metrics`  Prometheus text: `tandem_ready`, `tandem_census{table="legs"}`, and what the registry holds
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol

from fastapi import FastAPI, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily

__all__ = ["StatusPort", "create_app"]


class StatusPort(Protocol):
    """What the outside may know of the switch at any time."""

    @property
    def ready(self) -> bool:
        """Say whether new calls are taken."""
        ...

    @property
    def census(self) -> Mapping[str, int]:
        """Return how many of each thing are alive."""
        ...


def create_app(status: StatusPort, *, registry: CollectorRegistry | None = None) -> FastAPI:
    """Return the application.

    registry: further metrics, e.g. `gateway.observe.Metrics().registry`; the census is added to it.
    """
    app = FastAPI(title="Tandem", docs_url=None, redoc_url=None)
    metrics = registry or CollectorRegistry()
    metrics.register(_StatusCollector(status))

    @app.get("/healthz", tags=["operation"])
    def healthz() -> JSONResponse:
        """Say whether the switch takes calls."""
        ready = status.ready
        return JSONResponse(
            {"ready": ready, "census": dict(status.census)}, status_code=200 if ready else 503
        )

    @app.get("/metrics", tags=["operation"], response_class=Response)
    def prometheus() -> Response:
        """Return all metrics in Prometheus' text format."""
        return Response(generate_latest(metrics), media_type=CONTENT_TYPE_LATEST)

    return app


class _StatusCollector:
    """Reads the status when Prometheus asks."""

    def __init__(self, status: StatusPort) -> None:
        self._status = status

    def collect(self) -> Iterator[GaugeMetricFamily]:
        yield GaugeMetricFamily("tandem_ready", "1 when new calls are taken", value=float(self._status.ready))
        census = GaugeMetricFamily("tandem_census", "How many of each thing are alive", labels=["table"])
        for table, rows in self._status.census.items():
            census.add_metric([table], rows)
        yield census
