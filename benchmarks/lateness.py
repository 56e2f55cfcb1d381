"""How late do ticks begin, beside a bare timer loop in C on the same core in alternate minutes?

Our minute: a media worker carries calls (two legs each, decoded and encoded by default), pinned to one core, with
the load on the other; garbage collection and reports go on as always.  The other minute: nothing but
`clock_nanosleep` every 10 ms (native/io/metronome.c) on the same core at the same priority, while our worker is
idle.  Both are counted in the same buckets.  What the hypervisor took from the core meanwhile (steal, proc(5)) is
printed beside it: it explains what neither can help.

    python -m benchmarks lateness --minutes 10 --calls 400 [--relay] [--json]
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from gateway.lab.bench.capacity import LOAD_CORE, SERVER_CORE
from gateway.lab.bench.load import Phones
from gateway.lab.bench.machine import machine
from gateway.lab.bench.servers import TandemMedia
from gateway.media.tick import TICK_S
from gateway.transport import _io
from gateway.transport.media_health import BOUNDS_S, Histogram, quantile
from gateway.transport.media_process import ask_for_real_time

__all__ = ["main"]

CODECS: Final = ("pcmu", "pcma")
_SETTLE_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Minute:
    """What was counted in one minute."""

    who: str
    """`tandem` or `bare`."""
    ticks: int
    p50_ms: float
    p99_ms: float
    p999_ms: float
    over_5_ms: int
    steal_ms: float
    """Time that the hypervisor took from the core."""
    counts: tuple[int, ...]


def _judged(who: str, counts: Sequence[int], steal_s: float) -> Minute:
    p50, p99, p999 = (round(1000 * quantile(counts, share), 3) for share in (0.5, 0.99, 0.999))
    late = sum(count for bound, count in zip((*BOUNDS_S, np.inf), counts, strict=True) if bound > 0.005)
    return Minute(who, sum(counts), p50, p99, p999, late, round(1000 * steal_s, 1), tuple(counts))


def _steal_s(core: int) -> float:
    """Return the time that the hypervisor has taken from a core so far."""
    for line in Path("/proc/stat").read_text().splitlines():
        name, *columns = line.split()
        if name == f"cpu{core}":
            return int(columns[7]) / os.sysconf("SC_CLK_TCK")
    return 0.0


def _beat(seconds: float, answer: Any) -> None:
    """Be the bare loop: on the server's core, at the priority that a media process asks for."""
    os.sched_setaffinity(0, {SERVER_CORE})
    ask_for_real_time()
    late = np.zeros(int(seconds / TICK_S))
    _io.metronome(TICK_S, late)
    histogram = Histogram()
    for each in late.tolist():
        histogram.observe(each)
    answer.put(histogram.counts)


def bare_minute(seconds: float) -> Minute:
    """Run the bare loop for a while."""
    context = multiprocessing.get_context("spawn")
    answer = context.SimpleQueue()
    before = _steal_s(SERVER_CORE)
    child = context.Process(target=_beat, args=(seconds, answer))
    child.start()
    counts = answer.get()
    child.join()
    return _judged("bare", counts, _steal_s(SERVER_CORE) - before)


def our_minute(server: TandemMedia, calls: int, seconds: float) -> Minute:
    """Let the media worker carry calls for a while."""
    phones = Phones(2 * calls)
    try:
        pairs = list(zip(phones.ports[::2], phones.ports[1::2], strict=True))
        ports = [port for pair in server.bridge(CODECS, pairs) for port in pair]
        before, steal = _lateness(server), _steal_s(SERVER_CORE)
        phones.run([("127.0.0.1", port) for port in ports], CODECS, seconds=seconds, settle_s=_SETTLE_S)
        counts = [after - was for after, was in zip(_lateness(server), before, strict=True)]
        steal = _steal_s(SERVER_CORE) - steal
    finally:
        server.clear()
        phones.close()
    return _judged("tandem", counts, steal)


def _lateness(server: TandemMedia) -> list[int]:
    return list(server.health()["histograms"]["lateness"]["counts"])


def _stretches(server: TandemMedia, what: str) -> dict[str, float]:
    """Return how long ticks or their stages took, in ms: the bounds of the histogram's buckets."""
    counts = list(server.health()["histograms"][what]["counts"])
    return {f"p{100 * share:g}": round(1000 * quantile(counts, share), 3) for share in (0.5, 0.99, 0.999)}


def measure(minutes: float, *, calls: int, force_tick: bool) -> dict[str, Any]:
    """Alternate, ours first, until `minutes` of each have passed; return the document."""
    rounds = max(1, round(minutes))
    seconds = 60.0 * minutes / rounds
    found = []
    os.sched_setaffinity(0, {LOAD_CORE % (os.cpu_count() or 1)})
    with TandemMedia(SERVER_CORE, force_tick=force_tick) as server:
        for _ in range(rounds):
            found.append(our_minute(server, calls, seconds))
            found.append(bare_minute(seconds))
        stage, tick = _stretches(server, "stage"), _stretches(server, "tick")
    total = {who: _judged(who, *_summed(found, who)) for who in ("tandem", "bare")}
    return {
        "bench": "lateness",
        "machine": machine(),
        "calls": calls,
        "path": "tick" if force_tick else "relay",
        "total": {who: asdict(minute) for who, minute in total.items()},
        "p999_difference_ms": round(total["tandem"].p999_ms - total["bare"].p999_ms, 3),
        "stage_ms": stage,
        "tick_ms": tick,
        "minutes": [asdict(minute) for minute in found],
    }


def _summed(found: Sequence[Minute], who: str) -> tuple[list[int], float]:
    ours = [minute for minute in found if minute.who == who]
    counts = [sum(column) for column in zip(*(minute.counts for minute in ours), strict=True)]
    return counts, sum(minute.steal_ms for minute in ours) / 1000


def main(arguments: Sequence[str]) -> None:
    """Run it and print what came of it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks lateness", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0, help="of each of the two")
    parser.add_argument("--calls", type=int, default=400, help="of two legs: half of what a core carries")
    parser.add_argument("--relay", action="store_true", help="let packets be relayed, not decoded")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    told = parser.parse_args(arguments)
    document = measure(told.minutes, calls=told.calls, force_tick=not told.relay)
    if told.json:
        print(json.dumps(document))
        return
    for minute in (*document["minutes"], *document["total"].values()):
        late = "  ".join(f"{name} {minute[f'{name}_ms']:7.3f}" for name in ("p50", "p99", "p999"))
        print(f"{minute['who']:8}{minute['ticks']:7} ticks  {late} ms, steal {minute['steal_ms']:.0f} ms")
    for what in ("stage", "tick"):
        took = "  ".join(f"{share} {ms:.2f}" for share, ms in document[f"{what}_ms"].items())
        print(f"a {what} takes {took} ms")
    print(f"p99.9 of ours is {document['p999_difference_ms']:+.3f} ms beside the bare loop's")
