"""The quantiser of line spectral frequencies, and what decodes it (3.2.4).

Ten LSFs (Q13, 0 to pi) become 18 bits: a moving-average predictor over four frames (L0), and a two-stage codebook
for what it did not predict (L1; L2 and L3 for its halves).  Both predictors are tried; for each the nearest first
stage, then the best halves by a weighted distance.  Encoder and decoder remember the same vectors and rebuild the
same spectrum.  SID frames (`sid`) share the memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from voicecodecs.reference.g729.bits import LsfIndices
from voicecodecs.reference.g729.filters import ORDER
from voicecodecs.reference.g729.fixed import (
    INT32_MAX,
    add16,
    mac32,
    msu32,
    mul16,
    mul32,
    norm16,
    shl16,
    shl32,
    sub16,
)
from voicecodecs.reference.g729.lsp import lsf_of_lsp, lsp_of_lsf
from voicecodecs.reference.g729.tables_lsp import (
    LSF_START_Q13,
    LSP_CODEBOOK1_Q13,
    LSP_CODEBOOK2_Q13,
    LSP_PREDICTOR_Q15,
    LSP_PREDICTOR_REST_INVERSE_Q12,
    LSP_PREDICTOR_REST_Q15,
)

__all__ = [
    "GAP_Q13",
    "HIGHEST_Q13",
    "LOWEST_Q13",
    "LsfDecoder",
    "LsfMemory",
    "LsfPredictor",
    "quantize_lsp",
    "weights_of",
]

_HALF: Final = ORDER // 2
_GAP1_Q13: Final = 10
_GAP2_Q13: Final = 5
LOWEST_Q13: Final = 40
HIGHEST_Q13: Final = 25681
GAP_Q13: Final = 321


class LsfPredictor(NamedTuple):
    """Weights of the past, the share of the new vector, and one over that share."""

    past_q15: tuple[tuple[int, ...], ...]
    rest_q15: tuple[int, ...]
    rest_inverse_q12: tuple[int, ...]


_PREDICTORS: Final = tuple(
    map(LsfPredictor, LSP_PREDICTOR_Q15, LSP_PREDICTOR_REST_Q15, LSP_PREDICTOR_REST_INVERSE_Q12)
)


class LsfMemory:
    """The vectors of the last four frames, the newest first."""

    def __init__(self) -> None:
        self._vectors_q13 = [list(LSF_START_Q13)] * 4

    def push(self, vector_q13: list[int]) -> None:
        """Take a frame's vector."""
        self._vectors_q13 = [vector_q13, *self._vectors_q13[:3]]

    def unpredict(self, lsf_q13: Sequence[int], predictor: LsfPredictor) -> list[int]:
        """Return the vector that predictor and memory would need to give these LSFs."""
        vector_q13 = []
        for j in range(ORDER):
            rest = lsf_q13[j] << 16
            for vector, weight_q15 in zip(self._vectors_q13, predictor.past_q15, strict=True):
                rest = msu32(rest, vector[j], weight_q15[j])
            vector_q13.append(shl32(mul32(rest >> 16, predictor.rest_inverse_q12[j]), 3) >> 16)
        return vector_q13

    def compose(self, vector_q13: list[int], predictor: LsfPredictor) -> list[int]:
        """Return the stable LSFs that predictor, memory and vector give; then take the vector."""
        lsf_q13 = []
        for j in range(ORDER):
            total = mul32(vector_q13[j], predictor.rest_q15[j])
            for vector, weight_q15 in zip(self._vectors_q13, predictor.past_q15, strict=True):
                total = mac32(total, vector[j], weight_q15[j])
            lsf_q13.append(total >> 16)
        self.push(vector_q13)
        return _stabilized(lsf_q13)


def _stabilized(lsf_q13: list[int]) -> list[int]:
    """Put LSFs in order and apart: swap neighbours once, then push upwards."""
    lsf = list(lsf_q13)
    for j in range(ORDER - 1):
        if lsf[j + 1] < lsf[j]:
            lsf[j], lsf[j + 1] = lsf[j + 1], lsf[j]
    lsf[0] = max(lsf[0], LOWEST_Q13)
    for j in range(ORDER - 1):
        if lsf[j + 1] - lsf[j] < GAP_Q13:
            lsf[j + 1] = add16(lsf[j], GAP_Q13)
    lsf[-1] = min(lsf[-1], HIGHEST_Q13)
    return lsf


def weights_of(lsf_q13: Sequence[int]) -> list[int]:
    """Return weights of a spectrum's LSFs: large where two are close; normalised by the largest."""
    below = [0, *lsf_q13[:-1]]
    above = [*lsf_q13[1:], 0]
    room = [sub16(sub16(high, low), 8192) for low, high in zip(below, above, strict=True)]
    room[0] = sub16(lsf_q13[1], 1029 + 8192)  # 0.04 pi + 1
    room[-1] = sub16(23677 - 8192, lsf_q13[-2])  # 0.92 pi - 1
    weight = [2048 if r > 0 else _tight(r) for r in room]
    for i in (4, 5):
        weight[i] = shl32(mul32(weight[i], 19661), 1) >> 16  # times 1.2
    shift = norm16(max(weight))
    return [shl16(w, shift) for w in weight]


def _tight(room: int) -> int:
    """10 * room^2 + 1, Q11."""
    square = shl32(mul32(room, room), 2) >> 16
    return add16(shl32(mul32(square, 20480), 2) >> 16, 2048)


def _spread(vector_q13: list[int], first: int, last: int, gap_q13: int) -> None:
    """Push neighbours from first to last apart until they keep a gap: each gives way by half."""
    for j in range(first, last + 1):
        excess = add16(sub16(vector_q13[j - 1], vector_q13[j]), gap_q13) >> 1
        if excess > 0:
            vector_q13[j - 1] = sub16(vector_q13[j - 1], excess)
            vector_q13[j] = add16(vector_q13[j], excess)


def _square_sum(differences: Sequence[int]) -> int:
    return min(sum(min(2 * d * d, INT32_MAX) for d in differences), INT32_MAX)


def _nearest_first_stage(target_q13: Sequence[int]) -> int:
    distances = [
        _square_sum([sub16(t, e) for t, e in zip(target_q13, entry, strict=True)])
        for entry in LSP_CODEBOOK1_Q13
    ]
    least = min(distances)
    return distances.index(least) if least < INT32_MAX else 0


def _best_half(
    target_q13: Sequence[int], first_stage_q13: Sequence[int], weight: Sequence[int], at: int
) -> int:
    """Return the second-stage entry whose half is nearest to what the first stage left."""
    half = slice(at, at + _HALF)
    rest = [sub16(t, f) for t, f in zip(target_q13[half], first_stage_q13[half], strict=True)]
    least, best = INT32_MAX, 0
    for i, entry in enumerate(LSP_CODEBOOK2_Q13):
        distance = 0
        for r, e, w in zip(rest, entry[half], weight[half], strict=True):
            d = sub16(r, e)
            distance = mac32(distance, mul16(w, d), d)
        if distance < least:
            least, best = distance, i
    return best


def _half_sum(first_stage_q13: Sequence[int], second: int, at: int) -> list[int]:
    half = slice(at, at + _HALF)
    return [add16(f, s) for f, s in zip(first_stage_q13[half], LSP_CODEBOOK2_Q13[second][half], strict=True)]


def _total_distance(
    vector_q13: Sequence[int], target_q13: Sequence[int], rest_q15: Sequence[int], weight: Sequence[int]
) -> int:
    distance = 0
    for v, t, r, w in zip(vector_q13, target_q13, rest_q15, weight, strict=True):
        d = mul16(sub16(v, t), r)
        distance = mac32(distance, shl32(mul32(w, d), 4) >> 16, d)
    return distance


def _search_mode(
    mode: int, lsf_q13: Sequence[int], weight: Sequence[int], memory: LsfMemory
) -> tuple[int, LsfIndices]:
    """Return the distance of the best indices with one predictor, and the indices."""
    predictor = _PREDICTORS[mode]
    target_q13 = memory.unpredict(lsf_q13, predictor)
    first = _nearest_first_stage(target_q13)
    first_stage_q13 = LSP_CODEBOOK1_Q13[first]
    second = _best_half(target_q13, first_stage_q13, weight, 0)
    vector_q13 = _half_sum(first_stage_q13, second, 0)
    _spread(vector_q13, 1, _HALF - 1, _GAP1_Q13)
    third = _best_half(target_q13, first_stage_q13, weight, _HALF)
    vector_q13 += _half_sum(first_stage_q13, third, _HALF)
    _spread(vector_q13, _HALF, ORDER - 1, _GAP1_Q13)
    _spread(vector_q13, 1, ORDER - 1, _GAP2_Q13)
    distance = _total_distance(vector_q13, target_q13, predictor.rest_q15, weight)
    return distance, LsfIndices(mode, first, second, third)


def _rebuild(indices: LsfIndices, memory: LsfMemory) -> list[int]:
    """Return the LSFs of indices, the same in encoder and decoder."""
    first_stage_q13 = LSP_CODEBOOK1_Q13[indices.first]
    vector_q13 = _half_sum(first_stage_q13, indices.second, 0) + _half_sum(
        first_stage_q13, indices.third, _HALF
    )
    _spread(vector_q13, 1, ORDER - 1, _GAP1_Q13)
    _spread(vector_q13, 1, ORDER - 1, _GAP2_Q13)
    return memory.compose(vector_q13, _PREDICTORS[indices.mode])


def quantize_lsp(memory: LsfMemory, lsp_q15: Sequence[int]) -> tuple[LsfIndices, tuple[int, ...]]:
    """Return the indices of a spectrum, and the spectrum that they give."""
    lsf_q13 = lsf_of_lsp(lsp_q15)
    weight = weights_of(lsf_q13)
    distance0, indices0 = _search_mode(0, lsf_q13, weight, memory)
    distance1, indices1 = _search_mode(1, lsf_q13, weight, memory)
    indices = indices1 if distance1 < distance0 else indices0
    return indices, lsp_of_lsf(_rebuild(indices, memory))


class LsfDecoder:
    """Decodes spectra, and repeats the last one for lost frames."""

    def __init__(self) -> None:
        self.memory = LsfMemory()
        self._last_q13 = list(LSF_START_Q13)
        self._last_mode = 0

    def decode(self, indices: LsfIndices | None) -> tuple[int, ...]:
        """Return a frame's line spectral pairs; None = it was lost (4.4.1)."""
        if indices is None:  # repeat, and remember what would have given it
            self.memory.push(self.memory.unpredict(self._last_q13, _PREDICTORS[self._last_mode]))
        else:
            self._last_q13 = _rebuild(indices, self.memory)
            self._last_mode = indices.mode
        return lsp_of_lsf(self._last_q13)
