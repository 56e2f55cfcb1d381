"""Does a second media worker cost the first one anything?  CPU of each a packet, as one switch and as two, in turn.

    together    one supervisor with two workers, each pinned to a core
    apart       two supervisors with one worker each, pinned and loaded in the same way: they share nothing of ours
    alone       one worker, and so half of the calls

Workers carry calls of two relayed legs; the load runs on both cores in any case.  A worker's figure is its CPU time
over the packets that it received; the kinds of round alternate, and medians are compared.  What two workers cost is
`together` beside `apart`.  `alone` is shown as well: what it is cheaper than `apart` is the machine's own, whose cores
share caches, clock and perhaps pipelines.

    python -m benchmarks workers --calls 300 --seconds 10 --rounds 5 [--json]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import tempfile
import threading
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Final

from gateway.ids import LegId, RoomId
from gateway.lab.bench.load import LoadReport, Phones
from gateway.lab.bench.machine import machine
from gateway.lab.bench.servers import cpu_seconds
from gateway.media.commands import RowState
from gateway.testing.media_workers import MediaWorkers, media_workers
from gateway.testing.ports import FIRST_PORT
from gateway.transport.media_loads import CLEARLY

__all__ = ["main"]

CODECS: Final = ("pcmu", "pcma")
PAYLOAD_TYPES: Final = {"pcmu": 0, "pcma": 8}
WITHIN: Final = 0.05
"""How much more a packet may cost with two workers."""
_KINDS: Final = {"together": (2,), "apart": (1, 1), "alone": (1,)}
"""The workers of each supervisor."""
_SETTLE_S: Final = 1.0
_REPORT_S: Final = 1.2
_SPARE_PAIRS: Final = 8


def _row(leg: LegId, codec: str, remote: tuple[str, int], room: RoomId) -> RowState:
    return RowState(
        leg=leg,
        generation=1,
        remote=remote,
        remote_rtcp=None,
        send_codec=codec,
        send_pt=PAYLOAD_TYPES[codec],
        ptime_ms=20,
        receive={PAYLOAD_TYPES[codec]: codec},
        event_send_pt=None,
        event_receive_pt=None,
        sending=True,
        receiving=True,
        room=room,
    )


def _load(
    cores: Sequence[int], phones: Sequence[Phones], targets: Sequence[Any], seconds: float
) -> list[Any]:
    """Let each group of phones talk from a core of its own; return what they heard."""
    reports: list[LoadReport | None] = [None] * len(phones)

    def talk(group: int) -> None:
        os.sched_setaffinity(0, {cores[group % len(cores)]})  # of this thread
        reports[group] = phones[group].run(targets[group], CODECS, seconds=seconds, settle_s=_SETTLE_S)

    threads = [threading.Thread(target=talk, args=(group,)) for group in range(len(phones))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return reports


async def _round(kind: str, *, calls: int, seconds: float) -> dict[str, Any]:
    """Carry so many calls a worker for a while; return what a packet cost each."""
    cores = sorted(os.sched_getaffinity(0))
    async with AsyncExitStack() as closing:
        houses = [await _house(closing, at, n, calls) for at, n in enumerate(_KINDS[kind])]
        pids = [pid for house in houses for name, pid in house.pids.items() if name.startswith("media")]
        for pid, core in zip(pids, cores, strict=False):
            os.sched_setaffinity(pid, {core})
        phones = [Phones(calls * len(pids)) for _ in range(2)]
        for group in phones:
            closing.callback(group.close)
        targets = [await _bridge(houses, group, number) for number, group in enumerate(phones)]
        await asyncio.sleep(_REPORT_S)
        before = _spent(pids, houses)
        reports = await asyncio.to_thread(_load, cores[::-1], phones, targets, seconds)
        await asyncio.sleep(_REPORT_S)
        after = _spent(pids, houses)
    costs = [
        round(1e6 * (late[0] - early[0]) / max(1, late[1] - early[1]), 3)
        for early, late in zip(before, after, strict=True)
    ]
    return {"kind": kind, "us_per_packet": costs, "verdicts": [report.verdict for report in reports]}


async def _house(closing: AsyncExitStack, at: int, workers: int, calls: int) -> MediaWorkers:
    """Open a supervisor with so many workers, and ports for their calls that no other one has."""
    ports = 2 * (2 * calls * workers + _SPARE_PAIRS)
    first = FIRST_PORT + at * ports
    directory = closing.enter_context(tempfile.TemporaryDirectory(prefix="t"))
    return await closing.enter_async_context(
        media_workers(Path(directory), workers=workers, clearly=CLEARLY, ports=range(first, first + ports, 2))
    )


async def _bridge(houses: Sequence[MediaWorkers], phones: Phones, number: int) -> list[tuple[str, int]]:
    """Make calls of pairs of phones, of each supervisor in turn; return where each phone must send."""
    targets = []
    for index, port in enumerate(phones.ports):
        client = houses[index // 2 % len(houses)].client
        leg = LegId(f"leg {number}.{index}")
        targets.append(await client.open(leg))
        room = RoomId(f"call {number}.{index // 2}")
        client.set(_row(leg, CODECS[index % 2], ("127.0.0.1", port), room))
    return targets


def _spent(pids: Sequence[int], houses: Sequence[MediaWorkers]) -> list[tuple[float, int]]:
    """Return CPU seconds and packets received of each worker so far."""
    figures = [house.client.figures[number] for house in houses for number in sorted(house.client.figures)]
    return [
        (cpu_seconds(pid), int(each["counters"]["received"])) for pid, each in zip(pids, figures, strict=True)
    ]


def measure(*, calls: int, seconds: float, rounds: int) -> dict[str, Any]:
    """Let the kinds of round take turns; return the document."""
    found = [
        asyncio.run(_round(kind, calls=calls, seconds=seconds)) for _ in range(rounds) for kind in _KINDS
    ]
    costs = {
        kind: statistics.median(
            cost for each in found if each["kind"] == kind for cost in each["us_per_packet"]
        )
        for kind in _KINDS
    }
    ratio = round(costs["together"] / costs["apart"], 3)
    return {
        "bench": "workers",
        "machine": machine(),
        "calls_per_worker": calls,
        "us_per_packet": costs,
        "ratio": ratio,
        "within": ratio <= 1 + WITHIN,
        "rounds": found,
    }


def main(arguments: Sequence[str]) -> None:
    """Run it and print what came of it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks workers", description=__doc__)
    parser.add_argument("--calls", type=int, default=300, help="of two legs, for each worker")
    parser.add_argument("--seconds", type=float, default=10.0, help="of a round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    told = parser.parse_args(arguments)
    document = measure(calls=told.calls, seconds=told.seconds, rounds=told.rounds)
    if told.json:
        print(json.dumps(document))
        return
    for each in document["rounds"]:
        print(f"{each['kind']:10}{each['us_per_packet']} us a packet  {'; '.join(each['verdicts'])}")
    print(f"two workers of one switch cost {document['ratio']:.3f} times as much a packet as those of two")
