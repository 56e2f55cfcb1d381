"""The short filters of G.729, all of order 10 with coefficients in Q12 (1.0 = 4096).

Residual (FIR by A(z)), synthesis (IIR by 1/A(z)), bandwidth expansion, and prediction from the past with a lag
in thirds of a sample.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from voicecodecs.reference.g729.fixed import INT32_MAX, INT32_MIN, clamp32, mul32, round16, shl32
from voicecodecs.reference.g729.tables import INTERPOLATION_Q15

__all__ = [
    "EXCITATION_PAST",
    "FRAME",
    "LAG_MAX",
    "LAG_MIN",
    "ORDER",
    "SUBFRAME",
    "SUBFRAMES",
    "Synthesis",
    "expand",
    "fits32",
    "predict_long_term",
    "residual",
    "synthesize",
]

ORDER: Final = 10
SUBFRAME: Final = 40
SUBFRAMES: Final = 2
FRAME: Final = 80
LAG_MIN: Final = 20
LAG_MAX: Final = 143
EXCITATION_PAST: Final = 154
"""The longest lag and one side of the interpolation."""


def fits32(x: int) -> bool:
    """Say whether a sum fits in 32 bits: if not, it saturates."""
    return INT32_MIN <= x <= INT32_MAX


class Synthesis(NamedTuple):
    """The outputs of a synthesis filter, and whether any step on the way saturated."""

    samples: list[int]
    saturated: bool


def residual(a_q12: Sequence[int], samples: Sequence[int]) -> list[int]:
    """Filter by A(z): out[i] = sum of a[j] * in[i - j]; the first ORDER samples are the past."""
    out = []
    for i in range(ORDER, len(samples)):
        total = 0
        for j in range(ORDER + 1):
            total += 2 * a_q12[j] * samples[i - j]
            if not fits32(total):
                total = clamp32(total)
        out.append(round16(shl32(total, 3)))
    return out


def synthesize(a_q12: Sequence[int], samples: Sequence[int], past: Sequence[int]) -> Synthesis:
    """Filter by 1/A(z): out[i] = a[0] * in[i] - sum of a[j] * out[i - j]; past: the last ORDER outputs."""
    out = list(past)
    saturated = False
    for x in samples:
        total = mul32(x, a_q12[0])
        for j in range(1, ORDER + 1):
            total -= mul32(a_q12[j], out[-j])
            if not fits32(total):
                total = clamp32(total)
                saturated = True
        scaled = 8 * total
        saturated = saturated or not fits32(scaled) or not fits32(scaled + 0x8000)
        out.append(round16(clamp32(scaled)))
    return Synthesis(out[ORDER:], saturated)


def expand(a_q12: Sequence[int], gamma_q15: int) -> list[int]:
    """Return a(z / gamma): a[i] * gamma^i."""
    out = [a_q12[0]]
    power_q15 = gamma_q15
    for coefficient in a_q12[1:]:
        out.append(round16(mul32(coefficient, power_q15)))
        power_q15 = round16(mul32(power_q15, gamma_q15))
    return out


def predict_long_term(excitation: list[int], at: int, lag: int, thirds: int) -> None:
    """Fill excitation[at : at + 40] with what was there lag + thirds / 3 samples before (3.7.1).

    Sample by sample: for lags below 40 it reads what it has just written.
    """
    phase, first = (-thirds, at - lag) if thirds <= 0 else (3 - thirds, at - lag - 1)
    taps_q15 = [*INTERPOLATION_Q15[phase::3][:10][::-1], *INTERPOLATION_Q15[3 - phase :: 3][:10]]
    order = [tap for pair in zip(range(9, -1, -1), range(10, 20), strict=True) for tap in pair]
    for j in range(SUBFRAME):
        total = 0
        for tap in order:  # outwards from the middle, a tap of each side in turn
            total = clamp32(total + clamp32(2 * excitation[first + j - 9 + tap] * taps_q15[tap]))
        excitation[at + j] = round16(total)
