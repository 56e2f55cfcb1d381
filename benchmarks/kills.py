"""What is left of promises when the switch is killed two hundred times while it is busy.

    python -m benchmarks kills [--count 200] [--seed N] [--json]

No figure of speed, but a record: how many callouts, calls and callbacks were under way, and that none of them was lost.
`gateway.testing.kills` says what is promised.  The switch runs as it would, but for a supervisor that never loses
patience; after every forty kills it begins anew, with the next seed.  Without --json what was found is written to
`results/kills.json`, batch by batch.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from gateway.lab.bench.machine import machine
from gateway.testing.kills import arming, kill_again_and_again
from gateway.testing.platform import Platform
from gateway.testing.undaunted import UNDAUNTED

__all__ = ["main", "measure"]

_BATCH: Final = 40

_RESULT: Final = Path(__file__).parent / "results" / "kills.json"


def measure(count: int, seed: int) -> Iterator[dict[str, Any]]:
    """Kill so often, and yield what is left, batch by batch."""
    while count > 0:
        found = _batch(min(count, _BATCH), seed)
        yield found
        count, seed = count - found["kills"], seed + 1


def _batch(count: int, seed: int) -> dict[str, Any]:
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="t") as short:  # the path of a socket has 100 bytes
        directory = Path(short)
        with Platform(directory, program=UNDAUNTED, environment=arming(directory)) as platform:
            left = asyncio.run(kill_again_and_again(platform, directory, kills=count, seed=seed))
    return {"seed": seed, "seconds": round(time.monotonic() - began), **asdict(left), "broken": left.broken}


def main(arguments: Sequence[str]) -> None:
    """Kill and print; the exit status is 1 if a promise was broken."""
    parser = argparse.ArgumentParser(description="Kill the switch under traffic, and read its books.")
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    options = parser.parse_args(arguments)
    batches: list[dict[str, Any]] = []
    document = {"benchmark": "kills", "machine": machine(), "batches": batches}
    for batch in measure(options.count, options.seed):
        batches.append(batch)
        if not options.json:
            print(*(f"{name}={value}" for name, value in batch.items() if value), flush=True)
            _RESULT.write_text(json.dumps(document, indent=1) + "\n")
    if options.json:
        print(json.dumps(document))
    sys.exit(1 if any(batch["broken"] for batch in batches) else 0)


if __name__ == "__main__":
    main(sys.argv[1:])
