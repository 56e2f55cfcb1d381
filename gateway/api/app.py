"""The HTTP application: health, metrics and the REST API.

`create_app` takes ports (Protocols), never the objects behind them, so that a test needs no switch and an API router
cannot reach past what it was given.

- `GET /healthz`  200 when the switch takes calls, 503 otherwise; `{"ready": true, "census": {"legs": 0}}`
- `GET /metrics`  Prometheus text: `tandem_ready`, `tandem_census{table="legs"}`, and what the registry holds
- `GET /openapi.json`  what the REST API is, true to the wire
- `GET /phone`  the web phone
- everything else: a router for each area, when there is a platform to speak to
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol

from fastapi import FastAPI, Response
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily

from gateway.api import (
    callouts,
    calls,
    conferences,
    configuration,
    exports,
    numbers,
    phone,
    recordings,
    reporting,
    schema,
)
from gateway.api import clients as app_clients
from gateway.api.admission import Reception
from gateway.api.clients import AppClients
from gateway.api.doorway import Doorway
from gateway.api.platform import Platform
from gateway.api.refusals import answer_refusals

__all__ = ["StatusPort", "create_app"]

_ROUTERS = (
    callouts.router,
    calls.router,
    conferences.router,
    configuration.router,
    numbers.router,
    recordings.router,
    reporting.router,
    reporting.open_router,
    exports.router,
)
_APP_ROUTERS = (app_clients.router, app_clients.open_router, phone.router)


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


def create_app(
    status: StatusPort,
    *,
    registry: CollectorRegistry | None = None,
    platform: Platform | None = None,
    clients: AppClients | None = None,
) -> FastAPI:
    """Return the application.

    registry: further metrics, e.g. `gateway.observe.Metrics().registry`; the census is added to it.
    platform: what the REST API speaks to; None = health and metrics alone.
    clients: what app clients and the web phone need; None = there are none.
    """
    app = FastAPI(
        title="Tandem",
        version="1.0.0",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        openapi_url="/openapi.json" if platform else None,
    )
    app.state.status = status
    _add_operation(app, status, registry or CollectorRegistry())
    if platform is not None:
        _add_api(app, platform, clients)
    return app


def _add_operation(app: FastAPI, status: StatusPort, metrics: CollectorRegistry) -> None:
    """Add what operators and monitors ask for."""
    metrics.register(_StatusCollector(status))

    @app.get("/healthz", tags=["operation"], include_in_schema=False)
    def healthz() -> JSONResponse:
        """Say whether the switch takes calls."""
        ready = status.ready
        return JSONResponse(
            {"ready": ready, "census": dict(status.census)}, status_code=200 if ready else 503
        )

    @app.get("/metrics", tags=["operation"], response_class=Response, include_in_schema=False)
    def prometheus() -> Response:
        """Return all metrics in Prometheus' text format."""
        return Response(generate_latest(metrics), media_type=CONTENT_TYPE_LATEST)


def _add_api(app: FastAPI, platform: Platform, clients: AppClients | None) -> None:
    """Add the REST API, and what apps have of it."""
    app.state.reception = Reception(platform)
    app.state.clients = clients
    routers = (*_ROUTERS, *(_APP_ROUTERS if clients else ()))
    app.add_middleware(Doorway, body_bytes=platform.settings.body_bytes, ids=platform.ids, log=platform.log)
    routes = [route for router in routers for route in router.routes if isinstance(route, APIRoute)]
    answer_refusals(app, platform.ids, routes)
    app.router.routes.extend(routes)  # include_router would have every request matched twice
    schema.describe(app)


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
