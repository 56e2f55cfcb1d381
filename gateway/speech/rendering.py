"""From a script to samples: an engine speaks the words, pauses are silence, and all of it has the common level.

Loudness is known only when there is enough to measure, and the first word shall be heard soon.  So the first seconds
are held back, measured together (`gateway.speech.level`) and let go with one gain, which the rest of the script keeps:
a machine speaks evenly.  The engines that we have make these seconds in milliseconds.  What SSML says of volume is
added after that, or a sentence that is soft from its beginning to its end would be raised again.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gateway.speech.audio import Resampler, to_int16
from gateway.speech.level import gain_to_common
from gateway.speech.port import RATE_HZ, Engine, Pause, Samples, Voice, Words
from gateway.speech.ssml import Script

__all__ = ["render"]

Floats = NDArray[np.float32]

_HELD_BACK: Final = 8 * RATE_HZ
"""Samples; with half of it, the level of some languages' long sentences is off by more than a decibel."""


async def render(engine: Engine, script: Script, voice: Voice) -> AsyncGenerator[Samples, None]:
    """Yield a script's sound at 8 kHz and the common level, int16 [n] each.  Raises EngineFailed."""
    held: list[tuple[Floats, float]] = []
    n_held, gain = 0, None
    async with aclosing(_parts(engine, script, voice)) as parts:
        async for signal, factor in parts:
            if gain is not None:
                yield to_int16(signal * np.float32(gain * factor))
                continue
            held.append((signal, factor))
            n_held += signal.size
            if n_held >= _HELD_BACK:
                gain = _gain(held)
                yield _released(held, gain)
    if gain is None and held:
        yield _released(held, _gain(held))


def _gain(held: list[tuple[Floats, float]]) -> float:
    return gain_to_common(np.concatenate([signal for signal, _ in held]), RATE_HZ)


def _released(held: list[tuple[Floats, float]], gain: float) -> Samples:
    return to_int16(np.concatenate([signal * np.float32(gain * factor) for signal, factor in held]))


async def _parts(engine: Engine, script: Script, voice: Voice) -> AsyncGenerator[tuple[Floats, float], None]:
    """Yield float32 [n] at 8 kHz as the engine speaks it, and the factor that SSML asks for."""
    for piece in script.pieces:
        if isinstance(piece, Pause):
            yield np.zeros(round(piece.seconds * RATE_HZ), np.float32), 1.0
            continue
        async with aclosing(_spoken(engine, piece, voice)) as spoken:
            async for signal in spoken:
                yield signal, 10 ** (piece.gain_db / 20)


async def _spoken(engine: Engine, words: Words, voice: Voice) -> AsyncGenerator[Floats, None]:
    resampler: Resampler | None = None
    async with aclosing(engine.speak(words, voice)) as chunks:
        async for chunk in chunks:
            resampler = resampler or Resampler(chunk.rate_hz)
            yield resampler.push(chunk.pcm.astype(np.float32) / np.float32(32768))
    if resampler is not None:
        yield resampler.flush()
