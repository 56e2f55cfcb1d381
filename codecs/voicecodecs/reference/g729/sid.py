"""Silence insertion descriptors: 15 bits that describe noise (B.4.1.3, B.4.2).

The spectrum is coded with the speech quantiser's tables, of which a SID frame can name a part, and with its
memory; the gain as a level in dB, in steps of 4 dB up to 14 dB and of 2 above.  `sid_search` chooses the spectrum.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from voicecodecs.reference.g729.bits import LsfIndices
from voicecodecs.reference.g729.filters import ORDER
from voicecodecs.reference.g729.fixed import (
    add16,
    add32,
    clamp16,
    dpf_mul16,
    dpf_of,
    mul16,
    mul16_rounded,
    shl16,
    shl32,
    shr32,
    sub16,
)
from voicecodecs.reference.g729.lsf_quantizer import LsfMemory, LsfPredictor
from voicecodecs.reference.g729.lsp import lsp_of_lsf
from voicecodecs.reference.g729.mathematics import log2
from voicecodecs.reference.g729.tables_annexb import (
    SID_ENERGY_MARGIN,
    SID_ENERGY_SHARE_Q15,
    SID_PREDICTOR_Q15,
    SID_PREDICTOR_REST_INVERSE_Q12,
    SID_PREDICTOR_REST_Q15,
    SID_SUBSET1,
    SID_SUBSET2,
)
from voicecodecs.reference.g729.tables_lsp import LSP_CODEBOOK1_Q13, LSP_CODEBOOK2_Q13

__all__ = [
    "SID_PREDICTORS",
    "Energy",
    "decode_sid_lsp",
    "gain_of_speech",
    "quantize_sid_gain",
    "second_stage",
]

SID_PREDICTORS: Final = tuple(
    map(LsfPredictor, SID_PREDICTOR_Q15, SID_PREDICTOR_REST_Q15, SID_PREDICTOR_REST_INVERSE_Q12)
)
_GAP_Q13: Final = 10


class Energy(NamedTuple):
    """Of a frame's residual: mantissa * 2^-exponent."""

    mantissa: int
    exponent: int


def second_stage(index: int) -> tuple[int, ...]:
    """Return the entry that a SID frame's L2 names, of both halves."""
    low, high = (LSP_CODEBOOK2_Q13[subset[index]] for subset in SID_SUBSET2)
    return (*low[: ORDER // 2], *high[ORDER // 2 :])


def decode_sid_lsp(memory: LsfMemory, indices: LsfIndices) -> tuple[int, ...]:
    """Return a SID frame's line spectral pairs; the memory takes its vector."""
    first, second = LSP_CODEBOOK1_Q13[SID_SUBSET1[indices.first]], second_stage(indices.second)
    vector_q13 = [add16(f, s) for f, s in zip(first, second, strict=True)]
    for j in range(1, ORDER):
        excess = vector_q13[j - 1] - vector_q13[j] + _GAP_Q13 >> 1
        if excess > 0:
            vector_q13[j - 1] = sub16(vector_q13[j - 1], clamp16(excess))
            vector_q13[j] = add16(vector_q13[j], clamp16(excess))
    return lsp_of_lsf(memory.compose(vector_q13, SID_PREDICTORS[indices.mode]))


def _quantize_level(energy: int, exponent: int) -> tuple[int, int]:
    """Return index and dB of energy * 2^-exponent; levels are 1024 * log2, of which 340 are 1 dB."""
    octaves = log2(energy)
    level = add16(shl16(clamp16(octaves.exponent - exponent), 10), mul16_rounded(octaves.fraction_q15, 1024))
    if level <= -2721:  # -8 dB
        return 0, -12
    if level > 22111:  # 65 dB
        return 31, 66
    if level <= 4762:  # 14 dB
        index = max(mul16(add16(level, 3401), 24), 1)
        return index, 4 * index - 8
    index = max((mul16(sub16(level, 340), 193) >> 2) - 1, 6)
    return index, 2 * index + 4


def quantize_sid_gain(energies: Sequence[Energy]) -> tuple[int, int]:
    """Return the index of the mean of one or two energies, and its level in dB."""
    common = min(energy.exponent for energy in energies) + 16 - SID_ENERGY_MARGIN[len(energies)]
    total = 0
    for energy in energies:
        total = add32(total, shl32(energy.mantissa, common - energy.exponent))
    return _quantize_level(dpf_mul16(dpf_of(total), SID_ENERGY_SHARE_Q15[len(energies)]), common)


def gain_of_speech(energy: Energy) -> int:
    """Return the index for the energy of a whole frame's excitation, where no SID frame arrived."""
    total = shr32(energy.mantissa, energy.exponent)
    return _quantize_level(dpf_mul16(dpf_of(total), SID_ENERGY_SHARE_Q15[0]), 0)[0]
