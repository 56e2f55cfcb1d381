"""The search for a SID frame's spectrum (B.4.2.2).

The four first-stage entries that come nearest to the targets of both predictors are kept, unweighted; of their
combinations with the second stage the best by a weighted distance is sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Final, NamedTuple

from voicecodecs.reference.g729.bits import LsfIndices
from voicecodecs.reference.g729.filters import ORDER
from voicecodecs.reference.g729.fixed import INT16_MAX, add16, mac32, mul16, mul32, shl32, sub16
from voicecodecs.reference.g729.lsf_quantizer import GAP_Q13, HIGHEST_Q13, LOWEST_Q13, LsfMemory, weights_of
from voicecodecs.reference.g729.lsp import lsf_of_lsp
from voicecodecs.reference.g729.sid import SID_PREDICTORS, decode_sid_lsp, second_stage
from voicecodecs.reference.g729.tables_annexb import SID_MODE_WEIGHT_Q15, SID_SUBSET1
from voicecodecs.reference.g729.tables_lsp import LSP_CODEBOOK1_Q13

__all__ = ["quantize_sid_lsp"]

_KEPT: Final = 4


class _Candidate(NamedTuple):
    """What a first-stage entry leaves of the target of its mode."""

    mode: int
    first: int
    rest_q13: list[int]


def _spaced_out(lsf_q13: Sequence[int]) -> list[int]:
    """Keep LSFs about 100 Hz apart."""
    lsf = list(lsf_q13)
    lsf[0] = max(lsf[0], LOWEST_Q13)
    for i in range(ORDER - 1):
        if sub16(lsf[i + 1], lsf[i]) < 2 * GAP_Q13:
            lsf[i + 1] = add16(lsf[i], 2 * GAP_Q13)
    lsf[-1] = min(lsf[-1], HIGHEST_Q13)
    if lsf[-1] < lsf[-2]:
        lsf[-2] = sub16(lsf[-1], GAP_Q13)
    return lsf


def _search_first(targets_q13: Sequence[Sequence[int]]) -> list[_Candidate]:
    """Return the best entries of the first stage over both modes; of equals the first."""
    ranked = []
    for (mode, target), (first, entry) in product(enumerate(targets_q13), enumerate(SID_SUBSET1)):
        rest = [sub16(t, e) for t, e in zip(target, LSP_CODEBOOK1_Q13[entry], strict=True)]
        distance = 0
        for d in rest:
            distance = mac32(distance, d, d)
        ranked.append((mul16(distance >> 16, SID_MODE_WEIGHT_Q15[mode]), _Candidate(mode, first, rest)))
    ranked.sort(key=lambda pair: pair[0])
    return [candidate for _, candidate in ranked[:_KEPT]]


def _second_distance(candidate: _Candidate, second: int, weight: Sequence[int]) -> int:
    rest_share_q15 = SID_PREDICTORS[candidate.mode].rest_q15
    distance = 0
    for rest, entry, r, w in zip(
        candidate.rest_q13, second_stage(second), rest_share_q15, weight, strict=True
    ):
        d = sub16(rest, entry)
        share = mul16(shl32(mul32(r, r), 2) >> 16, w)
        distance = mac32(distance, shl32(mul32(share, d), 3) >> 16, d)
    return distance >> 16


def quantize_sid_lsp(memory: LsfMemory, lsp_q15: Sequence[int]) -> tuple[LsfIndices, tuple[int, ...]]:
    """Return the indices of a spectrum, and the spectrum that they give; the memory takes its vector."""
    lsf_q13 = _spaced_out(lsf_of_lsp(lsp_q15))
    weight = weights_of(lsf_q13)
    kept = _search_first([memory.unpredict(lsf_q13, predictor) for predictor in SID_PREDICTORS])
    least, indices = INT16_MAX, LsfIndices(kept[0].mode, kept[0].first, 0, 0)
    for candidate, second in product(kept, range(16)):
        distance = _second_distance(candidate, second, weight)
        if distance < least:
            least, indices = distance, LsfIndices(candidate.mode, candidate.first, second, 0)
    return indices, decode_sid_lsp(memory, indices)
