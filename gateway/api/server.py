"""Serve HTTP inside somebody else's task group.

uvicorn wants to own the process: it takes the signals, exits on errors and stops by a flag.  Here it owns nothing:
the listener is bound by us, so a taken port is an OSError; signals stay where they are; and cancelling the task is
what stops it, after the requests in flight have been answered.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

__all__ = ["listen", "serve_http"]

GRACE_S = 3
"""What requests in flight get when the server is told to stop."""
IDLE_S = 15
"""A connection with no request for so long is closed."""


async def serve_http(
    app: ASGIApp,
    host: str,
    port: int,
    *,
    on_listening: Callable[[str, int], None] | None = None,
    certificate: tuple[Path, Path] | None = None,
) -> None:
    """Serve `app` until cancelled.

    on_listening: called once with the address and port that are really listened on (port 0 = any free one).
    certificate: PEM files of a certificate and its key, for HTTPS.

    Raises:
        OSError: the address cannot be bound.
    """
    listener = listen(host, port)
    server = _Server(
        uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            lifespan="off",
            server_header=False,
            timeout_keep_alive=IDLE_S,
            timeout_graceful_shutdown=GRACE_S,
            ssl_certfile=certificate[0] if certificate else None,
            ssl_keyfile=certificate[1] if certificate else None,
        )
    )
    if on_listening:
        on_listening(*listener.getsockname()[:2])
    async with asyncio.TaskGroup() as tasks:
        serving = tasks.create_task(server.serve(sockets=[listener]))
        try:
            await asyncio.shield(serving)
        except asyncio.CancelledError:
            server.should_exit = True
            await serving
            raise


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens; port 0 = any free one.

    An answer leaves in two writes, head and body.  Connections inherit that the second does not wait for the first
    one's acknowledgement (RFC 896), which a client may hold back for 40 ms; asyncio sees to that only for sockets
    that name their protocol.

    Raises:
        OSError: the address cannot be bound.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server((host, port), family=family, backlog=256)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


class _Server(uvicorn.Server):
    """uvicorn without its hands on the process's signals."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to the process's owner."""
        yield
