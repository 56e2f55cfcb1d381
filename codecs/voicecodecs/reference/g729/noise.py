"""The excitation of comfort noise, the same in encoder and decoder (B.4.4).

For each subframe a random pitch with a random small gain, Gaussian noise and four random pulses, whose gain is the
root of a quadratic that makes the energy right.  All numbers come from one generator, in a fixed order; every
active frame sets it back to its seed, so that both sides draw the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from voicecodecs.reference.g729.filters import EXCITATION_PAST, FRAME, SUBFRAME, predict_long_term
from voicecodecs.reference.g729.fixed import (
    abs16,
    add16,
    dot32,
    dpf_mul16,
    dpf_of,
    low16,
    mac32,
    mul16_rounded,
    mul32,
    neg16,
    norm16,
    norm32,
    shl16,
    shl32,
    shr16_rounded,
    shr32,
    sub16,
    sub32,
)
from voicecodecs.reference.g729.mathematics import inverse_sqrt, sqrt
from voicecodecs.reference.g729.pitch_lag import Lag
from voicecodecs.reference.g729.taming import Taming

__all__ = ["NOISE_SEED", "Random", "noise_excitation"]

NOISE_SEED: Final = 11111
_LARGEST_GAIN: Final = 5000


class Random:
    """The generator: x = 31821 x + 13849, 16 bits."""

    def __init__(self, seed: int) -> None:
        self._state = seed

    def next(self) -> int:
        """Return the next number, -32768 to 32767."""
        self._state = low16(31821 * self._state + 13849)
        return self._state

    def gaussian(self) -> int:
        """Return the sum of twelve numbers, scaled."""
        return low16(sum(self.next() for _ in range(12)) >> 7)


class _Draw(NamedTuple):
    """What is drawn for a subframe, before the noise itself."""

    lag: Lag
    places: tuple[int, int, int, int]
    positive: tuple[bool, bool, bool, bool]
    pitch_gain_q14: int

    def sum_of_pulses(self, samples: Sequence[int], shift: int) -> int:
        """Add samples at the pulses' places, scaled down, with the pulses' signs."""
        total = 0
        for place, positive in zip(self.places, self.positive, strict=True):
            at = samples[place] >> shift
            total = add16(total, at) if positive else sub16(total, at)
        return total


def _draw(random: Random) -> _Draw:
    """Draw two numbers: fraction, lag, two pulses; two pulses, the last one's track first.  Then the gain."""
    bits = random.next()
    thirds = (bits & 3) - 1
    lag = Lag(40 + (bits >> 2 & 63), 0 if thirds == 2 else thirds)
    more = random.next()
    places = (
        5 * (bits >> 8 & 7),
        5 * (bits >> 12 & 7) + 1,
        5 * (more & 7) + 2,
        5 * (more >> 5 & 7) + 3 + (more >> 4 & 1),
    )
    positive = (bool(bits >> 11 & 1), bool(bits >> 15 & 1), bool(more >> 3 & 1), bool(more >> 8 & 1))
    return _Draw(lag, places, positive, random.next() & 0x1FFF)


def _gaussian_noise(gain: int, random: Random) -> list[int]:
    """Draw 40 Gaussian samples of gain / 2 each."""
    noise = [random.gaussian() for _ in range(SUBFRAME)]
    inverse = dpf_of(inverse_sqrt(dot32(noise, noise) >> 1))
    scale = dpf_mul16(inverse, add16(gain, mul16_rounded(gain, 19043)))  # times sqrt(40) / 4
    shift = norm32(scale)
    mantissa = shl32(scale, shift) >> 16
    return [shr16_rounded(mul16_rounded(x, mantissa), shift - 14) for x in noise]


class _Quadratic(NamedTuple):
    """Of the pulses' gain g: 4 g^2 + 2 b g + c = 0; half of b and a quarter of b^2 - 4c.

    They are scaled down by 2^shift and its square.
    """

    half_b: int
    discriminant: int
    shift: int

    def gain(self) -> int:
        """Return the root of smaller magnitude, limited."""
        root = sqrt(self.discriminant)
        x1, x2 = sub16(root, self.half_b), neg16(add16(self.half_b, root))
        gain = shr16_rounded(x2 if abs16(x2) < abs16(x1) else x1, 2 - self.shift)
        return max(-_LARGEST_GAIN, min(gain, _LARGEST_GAIN))


def _with_pitch(samples: Sequence[int], draw: _Draw, k: int) -> _Quadratic:
    peak = max(map(abs16, samples))
    shift = max(0, 3 - norm16(peak)) if peak else 0
    scaled = [x >> shift for x in samples]
    half_b = draw.sum_of_pulses(scaled, 0) >> 1
    c = sub32(shr32(k, 1 + 2 * shift), dot32(scaled, scaled))
    return _Quadratic(half_b, mac32(c, half_b, half_b), shift + 1)


def _without_pitch(noise: Sequence[int], draw: _Draw, k: int) -> _Quadratic:
    """Leave the pitch out: noise alone leaves 1 - alpha^2 = 3/4 of the energy to the pulses."""
    shift = 2 if any(abs16(noise[place]) & 0x4000 for place in draw.places) else 1
    half_b = draw.sum_of_pulses(noise, shift)
    c = shr32(dpf_mul16(dpf_of(k), 24576), 2 * shift - 1)
    return _Quadratic(half_b, mac32(c, half_b, half_b), shift)


def _noise_subframe(excitation: list[int], at: int, gain: int, random: Random, taming: Taming | None) -> None:
    here = slice(at, at + SUBFRAME)
    draw = _draw(random)
    noise = _gaussian_noise(gain, random)
    predict_long_term(excitation, at, *draw.lag)
    pitch_gain_q15 = shl16(draw.pitch_gain_q14, 1)
    samples = [
        add16(mul16_rounded(x, pitch_gain_q15), n) for x, n in zip(excitation[here], noise, strict=True)
    ]
    k = mul32(gain, low16(shr32(mul32(gain, SUBFRAME), 6)))
    quadratic = _with_pitch(samples, draw, k)
    pitch_gain_q14 = draw.pitch_gain_q14
    if quadratic.discriminant < 0:
        samples, pitch_gain_q14 = noise, 0
        quadratic = _without_pitch(noise, draw, k)
    pulse = quadratic.gain()
    for place, positive in zip(draw.places, draw.positive, strict=True):
        samples[place] = add16(samples[place], pulse) if positive else sub16(samples[place], pulse)
    excitation[here] = samples
    if taming:
        taming.update(pitch_gain_q14, draw.lag.samples)


def noise_excitation(past: Sequence[int], gain: int, random: Random, taming: Taming | None) -> list[int]:
    """Return 80 samples of noise; past: the excitation before; taming: None in the decoder, which has none."""
    if gain == 0:  # silence; nothing is drawn
        if taming:
            taming.update(0, SUBFRAME + 1)
            taming.update(0, SUBFRAME + 1)
        return [0] * FRAME
    excitation = [*past, *[0] * FRAME]
    _noise_subframe(excitation, EXCITATION_PAST, gain, random, taming)
    _noise_subframe(excitation, EXCITATION_PAST + SUBFRAME, gain, random, taming)
    return excitation[EXCITATION_PAST:]
