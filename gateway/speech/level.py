"""How loud speech is, and how it is brought to the level that all prompts share.

The measure is the active speech level of ITU-T P.56, method B: the power of the signal while somebody speaks, with
pauses left out.  The alternative was the loudness of EBU R128, which is made for programmes: its filter rates
what the ear makes of a full band in a living room, its blocks of 400 ms are as long as many a prompt, and at 8 kHz
much of what it weighs is not there.  Telephone levels are planned and measured by P.56, so a prompt that has
-26 dBov here is as loud as the person whom the network delivers at its nominal level.

How the measure works: the rectified signal is smoothed twice (30 ms); for each of a row of thresholds, 6 dB apart, we
count how long the envelope was above it, with 200 ms of hangover that bridge the gaps between syllables; of the levels
that follow from these times, the one that lies 15.9 dB above its own threshold is the active level.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["COMMON_DBOV", "Loudness", "gain_to_common", "loudness"]

Floats = NDArray[np.float32]

COMMON_DBOV: Final = -26.0
"""The level of every prompt: the nominal one of telephone networks, 18 dB below which crests of speech do not clip."""

_SMOOTHING_S: Final = 0.03
_HANGOVER_S: Final = 0.2
_ENVELOPE_HZ: Final = 1000
"""Of the envelope: a millisecond is nothing to a filter of thirty, and to count its values is eight times less work."""
_MARGIN_DB: Final = 15.9
_THRESHOLDS: Final = 2.0 ** np.arange(-15, 0)
"""Of the envelope, on a scale where full scale is 1."""
_BLOCK: Final = 64
_SILENCE_DBOV: Final = -70.0
_GAINS_DB: Final = (-40.0, 30.0)
"""What is softer still is noise, and stays soft."""


@dataclass(frozen=True, slots=True)
class Loudness:
    """What P.56 says of a signal."""

    active_dbov: float
    """Root mean square while somebody speaks, in dB relative to full scale; -inf for silence."""
    activity: float
    """The share of time in which somebody speaks, 0 to 1."""


def loudness(signal: Floats, rate_hz: int) -> Loudness:
    """Return the active speech level of float32 [n], full scale 1 (ITU-T P.56, method B)."""
    energy = float(np.sum(np.square(signal, dtype=np.float64)))
    if not energy:
        return Loudness(-math.inf, 0.0)
    step = max(round(rate_hz / _ENVELOPE_HZ), 1)
    counts = step * _active_counts(_envelope(signal, rate_hz, step), round(_HANGOVER_S * rate_hz / step))
    reached = counts > 0
    levels = 10 * np.log10(energy / counts[reached])
    margins = levels - 20 * np.log10(_THRESHOLDS[reached])
    active = _where_margin_is(levels, margins)
    return Loudness(active, min(energy / signal.size / 10 ** (active / 10), 1.0))


def gain_to_common(signal: Floats, rate_hz: int) -> float:
    """Return the factor that brings float32 [n] to the common level; 1 for what is as good as silence."""
    active = loudness(signal, rate_hz).active_dbov
    if active < _SILENCE_DBOV:
        return 1.0
    return float(10 ** (min(max(COMMON_DBOV - active, _GAINS_DB[0]), _GAINS_DB[1]) / 20))


def _where_margin_is(levels: NDArray[np.float64], margins: NDArray[np.float64]) -> float:
    """Return the level whose margin over its threshold is the standard's, between two thresholds by a straight line.

    Margins fall as thresholds rise.  A signal so soft that all are below has the level of its lowest threshold.
    """
    if not margins.size:
        return -math.inf
    below = np.flatnonzero(margins <= _MARGIN_DB)
    if not below.size:
        return float(levels[-1])
    after = int(below[0])
    if after == 0:
        return float(levels[0])
    share = (margins[after - 1] - _MARGIN_DB) / (margins[after - 1] - margins[after])
    return float(levels[after - 1] + share * (levels[after] - levels[after - 1]))


def _envelope(signal: Floats, rate_hz: int, step: int) -> NDArray[np.float64]:
    """Return the twice smoothed magnitude, one value for each `step` samples."""
    magnitude = (
        np.abs(np.pad(signal, (0, -signal.size % step))).reshape(-1, step).mean(axis=1, dtype=np.float64)
    )
    forget = math.exp(-step / (rate_hz * _SMOOTHING_S))
    return _smoothed(_smoothed(magnitude, forget), forget)


def _smoothed(values: NDArray[np.float64], forget: float) -> NDArray[np.float64]:
    """Return y[i] = forget * y[i-1] + (1 - forget) * x[i].

    Within blocks by one matrix, from block to block by a loop.
    """
    blocks = np.pad(values, (0, -values.size % _BLOCK)).reshape(-1, _BLOCK)
    ages = np.subtract.outer(np.arange(_BLOCK), np.arange(_BLOCK))
    within = np.where(ages >= 0, (1 - forget) * forget ** np.maximum(ages, 0), 0)
    smooth = blocks @ within.T
    carried = np.zeros(len(blocks))
    state, kept = 0.0, forget**_BLOCK
    for i, last in enumerate(smooth[:, -1].tolist()):
        carried[i] = state
        state = last + kept * state
    smooth += carried[:, None] * forget ** np.arange(1, _BLOCK + 1)
    flat: NDArray[np.float64] = smooth.reshape(-1)[: values.size]
    return flat


def _active_counts(envelope: NDArray[np.float64], hangover: int) -> NDArray[np.int64]:
    """Return for each threshold the number of values at or above it, or at most `hangover` after one that was."""
    at = np.arange(envelope.size)
    counts = np.zeros(_THRESHOLDS.size, np.int64)
    for i, threshold in enumerate(_THRESHOLDS):
        last_above = np.maximum.accumulate(np.where(envelope >= threshold, at, -hangover - 1))
        counts[i] = np.count_nonzero(at - last_above <= hangover)
    return counts
