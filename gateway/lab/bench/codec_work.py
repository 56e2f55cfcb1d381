"""The work of a codec that is measured: the next frame of each row, as the media tick codes it.

Rows say different parts of the same speech.  What is coded over and over is `FRAMES` together, ten of
each row or more: one row says as much as many do.  To conceal is to decode with every tenth frame lost, as by the
codec itself or, for G.711, by Appendix I.

The twins are measured with few rows and frames: they code one row after the other, a batch is no cheaper.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gateway.lab.samples import speech
from voicecodecs import CODECS, Codec, CodecError, Decoder, Encoder, Implementation

__all__ = [
    "BATCHES",
    "FRAMES",
    "LOST_EVERY",
    "Case",
    "Options",
    "Spoken",
    "Subject",
    "Work",
    "cases",
    "spoken",
    "subjects",
]

BATCHES: Final[Mapping[str, Sequence[int]]] = {"native": (1, 4, 16, 64, 256, 1024), "reference": (1, 4)}
"""Implementation -> numbers of rows that are measured."""
LOST_EVERY: Final = 10
"""Where there is concealing, one frame of so many is lost."""
FRAMES: Final[Mapping[str, int]] = {"native": 320, "reference": LOST_EVERY}
"""Implementation -> frames that all rows have together, or a little more."""

_CHOICES: Final[Mapping[str, Sequence[bool | int]]] = {"annexb": (False, True), "mode_ms": (20, 30)}
"""Options that make another codec of a codec -> their values."""

Options = Mapping[str, bool | int]
Work = Callable[[], object]
_Coded = Sequence[tuple[npt.NDArray[np.uint8], npt.NDArray[np.int32]]]


@dataclass(frozen=True, slots=True)
class Subject:
    """One piece of work by one codec in one implementation, to be timed."""

    codec: str
    """Its name, and the options that matter."""
    work: str
    """encode, decode, or conceal."""
    implementation: str
    """native, reference, kernel, or the name of a peer."""
    rows: int
    samples: int
    """Of all rows together, each time it is done."""
    rate_hz: int
    run: Work
    ns_of_calls: float = 0.0
    """What each time costs that is not the codec's own: calls into a peer's library."""


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


@dataclass(frozen=True, slots=True)
class Spoken:
    """What one row says, for a peer: the same samples and the same payloads as ours."""

    codec: Codec
    options: Options
    pcm: npt.NDArray[np.int16]
    """int16 [frames, frame_samples]."""
    payloads: Sequence[bytes]


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


def spoken(case: Case) -> Spoken:
    """Return what one row of the C kernels says."""
    coder = Encoder(case.codec, implementation="native", **case.options)
    pcm = _frames(coder.codec, 1, FRAMES["native"])
    coded = [coder.encode([0], frame) for frame in pcm]
    payloads = [payload[0, : length[0]].tobytes() for payload, length in coded]
    return Spoken(coder.codec, case.options, pcm[:, 0], payloads)


def subjects(case: Case) -> Iterator[Subject]:
    """Yield encode, decode and conceal of one case."""
    encoder = Encoder(case.codec, case.rows, implementation=case.implementation, **case.options)
    facts = encoder.codec
    frames = _frames(facts, case.rows, max(FRAMES[case.implementation] // case.rows, LOST_EVERY))
    # The C kernel makes the payloads, whoever is measured: the bits are the same, and the twins slow.
    coder = Encoder(case.codec, case.rows, implementation="native", **case.options)
    every_row = np.arange(case.rows)
    coded = [coder.encode(every_row, pcm) for pcm in frames]
    works = {
        "encode": _encoding(encoder, every_row, frames),
        "decode": _decoding(_decoder(case, facts, conceal=False), every_row, coded),
        "conceal": _decoding(_decoder(case, facts, conceal=True), every_row, _with_losses(coded)),
    }
    for name, run in works.items():
        yield Subject(case.label, name, case.implementation, case.rows, frames.size, facts.rate_hz, run)


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


def _encoding(encoder: Encoder, rows: npt.NDArray[Any], frames: npt.NDArray[np.int16]) -> Work:
    room = encoder.encode(rows, frames[0])

    def encode() -> None:
        for pcm in frames:
            encoder.encode(rows, pcm, out=room)

    return encode


def _decoding(decoder: Decoder, rows: npt.NDArray[Any], coded: _Coded) -> Work:
    heard = np.zeros((rows.size, decoder.codec.frame_samples), np.int16)

    def decode() -> None:
        for payloads, lengths in coded:
            decoder.decode(rows, payloads, lengths, out=heard)

    return decode


def _decoder(case: Case, facts: Codec, *, conceal: bool) -> Decoder:
    options = {name: value for name, value in case.options.items() if name in facts.decoder_options}
    if conceal and "conceal" in facts.decoder_options:
        options["conceal"] = True
    return Decoder(case.codec, case.rows, implementation=case.implementation, **options)


def _frames(facts: Codec, rows: int, n_frames: int) -> npt.NDArray[np.int16]:
    """Cut speech into int16 [n_frames, rows, samples]; every row begins elsewhere, with somebody speaking."""
    said = speech()
    starts = facts.rate_hz + np.arange(rows) * 7919
    at = starts[:, None] + np.arange(n_frames * facts.frame_samples)
    framed = said[at % said.size].reshape(rows, n_frames, facts.frame_samples)
    return np.ascontiguousarray(framed.swapaxes(0, 1))


def _with_losses(coded: _Coded) -> _Coded:
    """Lose one of ten frames of each row, at another time in each."""
    return [
        (
            payloads,
            np.where((np.arange(lengths.size) + frame) % LOST_EVERY == 0, -1, lengths).astype(np.int32),
        )
        for frame, (payloads, lengths) in enumerate(coded)
    ]
