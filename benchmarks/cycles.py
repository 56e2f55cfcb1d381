"""Where the cycles of a media worker go, by kind of work: a leg's microseconds each second, beside the physical limit.

A worker on its own core carries each kind of work; `perf record` (the kernel's CPU clock, 997 Hz) samples its stacks
meanwhile, and what the process used in all is divided as the samples are:

- *receive*, *send*, *wait*: inside those system calls; on loopback the send delivers to the other process, too
- *plane*, *mixer*, *srtp*, *codec*: our C, by the folder of native/ that defines the function
- *interpreter*: Python, numpy and the bindings, which a tick pays once whatever it carries

The limit is a relay in C that does nothing else (native/load/bare.h), by the same load in the same run.

    python -m benchmarks cycles [--seconds 10] [--json]
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from gateway.lab.bench.capacity import LOAD_CORE, SERVER_CORE
from gateway.lab.bench.load import Phones
from gateway.lab.bench.machine import machine
from gateway.lab.bench.servers import BareRelay, MediaServer, TandemMedia, cpu_seconds
from gateway.lab.bench.work import Bridges, Rooms, Work

__all__ = ["main"]

KINDS: Final = ("receive", "send", "wait", "plane", "mixer", "srtp", "codec", "interpreter", "rest")
_FREQUENCY_HZ: Final = 997
_SETTLE_S: Final = 1.0
_SYSCALLS: Final = {
    "receive": re.compile(r"__?(x64_)?(sys|do)_+recv"),
    "send": re.compile(r"__?(x64_)?(sys|do)_+send"),
    "wait": re.compile(r"sys_(epoll|ppoll|poll|clock_nanosleep|futex)"),
}
_FOLDERS: Final = {
    "plane": "plane",
    "io": "plane",
    "mixer": "mixer",
    "srtp": "srtp",
    "g711": "codec",
    "g729": "codec",
    "ilbc": "codec",
}
"""Of native/, and the kind of work they do."""
_DEFINITION: Final = re.compile(r"^[A-Za-z_][\w\s*]*?\b(\w+)\([^;]*$", re.MULTILINE)


_VARIANT: Final = re.compile(r"(_(sse|avx)\d+)?(\..*)?$")
"""What follows a function's name: of which instructions it is made (ours), which clone it is (GCC's)."""


@dataclass(frozen=True, slots=True)
class Case:
    """One kind of work, at about half of what a core carries."""

    work: Work
    n: int
    server: Callable[[], MediaServer]


def _cases() -> Iterator[Case]:
    def ours() -> MediaServer:
        return TandemMedia(SERVER_CORE)

    yield Case(Bridges(("pcmu", "pcmu")), 800, lambda: BareRelay(SERVER_CORE))
    yield Case(Bridges(("pcmu", "pcmu")), 800, ours)
    yield Case(Bridges(("pcmu", "pcma")), 800, ours)
    yield Case(Bridges(("pcmu", "pcma")), 400, lambda: TandemMedia(SERVER_CORE, force_tick=True))
    yield Case(Bridges(("pcmu", "g729")), 330, ours)
    yield Case(Bridges(("pcmu", "ilbc")), 250, ours)
    yield Case(Rooms("pcmu", None), 1400, ours)
    yield Case(Rooms("pcmu", 3), 1200, ours)


def functions(native: Path) -> dict[str, str]:
    """Return the kind of work of every C function that is defined under native/."""
    return {
        name: kind
        for folder, kind in _FOLDERS.items()
        for source in (native / folder).rglob("*.[ch]")
        for name in _DEFINITION.findall(source.read_text())
    }


def kind_of(stack: Sequence[tuple[str, str]], ours: Mapping[str, str]) -> str:
    """Return what a sample was about; `stack` is (symbol, binary) pairs, innermost first."""
    for symbol, _ in stack:
        for kind, pattern in _SYSCALLS.items():
            if pattern.search(symbol):
                return kind
    for symbol, binary in stack:
        if (work := ours.get(_VARIANT.sub("", symbol))) is not None:
            return work
        if "python" in binary or "numpy" in binary or "_native" in binary or "_io" in binary:
            return "interpreter"
    return "rest"


def samples(script: str) -> Iterator[list[tuple[str, str]]]:
    """Yield the stacks of `perf script -F ip,sym,dso`."""
    for block in script.split("\n\n"):
        stack = []
        for line in block.splitlines():
            fields = line.split()
            if len(fields) >= 2:
                stack.append((fields[1], fields[-1]))
        if stack:
            yield stack


def _recorded(pid: int, seconds: float, ours: Mapping[str, str]) -> Counter[str]:
    with tempfile.NamedTemporaryFile() as data:
        how = ["-F", str(_FREQUENCY_HZ), "-e", "cpu-clock", "-g", "-p", str(pid), "-o", data.name]
        _perf("record", "-q", *how, "--", "sleep", str(seconds))
        shown = _perf("script", "-i", data.name, "-F", "ip,sym,dso")
    return Counter(kind_of(stack, ours) for stack in samples(shown))


def _perf(*arguments: str) -> str:
    return subprocess.run(["perf", *arguments], check=True, capture_output=True, text=True).stdout


def measure(case: Case, seconds: float, ours: Mapping[str, str]) -> dict[str, Any]:
    """Carry one kind of work and return what a leg costs each second, in microseconds by kind."""
    legs = case.work.phones(case.n)
    phones = Phones(legs)
    with case.server() as server:
        try:
            targets = [("127.0.0.1", port) for port in case.work.set_up(server, phones.ports)]
            load = threading.Thread(
                target=phones.run,
                args=(targets, case.work.codecs),
                kwargs={"seconds": seconds + 3 * _SETTLE_S, "settle_s": _SETTLE_S},
            )
            load.start()
            time.sleep(2 * _SETTLE_S)
            used, began = cpu_seconds(server.pid), time.monotonic()
            found = _recorded(server.pid, seconds, ours)
            used, took = cpu_seconds(server.pid) - used, time.monotonic() - began
            load.join()
        finally:
            server.clear()
            phones.close()
    total = 1e6 * used / took / legs
    count = max(1, sum(found.values()))
    return {
        "work": case.work.title,
        "server": server.name,
        "path": "tick" if getattr(server, "force_tick", False) else "as decided",
        "legs": legs,
        "samples": count,
        "us": {kind: round(total * found[kind] / count, 1) for kind in KINDS} | {"total": round(total, 1)},
    }


def as_table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return the Markdown table of CONTRIBUTING.md."""
    columns = (*KINDS, "total")
    lines = [f"| a leg's second | {' | '.join(columns)} |", f"| --- |{' ---: |' * len(columns)}"]
    for row in rows:
        name = row["work"] + {"tick": ", decoded and encoded"}.get(row["path"], "")
        who = "**limit: a bare relay in C**" if row["server"] == "bare relay" else name
        figures = " | ".join(f"{row['us'][kind]:.0f}" for kind in columns)
        lines.append(f"| {who} | {figures} |")
    return "\n".join(lines)


def main(arguments: Sequence[str]) -> None:
    """Run it and print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks cycles", description=__doc__)
    parser.add_argument("--seconds", type=float, default=10.0, help="of samples for each kind of work")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    told = parser.parse_args(arguments)
    os.sched_setaffinity(0, {LOAD_CORE % (os.cpu_count() or 1)})
    ours = functions(Path(__file__).parents[1] / "native")
    rows = [measure(case, told.seconds, ours) for case in _cases()]
    if told.json:
        print(json.dumps({"bench": "cycles", "machine": machine(), "rows": rows}))
    else:
        print(as_table(rows))
