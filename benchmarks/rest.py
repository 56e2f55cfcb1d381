"""What a GetCall costs: 1,000 a second from an open loop, on one core, and how long the slowest of a hundred take.

The server is the API as it is served, with signatures checked, in a process on a core of its own; behind it stands
a platform of memory, so that the figure is the API's and not the database's.  Requests begin when they are due,
whether the ones before have been answered or not: a stall is paid for by everybody who had to wait.

    python -m benchmarks rest [--rate 1000] [--seconds 20] [--json]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

import numpy as np

from gateway import signing
from gateway.api import create_app, serve_http
from gateway.clock import SystemClock
from gateway.lab.bench.machine import machine
from gateway.switch.records import Application, CallRecord, Identity, IdentityType
from gateway.testing.memory_platform import memory_platform

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

__all__ = ["main"]

HOST: Final = "127.0.0.1"
TARGET: Final = "/calling/v1/calls/id/c1"
OURS: Final = Application(key="5F5C418A-0F91-4BBC-8234-A9BF5EDDAD97", secret="JViE5vDor0Sw3WllZka15Q==")
CONNECTIONS: Final = 50
SERVER_CORE: Final = 0
LOAD_CORE: Final = 1
_WARM_S: Final = 2.0


class _Status:
    """What the health page would tell."""

    ready = True
    census: Final[dict[str, int]] = {}


async def serve() -> None:
    """Serve one call on a free port, which is printed."""
    _pin(SERVER_CORE)
    platform, _, store = memory_platform(OURS, clock=SystemClock())
    phone = Identity(IdentityType.NUMBER, "+46700000000")
    store.records["c1"] = CallRecord(
        call="c1", application=OURS.key, started_at=1.0, caller=phone, called=phone, domain="pstn"
    )

    def listening(_host: str, port: int) -> None:
        print(port, flush=True)

    await serve_http(create_app(_Status(), platform=platform), HOST, 0, on_listening=listening)


async def measure(rate: float, seconds: float) -> dict[str, float]:
    """Ask at a rate for a while; return the latencies in milliseconds and what a request cost the server."""
    async with _server() as (port, pid):
        await _load(port, rate, _WARM_S)
        before, began = _cpu_s(pid), time.perf_counter()
        took_s = np.array(await _load(port, rate, seconds))
        spent_s, lasted_s = _cpu_s(pid) - before, time.perf_counter() - began
    p50, p99, worst = np.percentile(took_s * 1000, [50, 99, 100])
    return {
        "asked_per_s": rate,
        "answered_per_s": len(took_s) / lasted_s,
        "p50_ms": float(p50),
        "p99_ms": float(p99),
        "worst_ms": float(worst),
        "cpu_us_per_request": spent_s / len(took_s) * 1e6,
    }


@asynccontextmanager
async def _server() -> AsyncIterator[tuple[int, int]]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.rest", "--serve", stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None  # asked for above
    try:
        yield int(await process.stdout.readline()), process.pid
    finally:
        process.terminate()
        await process.wait()


async def _load(port: int, rate: float, seconds: float) -> list[float]:
    """Send a request whenever one is due; return how long each took from then on, in seconds."""
    request, started = _request(), time.perf_counter() + 0.1
    due = iter([started + n / rate for n in range(int(rate * seconds))])

    async def ask() -> list[float]:
        reader, writer = await asyncio.open_connection(HOST, port)
        took = []
        for at in due:
            await asyncio.sleep(max(0.0, at - time.perf_counter()))
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200"), head
            await reader.readexactly(int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0]))
            took.append(time.perf_counter() - at)
        writer.close()
        return took

    shares = await asyncio.gather(*(ask() for _ in range(CONNECTIONS)))
    return [one for share in shares for one in share]


def _request() -> bytes:
    """Return a signed GetCall; one that is repeated is answered again, since it changes nothing."""
    stamp = signing.timestamp(time.time())
    signable = signing.Signable(method="GET", path=TARGET, content_type="application/json", timestamp=stamp)
    lines = (
        f"GET {TARGET} HTTP/1.1",
        f"Host: {HOST}",
        "Content-Type: application/json",
        f"x-timestamp: {stamp}",
        f"Authorization: {signing.authorization(OURS.key, OURS.secret, signable)}",
    )
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def _cpu_s(pid: int) -> float:
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _pin(core: int) -> None:
    if hasattr(os, "sched_setaffinity") and core in os.sched_getaffinity(0):
        os.sched_setaffinity(0, {core})


def main(arguments: Sequence[str]) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="GetCall, signed, at a steady rate.")
    parser.add_argument("--rate", type=float, default=1000.0)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.serve:
        asyncio.run(serve())
        return
    _pin(LOAD_CORE)
    figures = asyncio.run(measure(options.rate, options.seconds))
    if options.json:
        print(json.dumps({"benchmark": "rest", "machine": machine(), "figures": figures}))
        return
    for name, value in figures.items():
        print(f"{name:20}{value:12.2f}")


if __name__ == "__main__":
    main(sys.argv[1:])
