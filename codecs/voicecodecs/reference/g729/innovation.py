"""The fixed codebook: four pulses of +1 or -1 among 40 samples (3.8, 4.1.4).

Pulses sit on tracks (0, 5, 10.. / 1, 6.. / 2, 7.. / 3, 8.. or 4, 9..).  They are +8191 or -8192, because the
standard cuts 32767 and -32768.  `innovation_search` chooses.
"""

from __future__ import annotations

from collections.abc import Sequence

from voicecodecs.reference.g729.filters import SUBFRAME
from voicecodecs.reference.g729.fixed import add16, mul16, shl16

__all__ = ["decode_innovation", "sharpened"]


def sharpened(samples: Sequence[int], lag: int, sharpness_q14: int) -> list[int]:
    """Add sharpness * x[i - lag] to x[i], for lags within the subframe (equation 48)."""
    out = list(samples)
    for i in range(lag, SUBFRAME):
        out[i] = add16(out[i], mul16(out[i - lag], shl16(sharpness_q14, 1)))
    return out


def decode_innovation(positions: int, signs: int, lag: int, sharpness_q14: int) -> list[int]:
    """Return the code vector (Q13) of positions C and signs S."""
    last = positions >> 9 & 15  # its lowest bit names the track
    places = (
        5 * (positions & 7),
        5 * (positions >> 3 & 7) + 1,
        5 * (positions >> 6 & 7) + 2,
        5 * (last >> 1) + 3 + (last & 1),
    )
    code_q13 = [0] * SUBFRAME
    for i, place in enumerate(places):
        code_q13[place] = 8191 if signs >> i & 1 else -8192
    return sharpened(code_q13, lag, sharpness_q14)
