"""What one core carries, written down: `python -m benchmarks capacity`.

Ramps every work of the README's table beside its peer, writes `results/bridge-*.json` and `results/conference-*.json`
as `tandem bench` would, and the table from them; about fifty minutes.  With --table nothing is measured: the table is
written from the results there.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from gateway.lab.bench.capacity import SERVER_CORE, CapacityBench, Step
from gateway.lab.bench.capacity_table import with_table
from gateway.lab.bench.servers import (
    Janus,
    MediaServer,
    Rtpengine,
    TandemMedia,
    janus_installed,
    rtpengine_installed,
)
from gateway.lab.bench.work import Bridges, Rooms, Work

__all__ = ["main"]

_RESULTS: Final = Path(__file__).parent / "results"
_README: Final = Path(__file__).parents[1] / "README.md"


@dataclass(frozen=True, slots=True)
class _Case:
    """A row of the table."""

    file: str
    bench: str
    work: Work
    peer: Callable[[int], MediaServer] | None = None
    installed: Callable[[], bool] = lambda: False
    """Is the peer?"""


_CASES: Final = (
    _Case("bridge-pcmu-pcmu", "bridge", Bridges(("pcmu", "pcmu")), Rtpengine, rtpengine_installed),
    _Case("bridge-pcmu-pcma", "bridge", Bridges(("pcmu", "pcma")), Rtpengine, rtpengine_installed),
    _Case("bridge-pcmu-g729", "bridge", Bridges(("pcmu", "g729")), Rtpengine, rtpengine_installed),
    _Case("bridge-pcmu-ilbc", "bridge", Bridges(("pcmu", "ilbc"))),
    _Case("conference-one-room", "conference", Rooms("pcmu", None), Janus, janus_installed),
    _Case("conference-rooms-of-3", "conference", Rooms("pcmu", 3), Janus, janus_installed),
)


def _measured(case: _Case, *, seconds: float, rounds: int) -> dict[str, Any]:
    servers: list[Callable[[], MediaServer]] = [lambda: TandemMedia(SERVER_CORE)]
    if (peer := case.peer) is not None and case.installed():
        servers.append(lambda: peer(SERVER_CORE))

    def progress(server: str, step: Step) -> None:
        print(f"{case.file}: {server} {step.n} {step.verdict}", file=sys.stderr)

    document = CapacityBench(case.work, seconds=seconds, progress=progress).run(servers, rounds=rounds)
    return {"bench": case.bench} | document


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks capacity", description="What a core carries.")
    parser.add_argument("--seconds", type=float, default=5.0, help="how long each number is carried")
    parser.add_argument("--rounds", type=int, default=3, help="ramps of each server")
    parser.add_argument("--table", action="store_true", help="measure nothing, only write the README's table")
    chosen = parser.parse_args(arguments)
    for case in () if chosen.table else _CASES:
        document = _measured(case, seconds=chosen.seconds, rounds=chosen.rounds)
        (_RESULTS / f"{case.file}.json").write_text(json.dumps(document, indent=1))
    found = [path for case in _CASES if (path := _RESULTS / f"{case.file}.json").exists()]
    documents = [json.loads(path.read_text()) for path in found]
    _README.write_text(with_table(_README.read_text(), documents))
