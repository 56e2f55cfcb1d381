"""The web phone's files, and what its page may do.

The policy of the page (CSP 3) lets it run our scripts and nothing that somebody might write into it, and connect to
this server and its WebSockets alone.  A page that shows a microphone is in nobody's frame.
"""

from __future__ import annotations

import re
from typing import Final

from fastapi import APIRouter, Response
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.api.clients import ANY_PAGE, AppClients, host_of
from gateway.console import PAGES

__all__ = ["PhoneOnly", "router"]

router: Final = APIRouter(prefix="/phone", include_in_schema=False)

_OPEN: Final = re.compile(r"/(phone(/[\w.-]*)?|client/v1/(servers|registrations))\Z")
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self' {sockets}; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_HEADERS: Final = {
    **ANY_PAGE,  # or no page of another host could import the module
    "Cache-Control": "no-cache",
    "Permissions-Policy": "microphone=(self), camera=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


@router.get("")
async def get_phone(request: Request) -> Response:
    """Return the web phone."""
    return _answer(request, "index.html")


@router.get("/{name}")
async def get_file(request: Request, name: str) -> Response:
    """Return one of its files."""
    return _answer(request, name)


class PhoneOnly:
    """An ASGI application that lets through what the web phone asks for: for a door that others find than the API's."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request on, or say that there is no such thing."""
        if scope["type"] != "http" or _OPEN.match(scope["path"]):
            await self._app(scope, receive, send)
        else:
            await Response("There is the web phone here, at /phone\n", 404)(scope, receive, send)


def _answer(request: Request, name: str) -> Response:
    page = PAGES.get(name)
    if page is None:
        raise HTTPException(404, "Page not found")
    headers = {**_HEADERS, "ETag": page.etag, "Content-Security-Policy": _policy(request)}
    if request.headers.get("if-none-match") == page.etag:
        return Response(status_code=304, headers=headers)
    return Response(page.body, media_type=page.media_type, headers=headers)


def _policy(request: Request) -> str:
    clients: AppClients = request.app.state.clients
    host = host_of(request)
    sockets = [*clients.servers(host, secure=False), *clients.servers(host, secure=True)]
    return _POLICY.format(sockets=" ".join(sockets))
