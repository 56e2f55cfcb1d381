"""G.729's engine, the C kernel behind a bank, measured as its peers are: one frame a call, less what a call costs.

A bank checks its arguments in Python, which for a single row takes as long as half a decoder: that is what a program
in Python pays, and the figure of one native row says it.  Here is what the kernel itself needs, as bcg729's figure
is what that library itself needs.
"""

from __future__ import annotations

import time
from typing import Final

import numpy as np

from gateway.lab.bench.codec_work import LOST_EVERY, Spoken, Work
from voicecodecs import codec
from voicecodecs.engines import decoder_engine, encoder_engine
from voicecodecs.ports import DecoderEngine, EncoderEngine

__all__ = ["Engine"]

_SAMPLES: Final = 80
_BYTES: Final = 10
_TIMED: Final = 2000


class Engine:
    """Our own kernel, as a peer of the others."""

    name: Final = "engine"

    def works(self, said: Spoken) -> dict[str, Work]:
        """Return encode, decode and conceal if it is about G.729."""
        if said.codec.name != "g729":
            return {}
        return {
            "encode": _encoding(encoder_engine(said.codec, 1, "native", said.options), said),
            "decode": _decoding(decoder_engine(said.codec, 1, "native", {}), said, lost_every=0),
            "conceal": _decoding(decoder_engine(said.codec, 1, "native", {}), said, lost_every=LOST_EVERY),
        }

    def ns_of_calls(self, work: str, n: int) -> float:
        """Time calls that have no row to code."""
        run = _call_for_nobody(work)
        run()
        started = time.process_time_ns()
        for _ in range(_TIMED):
            run()
        return n * (time.process_time_ns() - started) / _TIMED


def _encoding(engine: EncoderEngine, said: Spoken) -> Work:
    row, payloads, lengths = np.zeros(1, np.intp), np.zeros((1, _BYTES), np.uint8), np.zeros(1, np.int32)
    frames = [np.ascontiguousarray(frame[None]) for frame in said.pcm]

    def encode() -> None:
        for pcm in frames:
            engine.encode(row, pcm, payloads, lengths)

    return encode


def _decoding(engine: DecoderEngine, said: Spoken, *, lost_every: int) -> Work:
    row, pcm = np.zeros(1, np.intp), np.zeros((1, _SAMPLES), np.int16)
    calls = [
        (
            np.frombuffer(payload.ljust(_BYTES, b"\0"), np.uint8)[None],
            np.array([-1 if lost_every and frame % lost_every == 0 else len(payload)], np.int32),
        )
        for frame, payload in enumerate(said.payloads)
    ]

    def decode() -> None:
        for payload, length in calls:
            engine.decode(row, payload, length, pcm)

    return decode


def _call_for_nobody(work: str) -> Work:
    nobody, pcm = np.zeros(0, np.intp), np.zeros((0, _SAMPLES), np.int16)
    payloads, lengths = np.zeros((0, _BYTES), np.uint8), np.zeros(0, np.int32)
    if work == "encode":
        encoder = encoder_engine(codec("g729"), 1, "native", {})
        return lambda: encoder.encode(nobody, pcm, payloads, lengths)
    decoder = decoder_engine(codec("g729"), 1, "native", {})
    return lambda: decoder.decode(nobody, payloads, lengths, pcm)
