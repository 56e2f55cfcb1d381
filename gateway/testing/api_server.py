"""A REST API on a real port of loopback, for clients that nobody here wrote.

`visiting(app, visit)` serves while `visit(url)` runs; `run_client` runs a program against it and returns the JSON
that it printed, failing with everything else that it said; `speak` sends bytes and returns the bytes that came
back.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from fastapi import FastAPI

from gateway.api import serve_http

__all__ = ["run_client", "run_program", "speak", "visiting"]

T = TypeVar("T")
PATIENCE_S = 60.0


def visiting(app: FastAPI, visit: Callable[[str], Awaitable[T]]) -> T:
    """Serve on a free port while a coroutine visits; return what it returns."""

    async def main() -> T:
        where: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        server = asyncio.ensure_future(
            serve_http(
                app,
                "127.0.0.1",
                0,
                on_listening=lambda host, port: where.set_result(f"http://{host}:{port}"),
            )
        )
        try:
            return await visit(await where)
        finally:
            server.cancel()
            await asyncio.wait({server})

    return asyncio.run(main())


async def run_client(*command: str | Path, given: object = None, cwd: Path | None = None) -> Any:
    """Run a program that reads JSON and prints JSON; return what it printed.

    Raises:
        AssertionError: it failed; with what it said.
    """
    return json.loads(await run_program(*command, given=json.dumps(given).encode(), cwd=cwd))


async def run_program(
    *command: str | Path, given: bytes = b"", cwd: Path | None = None, patience_s: float = PATIENCE_S
) -> str:
    """Run a program to its end; return what it printed.

    Raises:
        AssertionError: it failed; with what it said.
    """
    process = await asyncio.create_subprocess_exec(
        *map(str, command),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=cwd,
    )
    try:
        async with asyncio.timeout(patience_s):
            said, complained = await process.communicate(given)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, complained.decode() + said.decode()
    return said.decode()


async def speak(url: str, request: bytes) -> tuple[int, bytes]:
    """Send the bytes of one HTTP/1.1 request that closes its connection; return the answer's status and body."""
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    try:
        writer.write(request)
        await writer.drain()
        async with asyncio.timeout(PATIENCE_S):
            answer = await reader.read()
    finally:
        writer.close()
        await writer.wait_closed()
    head, _, body = answer.partition(b"\r\n\r\n")
    return int(head.split(b" ", 2)[1]), body
