"""Calls that an application steers: each asks ICE and ACE of a callback server and leaves a DiCE.

    python -m benchmarks callbacks [--rate 50] [--seconds 60] [--ramp] [--json]

SIPp calls a number outside with a password, the application's server says `connectPstn`, SIPp answers behind the
trunk, the server is asked again, and the caller hangs up.  The switch has one core with all its processes, its store
(SQLite, synced) among them; the load and the callback server have the other.

Setting up is timed by the caller, from its INVITE to the callee's 180: that is the way to the callee's INVITE, ICE
included, and the way back, so it is more than what is promised (`SETUP_MS`).  Who is refused with 503, because the
switch is slow just now, has not been served: then not all is well either.  With `--ramp` the highest rate is looked for
at which no call fails.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any, Final

from gateway.lab.bench.capacity import LOAD_CORE, SERVER_CORE, search
from gateway.lab.bench.machine import machine
from gateway.lab.bench.servers.port import pinned_to
from gateway.lab.bench.signalling_load import offer
from gateway.lab.bench.signalling_servers import TandemSwitch, free_port
from gateway.testing.callback_server import CallbackServer, Received, answer

__all__ = ["main", "measure"]

SETUP_MS: Final = 60.0
"""For 99 of 100 calls."""
EVENTS: Final = ("ice", "ace", "dice")
_KEY: Final = "5F5C418A-0F91-4BBC-8234-A9BF5EDDAD97"
_SECRET: Final = "JViE5vDor0Sw3WllZka15Q=="
_CONNECT: Final = answer(b'{"action":{"name":"connectPstn"}}')
_FIRST: Final = 20
_RAMP_S: Final = 10.0
_WARM_S: Final = 2.0
_SLACK_S: Final = 1.5
_TOLD_WITHIN_S: Final = 10.0
_LOOK_S: Final = 0.1


def measure(rate_per_s: int, seconds: float) -> dict[str, Any]:
    """Offer calls at a rate for a while; return what came of them."""
    callee_port = free_port()
    with (
        _application() as port,
        TandemSwitch(SERVER_CORE, callee_port, settings=_settings(port)) as switch,
    ):
        offer(switch.port, callee_port, rate_per_s=rate_per_s, seconds=_WARM_S, core=LOAD_CORE)
        _told(port, at_least=round(rate_per_s * _WARM_S))
        before, heard = switch.cpu_s(), _heard(port)
        calls = offer(switch.port, callee_port, rate_per_s=rate_per_s, seconds=seconds, core=LOAD_CORE)
        used = {name: 1000 * (cpu_s - before[name]) / calls.offered for name, cpu_s in switch.cpu_s().items()}
        told = _told(port, at_least=heard["dice"] + calls.offered) - heard
    all_well = (
        calls.completed == calls.offered
        and calls.failed == 0
        and calls.setup_ms_p99 < SETUP_MS
        and calls.seconds <= 1.05 * seconds + _SLACK_S
        and all(told[event] == calls.offered for event in EVENTS)
    )
    return {
        "rate_per_s": rate_per_s,
        "all_well": all_well,
        **asdict(calls),
        "refused": calls.offered - calls.completed - calls.failed,
        "told": {event: told[event] for event in EVENTS},
        "cpu_ms_per_call": {name: round(ms, 3) for name, ms in used.items()},
    }


def _settings(port: int) -> str:
    url = f"http://127.0.0.1:{port}/"
    return f'[[applications]]\nkey = "{_KEY}"\nsecret = "{_SECRET}"\ncallback = "{url}"\n'


@contextlib.contextmanager
def _application() -> Iterator[int]:
    """Run a callback server in a process of its own; gives its port."""
    argv = [sys.executable, "-m", "benchmarks.callbacks", "--serve"]
    prefer = pinned_to(LOAD_CORE % (os.cpu_count() or 1))
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True, preexec_fn=prefer) as process:
        assert process.stdout is not None  # asked for above
        try:
            yield int(process.stdout.readline())
        finally:
            process.terminate()


async def _serve() -> None:
    """Answer callbacks until killed; the port is printed, and who asks by GET is told what came."""
    heard: Counter[str] = Counter()

    async def behave(request: Received, out: asyncio.StreamWriter) -> None:
        server.received.clear()  # they are counted, and not looked at
        if request.method == "GET":
            await answer(json.dumps(heard).encode())(request, out)
            return
        event = json.loads(request.body)["event"]
        heard[event] += 1
        await (_CONNECT if event == "ice" else answer())(request, out)

    async with CallbackServer(behave) as server:
        print(server.port, flush=True)
        await asyncio.Event().wait()


def _heard(port: int) -> Counter[str]:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=_TOLD_WITHIN_S) as response:
        return Counter(json.loads(response.read()))


def _told(port: int, *, at_least: int) -> Counter[str]:
    """Return how often each event came, once so many calls have told their end or a while is over."""
    deadline = time.monotonic() + _TOLD_WITHIN_S
    while (heard := _heard(port))["dice"] < at_least and time.monotonic() < deadline:
        time.sleep(_LOOK_S)
    return heard


def _ramp() -> list[dict[str, Any]]:
    """Look for the highest rate that goes well; return every step."""
    steps: list[dict[str, Any]] = []

    def carries(rate_per_s: int) -> bool:
        steps.append(measure(rate_per_s, _RAMP_S))
        return bool(steps[-1]["all_well"])

    for _ in search(carries, _FIRST):
        pass  # the steps are in the list
    return steps


def main(arguments: Sequence[str]) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="Whole calls with ICE, ACE and DiCE.")
    parser.add_argument("--rate", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--ramp", action="store_true", help="look for the highest rate")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.serve:
        asyncio.run(_serve())
        return
    steps = _ramp() if options.ramp else [measure(options.rate, options.seconds)]
    best = max((step["rate_per_s"] for step in steps if step["all_well"]), default=0)
    if options.json:
        print(json.dumps({"benchmark": "callbacks", "machine": machine(), "best": best, "steps": steps}))
        return
    for step in steps:
        print(*(f"{name}={value}" for name, value in step.items()))
    print(f"all well up to {best} calls/s")


if __name__ == "__main__":
    main(sys.argv[1:])
