"""The HTTP face: health, metrics and the REST API.  FastAPI and uvicorn stay in this package."""

from gateway.api.app import StatusPort, create_app
from gateway.api.clients import AppClients
from gateway.api.phone import PhoneOnly
from gateway.api.platform import ApiSettings, Platform
from gateway.api.server import serve_http

__all__ = ["ApiSettings", "AppClients", "PhoneOnly", "Platform", "StatusPort", "create_app", "serve_http"]
