"""What a codec costs: nanoseconds a sample, one row and batches of rows, the C kernels and their twins.

The unit of work is a bank call as the media tick makes it: one frame for each row, into arrays that exist.
Times are CPU time of this process; each figure is the median and the best of several rounds.

    python -m benchmarks.codecs [--json] [--seconds S] [--implementation native|reference]
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from voicecodecs import CODECS, Decoder, Encoder, Implementation

_BATCHES = (1, 4, 16, 64, 256, 1024)
_ROUNDS = 9


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured unit of work."""

    codec: str
    direction: str
    implementation: str
    rows: int
    ns_per_sample_p50: float
    ns_per_sample_best: float
    us_per_call_p50: float


def measure(seconds: float, implementations: list[Implementation]) -> Iterator[Figure]:
    """Measure every codec in both directions; `seconds` is the time of one figure."""
    for implementation in implementations:
        for name in sorted(CODECS):
            for rows in _BATCHES:
                for direction, call in _calls(name, rows, implementation).items():
                    rounds = sorted(_rounds(call, seconds))
                    per_sample = CODECS[name].frame_samples * rows
                    median = statistics.median(rounds)
                    yield Figure(
                        name,
                        direction,
                        implementation,
                        rows,
                        round(median / per_sample, 4),
                        round(rounds[0] / per_sample, 4),
                        round(median / 1000, 3),
                    )


def _calls(name: str, rows: int, implementation: Implementation) -> dict[str, Callable[[], object]]:
    facts = CODECS[name]
    noise = np.random.default_rng(1).normal(0, 3000, (rows, facts.frame_samples))
    pcm = noise.clip(-32768, 32767).astype(np.int16)
    every_row = np.arange(rows)
    encoder = Encoder(name, rows, implementation=implementation)
    decoder = Decoder(name, rows, implementation=implementation)
    coded = encoder.encode(every_row, pcm)
    heard = np.zeros_like(pcm)
    return {
        "encode": lambda: encoder.encode(every_row, pcm, out=coded),
        "decode": lambda: decoder.decode(every_row, *coded, out=heard),
    }


def _rounds(call: Callable[[], object], seconds: float) -> Iterator[float]:
    """Yield nanoseconds a call, a round at a time."""
    started = time.process_time_ns()
    call()
    once = max(time.process_time_ns() - started, 1000)
    n_calls = max(int(seconds * 1e9 / _ROUNDS / once), 1)
    for _ in range(_ROUNDS):
        started = time.process_time_ns()
        for _ in range(n_calls):
            call()
        yield (time.process_time_ns() - started) / n_calls


def cpu_model() -> str:
    """Name the processor: a figure means nothing without it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "unknown")


def main() -> None:
    parser = argparse.ArgumentParser(description="What a codec costs, in nanoseconds a sample.")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument("--seconds", type=float, default=0.2, help="time of one figure (default: 0.2)")
    parser.add_argument("--implementation", choices=["native", "reference"], help="only this one")
    arguments = parser.parse_args()
    chosen: list[Implementation] = (
        [arguments.implementation] if arguments.implementation else ["native", "reference"]
    )
    figures = list(measure(arguments.seconds, chosen))
    if arguments.json:
        machine = {"cpu": cpu_model(), "cpus": os.cpu_count(), "python": platform.python_version()}
        print(
            json.dumps({"benchmark": "codecs", "machine": machine, "figures": [asdict(f) for f in figures]})
        )
        return
    print(f"{cpu_model()}, Python {platform.python_version()}")
    for figure in figures:
        print(
            f"{figure.codec:6}{figure.direction:8}{figure.implementation:11}{figure.rows:5} rows"
            f"{figure.ns_per_sample_p50:10.3f} ns/sample (best {figure.ns_per_sample_best:.3f})"
            f"{figure.us_per_call_p50:10.2f} us/call"
        )


if __name__ == "__main__":
    main()
