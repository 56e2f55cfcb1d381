"""RFC 3951 section 3.6.4: three vectors and their gains for a block.

For each of three stages the vector with the greatest correlation^2 / energy is taken and, times its quantised
gain, taken off the target.  First all vectors of the plain half of the codebook are tried, then those of the
filtered half that lie around the winner.  Memory and target are perceptually weighted.

Within this module a half lists its augmented vectors first and then the plain ones, newest first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from voicecodecs.reference.ilbc.arithmetic import bits_of, int16, int32, norm_of, saturate32, shift_by
from voicecodecs.reference.ilbc.codebook import AUGMENTED, SEAM, augmented, filtered
from voicecodecs.reference.ilbc.frame import ORDER, STAGES, SUBBLOCK
from voicecodecs.reference.ilbc.gain import gain_index, gain_q14, gain_raised
from voicecodecs.reference.ilbc.vectors import dot, greatest, peak, synthesise

__all__ = ["search"]

_WEIGHTED: Final = (63, 85, 125, 147, 147)
"""How much of the memory is weighted, by block."""
_TRIED: Final = ((58, 58, 58), (108, 44, 44), (108, 108, 108), (108, 108, 108), (108, 108, 108))
"""How many plain vectors each stage tries, by block."""
_WINDOW: Final = 34
"""Of the filtered half."""
_GREATEST_GAIN_Q14: Final = 21299


@dataclass(slots=True)
class _Half:
    """One half of the codebook."""

    vectors: list[list[int]]
    inverse_q29: list[int] = field(default_factory=list)
    """1 / energy, as mantissa ..."""
    energy_up: list[int] = field(default_factory=list)
    """... and the shift that normalised it."""


@dataclass(frozen=True, slots=True)
class _Choice:
    """The best vector so far; its score is a mantissa and an exponent."""

    criterion: int = 0
    exponent: int = -100
    half: int = 0
    entry: int = 0
    gain_q14: int = 0


def search(
    memory: Sequence[int], target: Sequence[int], weighting_q12: Sequence[int], block_number: int
) -> tuple[list[int], list[int]]:
    """Choose the three vectors and the three gains of a block, as they are sent."""
    n, n_weighted = len(target), _WEIGHTED[block_number]
    tail = synthesise(memory[-n_weighted:], weighting_q12, [0] * ORDER)
    left = synthesise(target, weighting_q12, tail[-ORDER:])
    silent = [0] * (len(memory) - n_weighted)
    shift = _shift_for(tail, left)
    halves = [
        _measured([*silent, *tail], n, _TRIED[block_number][0], shift),
        _measured([*silent, *filtered([*silent, *tail])[-n_weighted:]], n, _TRIED[block_number][0], shift),
    ]
    n_augmented = AUGMENTED if n == SUBBLOCK else 0
    whole, target_energy, limit_q14 = left, dot(left, left, shift), 16384
    vector, gain, gains_q14 = [], [], []
    for stage in range(STAGES):
        best = _best_of_stage(halves, left, stage, n_augmented + _TRIED[block_number][stage], shift)
        gain.append(gain_index(best.gain_q14, limit_q14, stage))
        limit_q14 = gain_q14(gain[stage], limit_q14, stage)
        gains_q14.append(limit_q14)
        vector.append(_number_of(best, len(memory) - n + 1, n_augmented))
        left = _taken_off(left, halves[best.half].vectors[best.entry], limit_q14)
    coded = [int16(a - b) for a, b in zip(whole, left, strict=True)]
    gain[0] = gain_raised(gain[0], gains_q14[0], dot(coded, coded, shift), target_energy)
    return vector, gain


def _shift_for(tail: Sequence[int], target: Sequence[int]) -> int:
    peaks = peak(tail), peak(target)
    return max(0, (bits_of(max(peaks) ** 2) if min(peaks) > 0 else 30) - 25)


def _measured(memory: Sequence[int], n: int, n_plain: int, shift: int) -> _Half:
    """List a half's vectors and their energies.

    From one plain vector to the next a sample enters and one leaves.  The truncation of the difference is part
    of the result.
    """
    end = len(memory)
    half = _Half([])
    energies = []
    if n == SUBBLOCK:
        half.vectors = [augmented(memory, lag) for lag in range(AUGMENTED, 2 * AUGMENTED)]
        energies = [dot(vector, vector, shift) for vector in half.vectors]
    energy = dot(memory[end - n :], memory[end - n :], shift)
    for i in range(n_plain):
        half.vectors.append(list(memory[end - n - i : end - i]))
        energies.append(energy)
        enters, leaves = memory[end - n - 1 - i], memory[end - 1 - i]
        energy = max(saturate32(energy + (enters * enters - leaves * leaves >> shift)), 0)
    half.energy_up = [norm_of(energy) for energy in energies]
    half.inverse_q29 = [
        0x1FFFFFFF // max((energy << up) >> 16, 16384)
        for energy, up in zip(energies, half.energy_up, strict=True)
    ]
    return half


def _best_of_stage(
    halves: Sequence[_Half], target: Sequence[int], stage: int, n_entries: int, shift: int
) -> _Choice:
    """The filtered half is tried around the plain winner; at the top the window moves down as a whole."""
    best = _better(_Choice(), halves, 0, target, stage, range(n_entries), shift)
    first = min(max(best.entry - _WINDOW // 2, 0), n_entries - 1 - _WINDOW)
    return _better(best, halves, 1, target, stage, range(first, first + _WINDOW + 1), shift)


def _better(
    best: _Choice,
    halves: Sequence[_Half],
    which: int,
    target: Sequence[int],
    stage: int,
    entries: range,
    shift: int,
) -> _Choice:
    """Try these entries of a half; return the best of them if it beats `best`."""
    half = halves[which]
    correlations = [_correlation(half, target, entry, entries[0], shift) for entry in entries]
    if stage == 0:  # the first gain is positive
        correlations = [max(correlation, 0) for correlation in correlations]
    criteria, exponent = _scores(half, correlations, entries)
    i, apart = greatest(criteria), exponent - best.exponent
    now, before = criteria[i] >> min(31, max(0, -apart)), best.criterion >> min(31, max(0, apart))
    if now <= before:
        return best
    entry = entries[i]
    gain = _gain(correlations[i], half.inverse_q29[entry], half.energy_up[entry])
    return _Choice(criteria[i], exponent, which, entry, gain)


def _correlation(half: _Half, target: Sequence[int], entry: int, first: int, shift: int) -> int:
    """Correlate a vector with the target.

    The codec takes the blended samples of a window's first augmented vector from the very first one (lag 20),
    the next from the next, wherever the window begins: a slip that the bit stream does not show, but the choice
    of vectors does.
    """
    vector = half.vectors[entry]
    if len(target) == SUBBLOCK and entry < AUGMENTED:
        lag, slipped_lag = AUGMENTED + entry, AUGMENTED + entry - first
        slipped = half.vectors[entry - first][slipped_lag - SEAM : slipped_lag]
        vector = [*vector[: lag - SEAM], *slipped, *vector[lag:]]
    return dot(target, vector, shift)


def _scores(half: _Half, correlations: Sequence[int], entries: range) -> tuple[list[int], int]:
    """correlation^2 / energy of each, as mantissas with one exponent."""
    up = norm_of(min(max(map(abs, correlations)), 0x7FFFFFFF))
    mantissas = [int32(correlation << up) >> 16 for correlation in correlations]
    criteria = [
        int16(mantissa * mantissa >> 16) * half.inverse_q29[entry]
        for mantissa, entry in zip(mantissas, entries, strict=True)
    ]
    ups = [half.energy_up[entry] for entry in entries]
    greatest_up = max((up for up, criterion in zip(ups, criteria, strict=True) if criterion), default=0)
    scores = [
        criterion >> min(16, greatest_up - up) if criterion else 0
        for criterion, up in zip(criteria, ups, strict=True)
    ]
    return scores, 32 - 2 * up + greatest_up


def _gain(correlation: int, inverse_q29: int, energy_up: int) -> int:
    """Divide the correlation by the energy: Q14, at most 1.3."""
    down = 16 - norm_of(correlation)
    rest = max(0, min(31, 31 - energy_up - down))
    gain = int16(shift_by(correlation, -down)) * inverse_q29 >> rest
    return max(-_GREATEST_GAIN_Q14, min(gain, _GREATEST_GAIN_Q14))


def _number_of(choice: _Choice, n_plain: int, n_augmented: int) -> int:
    """The index as it is sent: plain vectors first."""
    entry = choice.entry
    within = entry + n_plain if entry < n_augmented else entry - n_augmented
    return choice.half * (n_plain + n_augmented) + within


def _taken_off(target: Sequence[int], vector: Sequence[int], gain: int) -> list[int]:
    return [int16(x + int16(v * -gain + 8192 >> 14)) for x, v in zip(target, vector, strict=True)]
