"""Does heavy codec work hold up what is only passed on?  Relayed calls are timed beside calls that are decoded.

The plane works in stages of half a millisecond and serves what has come between two of them; this measures that the
promise holds.  The load is `Phones`; a few relayed calls more are listened to, burst by burst (see `delay`).
"""

from __future__ import annotations

import threading
import time
from dataclasses import asdict
from typing import Any, Final

from gateway.lab.bench.delay import measure_delay
from gateway.lab.bench.load import LoadReport, Phones
from gateway.lab.bench.servers import MediaServer, cpu_seconds
from gateway.lab.bench.work import Bridges

__all__ = ["measure_mixed"]

_LISTENED: Final = 20
_SETTLE_S: Final = 2.0
_RELAYED: Final = ("pcmu", "pcmu")


def measure_mixed(
    server: MediaServer, codecs: tuple[str, str], *, decoded: int, relayed: int, seconds: float
) -> dict[str, Any]:
    """Carry `decoded` calls between `codecs` and `relayed` ones that are passed on; returns the document.

    `delay` in it is that of 20 of the relayed calls, in ms.
    """
    loads = [
        (Bridges(codecs), Phones(2 * decoded)),
        (Bridges(_RELAYED), Phones(2 * (relayed - _LISTENED))),
    ]
    reports: dict[str, LoadReport] = {}
    try:
        runs = []
        for work, phones in loads:
            targets = [("127.0.0.1", port) for port in work.set_up(server, phones.ports)]
            runs.append((work, phones, targets))
        talking = [
            threading.Thread(target=_run, args=(reports, work, phones, targets, seconds))
            for work, phones, targets in runs
        ]
        before, began = cpu_seconds(server.pid), time.monotonic()
        for thread in talking:
            thread.start()
        delay = measure_delay(server, _RELAYED, calls=_LISTENED, seconds=seconds, clear=False)
        for thread in talking:
            thread.join()
        used, took = cpu_seconds(server.pid) - before, time.monotonic() - began
    finally:
        server.clear()
        for _, phones in loads:
            phones.close()
    return {
        "work": f"{decoded} x {'<->'.join(codecs).upper()} beside {relayed} relayed",
        "cpu_percent": round(100 * used / took, 1),
        "delay": delay,
        "loads": {title: asdict(report) for title, report in reports.items()},
    }


def _run(
    reports: dict[str, LoadReport],
    work: Bridges,
    phones: Phones,
    targets: list[tuple[str, int]],
    seconds: float,
) -> None:
    reports[work.title] = phones.run(targets, work.codecs, seconds=seconds, settle_s=_SETTLE_S)
