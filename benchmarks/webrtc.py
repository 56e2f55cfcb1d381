"""What a browser's leg costs: CPU a packet of calls between browsers, beside plain calls and aiortc's, in turn.

A real media process and the client that stands for the switch carry calls of two legs that are relayed.  The callers
are a process of their own: plain ones, or browsers that check, shake hands and speak SRTP, and check again every
2.5 s as Chromium does.  What counts begins when all have shaken hands.  A packet's cost is the CPU time of both
processes over the packets that came in, each of which also went out.

aiortc carries fewer calls, of the same codec: RTCPeerConnections of its own call one process that passes each track
on by a MediaRelay, and its CPU time is taken over the packets that its receivers have counted.

    python -m benchmarks webrtc [--calls 100] [--aiortc-calls 10] [--seconds 10] [--rounds 5] [--json]
"""

from __future__ import annotations

import argparse
import asyncio
import importlib.util
import json
import statistics
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

from benchmarks import webrtc_aiortc
from benchmarks.webrtc_callers import Door, be_callers
from gateway.ids import LegId, RoomId
from gateway.lab.bench.machine import machine
from gateway.lab.bench.servers import cpu_seconds
from gateway.media.commands import RowState, WebRtcTerms
from gateway.testing.media_workers import MediaWorkers, media_workers
from gateway.transport.dtls import Certificate

__all__ = ["main"]

WITHIN: Final = 1.5
"""So many times as much as a plain leg may one of a browser cost."""
_RESULTS: Final = Path(__file__).parent / "results" / "webrtc.json"
_HOST: Final = "127.0.0.1"
_PASSWORD: Final = "a password of 22 chars"


def _row(leg: LegId, port: int, fingerprint: str | None, room: RoomId) -> RowState:
    browser = fingerprint is not None
    return RowState(
        leg=leg,
        generation=1,
        remote=None if browser else (_HOST, port),
        remote_rtcp=None,
        send_codec="pcmu",
        send_pt=0,
        ptime_ms=20,
        receive={0: "pcmu"},
        event_send_pt=None,
        event_receive_pt=None,
        sending=True,
        receiving=True,
        room=room,
        edge=browser,
        webrtc=WebRtcTerms(_ufrag(leg), _PASSWORD, (fingerprint,)) if fingerprint else None,
    )


def _ufrag(leg: LegId) -> str:
    return f"ufrag{leg}"


async def _round(kind: str, *, calls: int, seconds: float) -> dict[str, Any]:
    """Carry so many calls for a while; return what a packet cost."""
    certificate = Certificate.made(datetime.now(UTC)) if kind == "webrtc" else None
    ours, theirs = get_context("spawn").Pipe()
    callers = get_context("spawn").Process(target=be_callers, args=(theirs, kind, 2 * calls, seconds))
    callers.start()
    theirs.close()  # or their end would not be heard
    try:
        with tempfile.TemporaryDirectory(prefix="t") as directory:
            async with media_workers(Path(directory), workers=1, certificate=certificate) as house:
                return {"kind": kind} | await _cost(house, ours)
    finally:
        ours.close()
        callers.join(timeout=10)


async def _cost(house: MediaWorkers, callers: Connection) -> dict[str, Any]:
    doors = []
    for index, (port, fingerprint) in enumerate(await asyncio.to_thread(callers.recv)):
        leg = LegId(str(index))
        _, door = await house.client.open(leg)
        house.client.set(_row(leg, port, fingerprint, RoomId(f"call {index // 2}")))
        doors.append(Door(door, _ufrag(leg), _PASSWORD))
    callers.send(doors)
    assert await asyncio.to_thread(callers.recv) == "ready"
    before = _spent_s(house)
    callers.send("go")
    report = await asyncio.to_thread(callers.recv)
    spent = _spent_s(house) - before
    return {"us_per_packet": round(1e6 * spent / report["sent"], 3)} | report


def _spent_s(house: MediaWorkers) -> float:
    """Return the CPU seconds of media and of what stands for the switch, which is this process."""
    media = (pid for name, pid in house.pids.items() if name.startswith("media"))
    return sum(map(cpu_seconds, media)) + time.process_time()


def measure(*, calls: int, aiortc_calls: int, seconds: float, rounds: int) -> dict[str, Any]:
    """Let the kinds take turns; return the document."""
    there = importlib.util.find_spec("aiortc") is not None
    found = []
    for _ in range(rounds):
        found += [asyncio.run(_round(kind, calls=calls, seconds=seconds)) for kind in ("plain", "webrtc")]
        if there:
            found.append(webrtc_aiortc.measure(calls=aiortc_calls, seconds=seconds))
    costs = {
        kind: statistics.median(costs_of)
        for kind in ("plain", "webrtc", "aiortc")
        if (costs_of := [each["us_per_packet"] for each in found if each["kind"] == kind])
    }
    ratio = round(costs["webrtc"] / costs["plain"], 3)
    return {
        "bench": "webrtc",
        "machine": machine(),
        "calls": calls,
        "aiortc_calls": aiortc_calls if there else None,
        "us_per_packet": costs,
        "ratio": ratio,
        "aiortc_ratio": round(costs["aiortc"] / costs["webrtc"], 1) if there else None,
        "within": ratio <= WITHIN,
        "rounds": found,
    }


def main(arguments: Sequence[str]) -> None:
    """Run it, and print what came of it or, without `--json`, write it to `results/` too."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks webrtc", description=__doc__)
    parser.add_argument("--calls", type=int, default=100, help="of two legs")
    parser.add_argument("--aiortc-calls", type=int, default=10, help="of two legs, for aiortc")
    parser.add_argument("--seconds", type=float, default=10.0, help="of a round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    told = parser.parse_args(arguments)
    document = measure(
        calls=told.calls, aiortc_calls=told.aiortc_calls, seconds=told.seconds, rounds=told.rounds
    )
    if told.json:
        print(json.dumps(document))
        return
    _RESULTS.write_text(json.dumps(document, indent=1) + "\n")
    for each in document["rounds"]:
        print(f"{each['kind']:8} {each['us_per_packet']:9.3f} us a packet, of {each['sent']} packets")
    print(f"a browser's leg costs {document['ratio']:.3f} times as much as a plain one")
    if document["aiortc_ratio"] is not None:
        print(f"aiortc takes {document['aiortc_ratio']:.1f} times as much as that")
