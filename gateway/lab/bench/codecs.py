"""What does a codec cost, and how many channels does one core carry?

The unit of work is a bank call as the media tick makes it: the next frame of each row, into arrays that exist.
Rows say different parts of the same speech.  Figures are microseconds of CPU time for 20 ms of one row, so
that codecs of any frame are comparable; each is the median of several rounds.  To conceal is to decode with
every tenth frame lost, as by the codec itself or, for G.711, by Appendix I.

The twins are measured with few rows: they code one row after the other, a batch is no cheaper.  Where bcg729 is
installed it runs in between, one row like ours (`gateway.lab.bench.codec_peers`).
"""

from __future__ import annotations

import platform
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gateway.lab.bench.codec_peers import PEERS
from gateway.lab.samples import speech
from voicecodecs import CODECS, Codec, CodecError, Decoder, Encoder, Implementation

__all__ = ["BATCHES", "Case", "Figure", "as_document", "cases", "cpu_model", "measure"]

BATCHES: Final[Mapping[str, Sequence[int]]] = {"native": (1, 4, 16, 64, 256, 1024), "reference": (1, 4)}
"""Implementation -> numbers of rows that are measured."""

_ROUNDS: Final = 7
_CYCLE: Final = 10
"""Frames of each row that are coded over and over; of these one is lost where there is concealing."""
_CHOICES: Final[Mapping[str, Sequence[bool | int]]] = {"annexb": (False, True), "mode_ms": (20, 30)}
"""Options that make another codec of a codec -> their values."""

Options = Mapping[str, bool | int]
Work = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Figure:
    """The cost of one piece of work."""

    codec: str
    """Its name, and the options that matter."""
    work: str
    """encode, decode, or conceal."""
    implementation: str
    """native, reference, or the name of a peer."""
    rows: int
    us_p50: float
    """Microseconds for 20 ms of one row."""
    us_best: float
    ns_per_sample_p50: float

    @property
    def channels_per_core(self) -> int:
        """Return how many channels keep one core busy with this work alone."""
        return int(20_000 / self.us_p50)


@dataclass(frozen=True, slots=True)
class Case:
    """One codec with its options, to be measured in one implementation with so many rows."""

    codec: str
    options: Options
    implementation: Implementation
    rows: int

    @property
    def label(self) -> str:
        """Name the codec and the options that matter."""
        return " ".join([self.codec, *(f"{name}={value}" for name, value in self.options.items())])


def cases(implementations: Sequence[Implementation] = ("native", "reference")) -> list[Case]:
    """List all that can be measured: every codec there is, in each of these implementations that has it."""
    return [
        Case(codec.name, options, implementation, rows)
        for codec in CODECS.values()
        for options in _variants(codec)
        for implementation in implementations
        if _has(codec.name, implementation)
        for rows in BATCHES[implementation]
    ]


def measure(case: Case, seconds: float) -> Iterator[Figure]:
    """Yield the figures of one case, about `seconds` each; with one native row those of a peer too."""
    facts, works = _works(case)
    for name, work in works.items():
        yield _figure(case.label, name, case.implementation, case.rows, facts, _rounds(work, seconds))
    if case.rows > 1 or case.implementation != "native":
        return
    for peer in PEERS:
        for name, peer_work in peer.works(case.codec, case.options, _frames(facts, 1)[:, 0]).items():
            spent = [ns - peer.ns_of_calls(name, _CYCLE) for ns in _rounds(peer_work, seconds)]
            yield _figure(case.label, name, peer.name, 1, facts, spent)


def as_document(figures: Sequence[Figure], machine: Mapping[str, Any]) -> dict[str, Any]:
    """Return the figures as one JSON document."""
    listed = [asdict(figure) | {"channels_per_core": figure.channels_per_core} for figure in figures]
    return {
        "benchmark": "codecs",
        "machine": dict(machine),
        "unit": "us for 20 ms of a row",
        "figures": listed,
    }


def cpu_model() -> str:
    """Name the processor: a figure means nothing without it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "unknown")


def _variants(codec: Codec) -> list[Options]:
    chosen = [name for name in _CHOICES if name in codec.encoder_options]
    return [
        dict(zip(chosen, values, strict=True)) for values in product(*(_CHOICES[name] for name in chosen))
    ]


def _has(name: str, implementation: Implementation) -> bool:
    try:
        Encoder(name, implementation=implementation)
    except CodecError:
        return False
    return True


def _works(case: Case) -> tuple[Codec, dict[str, Work]]:
    """Return the codec's facts, and what to do for `_CYCLE` frames of each row."""
    encoder = Encoder(case.codec, case.rows, implementation=case.implementation, **case.options)
    facts = encoder.codec
    frames = _frames(facts, case.rows)
    # The C kernel makes the payloads, whoever is measured: the bits are the same, and the twins slow.
    coder = Encoder(case.codec, case.rows, implementation="native", **case.options)
    every_row = np.arange(case.rows)
    coded = [coder.encode(every_row, pcm) for pcm in frames]
    room, heard = coder.encode(every_row, frames[0]), np.zeros_like(frames[0])

    def encode() -> None:
        for pcm in frames:
            encoder.encode(every_row, pcm, out=room)

    def decoding(decoder: Decoder, coded: Sequence[tuple[npt.NDArray[Any], npt.NDArray[Any]]]) -> Work:
        def decode() -> None:
            for payloads, lengths in coded:
                decoder.decode(every_row, payloads, lengths, out=heard)

        return decode

    return facts, {
        "encode": encode,
        "decode": decoding(_decoder(case, facts, conceal=False), coded),
        "conceal": decoding(_decoder(case, facts, conceal=True), _with_losses(coded)),
    }


def _decoder(case: Case, facts: Codec, *, conceal: bool) -> Decoder:
    options = {name: value for name, value in case.options.items() if name in facts.decoder_options}
    if conceal and "conceal" in facts.decoder_options:
        options["conceal"] = True
    return Decoder(case.codec, case.rows, implementation=case.implementation, **options)


def _frames(facts: Codec, rows: int) -> npt.NDArray[np.int16]:
    """Cut speech into int16 [_CYCLE, rows, samples]; every row begins elsewhere, with somebody speaking."""
    said = np.tile(speech(), 2)
    n = _CYCLE * facts.frame_samples
    starts = facts.rate_hz + np.arange(rows) * 7919 % (said.size // 2)
    return np.ascontiguousarray(
        np.stack([said[at : at + n].reshape(_CYCLE, -1) for at in starts.tolist()], axis=1)
    )


def _with_losses(
    coded: Sequence[tuple[npt.NDArray[np.uint8], npt.NDArray[np.int32]]],
) -> list[tuple[npt.NDArray[np.uint8], npt.NDArray[np.int32]]]:
    """Lose one frame of each row, at another time in each."""
    return [
        (payloads, np.where(np.arange(lengths.size) % _CYCLE == frame, -1, lengths).astype(np.int32))
        for frame, (payloads, lengths) in enumerate(coded)
    ]


def _rounds(work: Work, seconds: float) -> list[float]:
    """Return nanoseconds of CPU time that the work takes, a round each."""
    started = time.process_time_ns()
    work()
    once = max(time.process_time_ns() - started, 1000)
    times = max(int(seconds * 1e9 / _ROUNDS / once), 1)
    rounds = []
    for _ in range(_ROUNDS):
        started = time.process_time_ns()
        for _ in range(times):
            work()
        rounds.append((time.process_time_ns() - started) / times)
    return rounds


def _figure(
    label: str, work: str, implementation: str, rows: int, facts: Codec, rounds: Sequence[float]
) -> Figure:
    samples = _CYCLE * rows * facts.frame_samples
    us_per_20_ms = facts.rate_hz / 50 / samples / 1000
    median = statistics.median(rounds)
    return Figure(
        codec=label,
        work=work,
        implementation=implementation,
        rows=rows,
        us_p50=round(median * us_per_20_ms, 4),
        us_best=round(min(rounds) * us_per_20_ms, 4),
        ns_per_sample_p50=round(median / samples, 4),
    )
