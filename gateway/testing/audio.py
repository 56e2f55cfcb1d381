"""Audio for tests: signals to say, and the measures of `gateway.lab.measures` for what was heard."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from gateway.lab.measures import (
    Gap,
    align,
    correlation,
    gaps,
    level_dbov,
    snr_db,
    tone_level,
    window_correlations,
)
from gateway.lab.samples import read_wav, speech, write_wav

__all__ = [
    "Gap",
    "align",
    "correlation",
    "gaps",
    "level_dbov",
    "read_wav",
    "snr_db",
    "speech",
    "tone",
    "tone_level",
    "window_correlations",
    "write_wav",
]


def tone(
    hz: float, *, duration_ms: float, level_dbov: float = -16, rate_hz: int = 8000
) -> npt.NDArray[np.int16]:
    """Return a sine of that level: int16 [duration_ms * rate_hz / 1000], starting at phase 0."""
    amplitude = 32768 * 2**0.5 * 10 ** (level_dbov / 20)
    count = round(duration_ms * rate_hz / 1000)
    wave = amplitude * np.sin(2 * np.pi * hz / rate_hz * np.arange(count))
    pcm: npt.NDArray[np.int16] = np.clip(np.rint(wave), -32768, 32767).astype(np.int16)
    return pcm
