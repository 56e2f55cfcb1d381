"""Discontinuous transmission: when to describe the noise again (B.4.1).

For every frame of noise: the filter of the last two frames is compared with that of the last SID frame (a distance
after Itakura), and the level with its level.  If the noise of the last frames was alike, their mean filter is sent,
else the current one.  The encoder then makes the noise that the decoder will make.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from voicecodecs.reference.g729.bits import Sid
from voicecodecs.reference.g729.filters import ORDER, fits32
from voicecodecs.reference.g729.fixed import (
    INT16_MIN,
    Dpf,
    add16,
    add32,
    dot32,
    mul16_rounded,
    norm32,
    round16,
    shl32,
    shr16,
    sub32,
)
from voicecodecs.reference.g729.lpc import Autocorrelation, Prediction, Predictor
from voicecodecs.reference.g729.lsf_quantizer import LsfMemory
from voicecodecs.reference.g729.lsp import lsp_of_filter
from voicecodecs.reference.g729.noise import NOISE_SEED, Random, noise_excitation
from voicecodecs.reference.g729.sid import Energy, quantize_sid_gain
from voicecodecs.reference.g729.sid_search import quantize_sid_lsp
from voicecodecs.reference.g729.tables_annexb import SID_GAIN
from voicecodecs.reference.g729.taming import Taming

__all__ = ["Dtx", "DtxContext", "DtxResult"]

_SEND_THRESHOLD_Q15: Final = 4855
_MEAN_THRESHOLD_Q15: Final = 3161


class _Correlation(NamedTuple):
    """Autocorrelations with a common exponent: value = r * 2^-exponent."""

    r: tuple[int, ...]
    exponent: int


_NO_CORRELATION: Final = _Correlation((0,) * (ORDER + 1), 40)


@dataclass(frozen=True, slots=True)
class DtxContext:
    """What a frame of noise shares with the encoder."""

    predictor: Predictor
    lsf: LsfMemory
    taming: Taming
    lsp_q15: Sequence[int]
    """Quantised, of the frame before."""
    past: Sequence[int]
    """The excitation before."""


class DtxResult(NamedTuple):
    """What to send for a frame of noise (None: nothing), and the noise."""

    sid: Sid | None
    excitation: list[int]


def _sum_of(correlations: Sequence[_Correlation]) -> _Correlation:
    """Add correlations in one exponent, with two bits of room, and normalise (B.4.1.1)."""
    common = min(c.exponent for c in correlations) + 14
    sums = [0] * (ORDER + 1)
    for c in correlations:
        sums = [add32(total, shl32(r, common - c.exponent)) for total, r in zip(sums, c.r, strict=True)]
    shift = norm32(sums[0])
    return _Correlation(tuple(shl32(total, shift) >> 16 for total in sums), common + shift - 16)


def _correlation_of(a_q12: Sequence[int]) -> _Correlation:
    """Correlate a filter's coefficients (B.4.1.2)."""
    sums = [dot32(a_q12[: ORDER + 1 - i], a_q12[i:]) for i in range(ORDER + 1)]
    shift = norm32(sums[0])
    return _Correlation(tuple(round16(shl32(total, shift)) for total in sums), shift)


def _filtered_energy(a: _Correlation, shift_a: int, b: _Correlation, shift_b: int) -> int | None:
    """Return r[0] s[0] / 2 + sum of r[i] s[i]; None if that saturates."""
    products = [shr16(x, shift_a) * shr16(y, shift_b) for x, y in zip(a.r, b.r, strict=True)]
    if products[0] == INT16_MIN * INT16_MIN:
        return None
    total = products[0]
    for x in products[1:]:
        total += 2 * x
        if not fits32(total):
            return None
    return total


def _differs(reference: _Correlation, current: _Correlation, residual: int, threshold_q15: int) -> bool:
    """Say whether the reference filter leaves more of this frame than its own filter, by a threshold.

    Operands are halved in turn until the sum fits.
    """
    shifts = [0, 0]
    turn = 1
    while (left := _filtered_energy(reference, shifts[0], current, shifts[1])) is None:
        shifts[turn] += 1
        turn = 1 - turn
    allowed = add32(mul16_rounded(residual, threshold_q15), residual)
    return sub32(left, shl32(allowed, reference.exponent + 9 - sum(shifts))) > 0


class Dtx:
    """The decision of one call's encoder."""

    def __init__(self) -> None:
        self.lsp_q15: tuple[int, ...] = (0,) * ORDER
        """The spectrum that was sent last."""
        self._recent = [_NO_CORRELATION] * 2
        self._sums = [_NO_CORRELATION] * 3
        self._reference = _Correlation((0,) * (ORDER + 1), 0)
        self._energies = [Energy(0, 40)] * 2
        self._gain = self._sid_gain = self._level_db = 0
        self._n_in_pair = self._n_frames_since_sid = 0
        self._changed = False
        self.restart()

    def restart(self) -> None:
        """Start the generator anew: a frame of speech has been."""
        self._random = Random(NOISE_SEED)

    def observe(self, correlation: Autocorrelation, *, speech: bool) -> None:
        """Note a frame's correlations, before the lag window."""
        r = tuple(x.high for x in correlation.r[: ORDER + 1])
        # 2: of the signal before it was halved
        self._recent = [_Correlation(r, -(16 + correlation.exponent + 2)), self._recent[0]]
        self._n_in_pair = (self._n_in_pair + 1) % 2
        if self._n_in_pair == 0 and speech:
            self._push_sum()

    def _push_sum(self) -> None:
        self._sums = [_sum_of(self._recent), *self._sums[:2]]

    def frame(self, context: DtxContext, *, first: bool) -> DtxResult:
        """Decide about a frame of noise; first: the frame before was speech."""
        current = _sum_of(self._recent)
        prediction = self._predict(context.predictor, current)
        gain, level_db = quantize_sid_gain(self._energies[: 1 if first else 2])
        sid = None
        if self._is_due(current, level_db, first=first):
            self._n_frames_since_sid = 0
            self._changed = False
            self._level_db = level_db
            a_q12 = self._filter_to_send(context.predictor, current, prediction)
            indices, self.lsp_q15 = quantize_sid_lsp(context.lsf, lsp_of_filter(a_q12, context.lsp_q15))
            self._sid_gain = SID_GAIN[gain]
            sid = Sid(indices, gain)
        if first:
            self._gain = self._sid_gain
        else:
            self._gain = add16(mul16_rounded(self._gain, 28672), mul16_rounded(self._sid_gain, 4096))
        excitation = noise_excitation(context.past, self._gain, self._random, context.taming)
        if self._n_in_pair == 0:
            self._push_sum()
        return DtxResult(sid, excitation)

    def _predict(self, predictor: Predictor, current: _Correlation) -> Prediction | None:
        """Find the current filter and note its residual's energy; of an unstable one the last energy stays."""
        prediction = None
        error: int | None = 0
        if current.r[0]:
            prediction = predictor.predict([Dpf(r, 0) for r in current.r])
            error = prediction.error
        mantissa = self._energies[0].mantissa if error is None else error
        self._energies = [Energy(mantissa, current.exponent), self._energies[0]]
        return prediction

    def _is_due(self, current: _Correlation, level_db: int, *, first: bool) -> bool:
        """Say whether filter or level have changed enough; at least three frames lie between SID frames."""
        if first:
            return True
        residual = self._energies[0].mantissa
        if (
            _differs(self._reference, current, residual, _SEND_THRESHOLD_Q15)
            or abs(self._level_db - level_db) > 2
        ):
            self._changed = True
        self._n_frames_since_sid = min(self._n_frames_since_sid + 1, 3)
        return self._changed and self._n_frames_since_sid == 3

    def _filter_to_send(
        self, predictor: Predictor, current: _Correlation, prediction: Prediction | None
    ) -> tuple[int, ...]:
        """Return the mean filter of the last pairs of frames, unless the current one differs from it."""
        past = _sum_of(self._sums)
        mean_a_q12: tuple[int, ...] = (4096, *[0] * ORDER)
        if past.r[0]:
            mean_a_q12 = predictor.predict([Dpf(r, 0) for r in past.r]).a_q12
        self._reference = _correlation_of(mean_a_q12)
        if not _differs(self._reference, current, self._energies[0].mantissa, _MEAN_THRESHOLD_Q15):
            return mean_a_q12
        a_q12 = prediction.a_q12 if prediction else (0,) * (ORDER + 1)
        self._reference = _correlation_of(a_q12)
        return a_q12
