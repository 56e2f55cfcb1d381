"""Twenty thousand phones: what their registrations cost, at once, all the time, and in memory; and what a call weighs.

SIPp is all the phones.  They register at a steady rate until everybody is there, then as a herd of 2,000 within a
second, then as they do in service: each once in 300 s, 67 a second.  Memory is the slope of the switch's RSS over the
bindings, or over the calls that are up, measured once as many transactions are held as will be (32 s, RFC 3261
table 4), so that it is what one more costs and not what the program weighs.

    python -m benchmarks registrations [--users 20000] [--calls 1000] [--seconds 60] [--out FILE]
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Self

import numpy as np

from gateway.lab.bench.capacity import LOAD_CORE, SERVER_CORE
from gateway.lab.bench.machine import machine
from gateway.lab.bench.signalling_load import REFUSED, Sipp
from gateway.lab.bench.signalling_servers import CALLEE_HOST, NUMBER, PASSWORD, TandemSwitch, free_port

__all__ = ["main"]

HOST: Final = "127.0.0.1"
REFRESH_S: Final = 300.0
HERD: Final = 2_000
_FIRST_PER_S: Final = 300.0
_CALLS_PER_S: Final = 20.0
_LINGER_S: Final = 33.0
"""How long transactions are held: before that memory grows for another reason."""
_SAMPLE_S: Final = 1.0


def rss_kib(pid: int) -> int:
    """Return the memory that a process holds."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 1024


def census(server: TandemSwitch) -> dict[str, int]:
    """Return what the switch holds, by its own count."""
    with urllib.request.urlopen(f"http://{HOST}:{server.http_port}/healthz", timeout=30) as answer:
        held: dict[str, int] = json.load(answer)["census"]
    return held


class Scales:
    """Weighs the processes once a second, beside something that is counted."""

    def __init__(self, server: TandemSwitch, counted: Callable[[dict[str, int]], int]) -> None:
        self._server = server
        self._counted = counted
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._weigh, daemon=True)
        self.samples: list[tuple[float, int, dict[str, int]]] = []
        """Monotonic seconds, how many there were, KiB of each process."""

    def __enter__(self) -> Self:
        self._began = time.monotonic()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def kib_each(self) -> dict[str, float]:
        """Return the slope of each process once transactions have settled; nothing from too few samples."""
        settled = [each for each in self.samples if each[0] >= self._began + _LINGER_S]
        if len({n for _, n, _ in settled}) < 3:
            return {}
        counts = [n for _, n, _ in settled]
        return {
            name: round(statistics.linear_regression(counts, [kib[name] for _, _, kib in settled]).slope, 2)
            for name in self._server.pids
        }

    def _weigh(self) -> None:
        while not self._over.wait(_SAMPLE_S):
            n = self._counted(census(self._server))
            kib = {name: rss_kib(pid) for name, pid in self._server.pids.items()}
            self.samples.append((time.monotonic(), n, kib))


@contextmanager
def phones(names: Sequence[str]) -> Iterator[Path]:
    """Give the file from which SIPp reads who they are."""
    lines = [f"{name};[authentication username={name} password={PASSWORD}]" for name in names]
    with tempfile.NamedTemporaryFile("w", suffix=".csv") as file:
        file.write("\n".join(["SEQUENTIAL", *lines]) + "\n")
        file.flush()
        yield Path(file.name)


def register(
    server: TandemSwitch, names: Path, port: int, *, rate_per_s: float, n: int
) -> dict[str, float | int]:
    """Have so many phones register at a rate; return what came of it."""
    before, began = server.cpu_s(), time.monotonic()
    pace = ("-r", f"{rate_per_s:g}", "-m", str(n), "-inf", str(names))
    with Sipp("register", (f"{HOST}:{server.port}", *pace), host=HOST, port=port, core=LOAD_CORE) as sipp:
        sipp.wait(n / rate_per_s + 90.0)
        took_s = time.monotonic() - began
        times = [took for _, took in sipp.times_ms()] or [float("nan")]
        used_s = server.cpu_s()["switch"] - before["switch"]
        return {
            "registrations": n,
            "rate_per_s": round(rate_per_s, 1),
            "failed": sipp.counted("FailedCall"),
            "refused": sipp.counted(REFUSED),
            "p50_ms": round(float(np.percentile(times, 50)), 1),
            "p99_ms": round(float(np.percentile(times, 99)), 1),
            "max_ms": round(max(times), 1),
            "switch_cpu_percent": round(100 * used_s / took_s, 1),
            "switch_cpu_ms_each": round(1000 * used_s / n, 3),
        }


def measure_registrations(n_users: int, seconds: float) -> dict[str, Any]:
    """Register everybody, then a herd, then keep them registered."""
    names = [f"u{number:05}" for number in range(n_users)]
    users = "".join(f'[[users]]\nname = "{name}"\npassword = "{PASSWORD}"\n' for name in names)
    port = free_port()
    with TandemSwitch(SERVER_CORE, free_port(), settings=users) as server, phones(names) as file:
        idle_kib = rss_kib(server.pids["switch"])
        with Scales(server, lambda held: held["bindings"]) as scales:
            first = register(server, file, port, rate_per_s=_FIRST_PER_S, n=n_users)
        herd = register(server, file, port, rate_per_s=float(HERD), n=min(HERD, n_users))
        rate_per_s = n_users / REFRESH_S
        refresh = register(server, file, port, rate_per_s=rate_per_s, n=max(1, round(rate_per_s * seconds)))
        return {
            "users": n_users,
            "bindings": census(server)["bindings"],
            "first": first,
            "herd": herd,
            "refresh": refresh,
            "kib_per_registration": scales.kib_each().get("switch"),
            "switch_rss_kib_before": idle_kib,
            "switch_rss_kib_after": rss_kib(server.pids["switch"]),
        }


def measure_calls(n_calls: int) -> dict[str, Any]:
    """Set calls up, one after the other, and weigh what each adds."""
    callee_port = free_port()
    target = ("-s", NUMBER, "-au", "alice", "-ap", PASSWORD)
    pace = ("-r", f"{_CALLS_PER_S:g}", "-m", str(n_calls), "-d", "600000")
    with (
        TandemSwitch(SERVER_CORE, callee_port) as server,
        Sipp("callee", (), host=CALLEE_HOST, port=callee_port, core=LOAD_CORE),
        Scales(server, lambda held: held["calls"]) as scales,
        Sipp(
            "caller", (f"{HOST}:{server.port}", *target, *pace), host=HOST, port=free_port(), core=LOAD_CORE
        ),
    ):
        time.sleep(n_calls / _CALLS_PER_S + 2.0)
        up = census(server)["calls"]
        before, began = server.cpu_s(), time.monotonic()
        time.sleep(3.0)
        idle = {name: cpu_s - before[name] for name, cpu_s in server.cpu_s().items()}
        took_s = time.monotonic() - began
        return {
            "calls": n_calls,
            "up": up,
            "kib_per_call": scales.kib_each(),
            "cpu_percent_while_nobody_speaks": {n: round(100 * s / took_s, 1) for n, s in idle.items()},
        }


def main(arguments: Sequence[str]) -> None:
    """Measure and print, or write to a file."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks registrations", description=__doc__)
    parser.add_argument("--users", type=int, default=20_000)
    parser.add_argument("--calls", type=int, default=1_000, help="0 = do not weigh calls")
    parser.add_argument("--seconds", type=float, default=60.0, help="how long they refresh")
    parser.add_argument("--out", type=Path, help="write the JSON document there, too")
    told = parser.parse_args(arguments)
    document = {"bench": "registrations", "machine": machine()}
    document |= {"registrations": measure_registrations(told.users, told.seconds)}
    if told.calls:
        document |= {"calls": measure_calls(told.calls)}
    if told.out is not None:
        told.out.write_text(json.dumps(document, indent=1) + "\n")
    print(json.dumps(document, indent=1))
