"""What does a codec cost, and how many channels does one core carry?

Figures are microseconds of CPU time for 20 ms of one row, so that codecs of any frame are comparable; each is the
median of several rounds.  In each round everything takes its turn - every codec in every batch, the twins, and the
peers that are installed (`gateway.lab.bench.codec_peers`) - so that what disturbs one disturbs the others as well,
and their ratios hold on a machine that is never quiet.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from gateway.lab.bench.codec_peers import PEERS
from gateway.lab.bench.codec_ratios import ratios
from gateway.lab.bench.codec_work import Case, Subject, cases, spoken, subjects
from gateway.lab.bench.g711_kernels import kernel_subjects

__all__ = ["Case", "Figure", "as_document", "cases", "measure"]

_ROUNDS: Final = 7

Progress = Callable[[Sequence[int]], Iterable[int]]


@dataclass(frozen=True, slots=True)
class Figure:
    """The cost of one piece of work."""

    codec: str
    """Its name, and the options that matter."""
    work: str
    """encode, decode, or conceal."""
    implementation: str
    """native, reference, kernel, or the name of a peer."""
    rows: int
    us_p50: float
    """Microseconds for 20 ms of one row."""
    us_best: float
    ns_per_sample_p50: float

    @property
    def channels_per_core(self) -> int:
        """Return how many channels keep one core busy with this work alone."""
        return int(20_000 / self.us_p50)


def measure(chosen: Sequence[Case], seconds: float, *, progress: Progress = iter) -> list[Figure]:
    """Return the figures of these cases and of their peers, about `seconds` each.

    `progress` is given all turns, and hands them on one by one.
    """
    turns = list(_subjects(chosen))
    repeats = [_repeats(subject, seconds / _ROUNDS) for subject in turns]
    spent: list[list[float]] = [[] for _ in turns]
    for which in progress([*range(len(turns))] * _ROUNDS):
        spent[which].append(_spent(turns[which], repeats[which]))
    return [_figure(subject, ns) for subject, ns in zip(turns, spent, strict=True)]


def as_document(figures: Sequence[Figure], machine: Mapping[str, Any]) -> dict[str, Any]:
    """Return the figures, and the ratios that are asked of them, as one JSON document."""
    listed = [asdict(figure) | {"channels_per_core": figure.channels_per_core} for figure in figures]
    return {
        "benchmark": "codecs",
        "machine": dict(machine),
        "unit": "us for 20 ms of a row",
        "rounds": _ROUNDS,
        "ratios": ratios(listed),
        "figures": listed,
    }


def _subjects(chosen: Sequence[Case]) -> Iterator[Subject]:
    """Yield ours; and beside the C kernels of a codec, once, what others do."""
    for case in chosen:
        yield from subjects(case)
    for case in {case.label: case for case in chosen if case.implementation == "native"}.values():
        yield from _peers(case)
        yield from kernel_subjects(case.codec)


def _peers(case: Case) -> Iterator[Subject]:
    said = spoken(case)
    for peer in PEERS:
        for work, run in peer.works(said).items():
            overhead = peer.ns_of_calls(work, len(said.pcm))
            yield Subject(case.label, work, peer.name, 1, said.pcm.size, said.codec.rate_hz, run, overhead)


def _repeats(subject: Subject, seconds: float) -> int:
    """Return how often the work is done in so many seconds; doing it once also warms up."""
    return max(int(seconds * 1e9 / max(_spent(subject, 1), 1000)), 1)


def _spent(subject: Subject, times: int) -> float:
    """Return the nanoseconds of CPU time that the work takes, of so many times."""
    started = time.process_time_ns()
    for _ in range(times):
        subject.run()
    return (time.process_time_ns() - started) / times - subject.ns_of_calls


def _figure(subject: Subject, spent: Sequence[float]) -> Figure:
    us_per_20_ms = subject.rate_hz / 50 / subject.samples / 1000
    median = statistics.median(spent)
    return Figure(
        codec=subject.codec,
        work=subject.work,
        implementation=subject.implementation,
        rows=subject.rows,
        us_p50=round(median * us_per_20_ms, 4),
        us_best=round(min(spent) * us_per_20_ms, 4),
        ns_per_sample_p50=round(median / subject.samples, 4),
    )
