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
    ends = list(codecs) * decoded + list(_RELAYED) * (relayed - _LISTENED)
    phones = Phones(len(ends))
    try:
        middle = 2 * decoded
        ports = Bridges(codecs).set_up(server, phones.ports[:middle])
        ports += Bridges(_RELAYED).set_up(server, phones.ports[middle:])
        reports: list[LoadReport] = []
        talk = threading.Thread(target=_talk, args=(phones, ports, ends, seconds, reports))
        before, began = cpu_seconds(server.pid), time.monotonic()
        talk.start()
        delay = measure_delay(server, _RELAYED, calls=_LISTENED, seconds=seconds, clear=False)
        talk.join()
        used, took = cpu_seconds(server.pid) - before, time.monotonic() - began
    finally:
        server.clear()
        phones.close()
    return {
        "work": f"{decoded} x {'<->'.join(codecs).upper()} beside {relayed} relayed",
        "cpu_percent": round(100 * used / took, 1),
        "delay": delay,
        "load": asdict(reports[0]),
    }


def _talk(
    phones: Phones, ports: list[int], codecs: list[str], seconds: float, reports: list[LoadReport]
) -> None:
    targets = [("127.0.0.1", port) for port in ports]
    reports.append(phones.run(targets, codecs, seconds=seconds, settle_s=_SETTLE_S))
