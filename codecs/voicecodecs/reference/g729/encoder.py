"""The encoder of G.729 with Annex A's searches and Annex B's silence (3, A.3, B).

A frame of 80 samples becomes 10 bytes of speech; with annexb noise becomes 2 bytes (SID) now and then, and nothing
in between.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from voicecodecs.reference.g729.bits import Speech, Subframe, pack_sid, pack_speech, parity
from voicecodecs.reference.g729.dtx import Dtx, DtxContext
from voicecodecs.reference.g729.filters import (
    EXCITATION_PAST,
    FRAME,
    LAG_MAX,
    LAG_MIN,
    ORDER,
    SUBFRAME,
    SUBFRAMES,
    expand,
    residual,
    synthesize,
)
from voicecodecs.reference.g729.fixed import (
    add16,
    dot32,
    mac32,
    mul16,
    mul32,
    neg16,
    norm32,
    round16,
    shl32,
    sub16,
)
from voicecodecs.reference.g729.gain_search import GainProducts, choose_gains
from voicecodecs.reference.g729.gains import GainMemory, Gains, Product
from voicecodecs.reference.g729.highpass import Preprocess
from voicecodecs.reference.g729.innovation_search import Innovation, search_innovation
from voicecodecs.reference.g729.lpc import (
    Autocorrelation,
    Prediction,
    Predictor,
    autocorrelate,
    with_lag_window,
)
from voicecodecs.reference.g729.lsf_quantizer import LsfMemory, quantize_lsp
from voicecodecs.reference.g729.lsp import interpolate_filters, lsp_of_filter, normal_lsf_of_lsp
from voicecodecs.reference.g729.pitch_lag import SECOND_RANGE, Lag, code_first, code_second, second_start
from voicecodecs.reference.g729.pitch_open_loop import open_loop_lag
from voicecodecs.reference.g729.pitch_search import LagRange, PitchGain, pitch_gain, search_lag
from voicecodecs.reference.g729.tables_lsp import LSP_START_Q15
from voicecodecs.reference.g729.taming import Taming
from voicecodecs.reference.g729.vad import Vad, VadInput

__all__ = ["G729Encoder"]

_WINDOW: Final = 240
_SPEECH_PAST: Final = 120
"""Samples of the analysis before the frame; 40 are ahead of it."""
_SHARPEST_Q14: Final = 13017
_BLUNTEST_Q14: Final = 3277
_CLIPPED_Q14: Final = 15564
_GAMMA_Q15: Final = 24576
_LOW_PASS_Q15: Final = 22938
_SILENCE: Final = (0,) * ORDER
_IMPULSE: Final = (4096, *(0,) * (SUBFRAME - 1))


@dataclass(slots=True)
class _Subframe:
    """A subframe on its way through the encoder."""

    weighting_q12: Sequence[int]
    """A(z / 0.75)."""
    h_q12: list[int]
    """Impulse response of its inverse."""
    target: list[int]


def _correlated(
    sub: _Subframe, pitch: Sequence[int], found: PitchGain, innovation: Innovation
) -> GainProducts:
    """Return the scalar products of the gain search (3.9)."""
    eighth_q9 = [x >> 3 for x in innovation.filtered_q12]
    zz = dot32(eighth_q9, eighth_q9, 1)
    xz = dot32(sub.target, eighth_q9, 1)
    yz = dot32(pitch, eighth_q9, 1)
    return GainProducts(
        found.yy,
        found.minus_2xy,
        Product(round16(shl32(zz, norm32(zz))), norm32(zz) + 3),
        Product(neg16(round16(shl32(xz, norm32(xz)))), norm32(xz) - 7),
        Product(round16(shl32(yz, norm32(yz))), norm32(yz) - 7),
    )


def _around(open_loop: int) -> LagRange:
    """Return the whole lags around the open-loop guess, a block of seven."""
    first = min(max(open_loop - 3, LAG_MIN), LAG_MAX - 6)
    return LagRange(first, first + 6, 84)


class G729Encoder:
    """One call's encoder; annexb: noise is described, not coded."""

    def __init__(self, *, annexb: bool = False) -> None:
        self._annexb = annexb
        self._preprocess = Preprocess()
        self._speech = [0] * (_WINDOW - FRAME)
        self._weighted = [0] * LAG_MAX
        self._excitation = [0] * EXCITATION_PAST
        self._weighting_past: Sequence[int] = _SILENCE
        self._target_past: Sequence[int] = _SILENCE
        self._lsp_q15: Sequence[int] = LSP_START_Q15
        self._quantized_lsp_q15: Sequence[int] = LSP_START_Q15
        self._sharpness_q14 = _BLUNTEST_Q14
        self._predictor = Predictor()
        self._lsf = LsfMemory()
        self._gain_memory = GainMemory()
        self._taming = Taming()
        self._vad = Vad()
        self._dtx = Dtx()

    def encode(self, samples: Sequence[int]) -> bytes:
        """Encode one frame of 80 samples; b"" = nothing to transmit."""
        self._speech += self._preprocess.process(samples)
        payload = self._encode_frame()
        self._speech = self._speech[FRAME:]
        self._weighted = self._weighted[FRAME:]
        self._excitation = self._excitation[FRAME:]
        return payload

    def _encode_frame(self) -> bytes:
        raw = autocorrelate(self._speech)
        windowed = with_lag_window(raw)
        prediction = self._predictor.predict(windowed.r[: ORDER + 1])
        lsp_q15 = lsp_of_filter(prediction.a_q12, self._lsp_q15)
        if self._annexb:
            first = self._vad.was_speech
            speech = self._is_speech(windowed, prediction, lsp_q15)
            self._dtx.observe(raw, speech=speech)
            if not speech:
                return self._encode_noise(first=first)
            self._dtx.restart()
        return pack_speech(self._encode_speech(lsp_q15))

    def _is_speech(self, windowed: Autocorrelation, prediction: Prediction, lsp_q15: Sequence[int]) -> bool:
        lsf_q15 = normal_lsf_of_lsp(lsp_q15)
        return self._vad.is_speech(VadInput(windowed, self._speech, lsf_q15, prediction.reflection_q15[1]))

    def _residual(self, a_q12: Sequence[int], s: int) -> list[int]:
        at = _SPEECH_PAST + s * SUBFRAME
        return residual(a_q12, self._speech[at - ORDER : at + SUBFRAME])

    def _weight_speech(self, weighting_q12: Sequence[int], source: Sequence[int]) -> None:
        """Add weighted speech, low-passed: residual by 1 / (A(z / 0.75) (1 - 0.7 z^-1)) (A.3.3)."""
        pairs = pairwise(weighting_q12)
        a_q12 = [4096, *(sub16(a, mul16(before, _LOW_PASS_Q15)) for before, a in pairs)]
        weighted = synthesize(a_q12, source, self._weighting_past).samples
        self._weighting_past = weighted[-ORDER:]
        self._weighted += weighted

    def _encode_speech(self, lsp_q15: Sequence[int]) -> Speech:
        indices, quantized_q15 = quantize_lsp(self._lsf, lsp_q15)
        a_q12 = interpolate_filters(self._quantized_lsp_q15, quantized_q15)
        self._lsp_q15, self._quantized_lsp_q15 = lsp_q15, quantized_q15
        weighting_q12 = [expand(a, _GAMMA_Q15) for a in a_q12]
        for s in range(SUBFRAMES):
            source = self._residual(a_q12[s], s)
            self._excitation += source
            self._weight_speech(weighting_q12[s], source)
        lags = _around(open_loop_lag(self._weighted))
        lag, first = self._encode_subframe(weighting_q12[0], lags, 0)
        index = code_first(lag)
        first = first._replace(lag=index, parity=parity(index))
        start = second_start(lag.samples)
        lag, second = self._encode_subframe(
            weighting_q12[1], LagRange(start, start + SECOND_RANGE, LAG_MAX), 1
        )
        return Speech(indices, (first, second._replace(lag=code_second(lag, start))))

    def _encode_subframe(self, weighting_q12: Sequence[int], lags: LagRange, s: int) -> tuple[Lag, Subframe]:
        """Return the lag of a subframe, and its parameters but the lag's index."""
        at = EXCITATION_PAST + s * SUBFRAME
        here = slice(at, at + SUBFRAME)
        sub = _Subframe(
            weighting_q12,
            synthesize(weighting_q12, _IMPULSE, _SILENCE).samples,
            synthesize(weighting_q12, self._excitation[here], self._target_past).samples,
        )
        lag = search_lag(self._excitation, at, sub.target, sub.h_q12, lags)
        pitch = synthesize(weighting_q12, self._excitation[here], _SILENCE).samples
        found = pitch_gain(sub.target, pitch)
        tame = self._taming.must_tame(lag)
        innovation = self._search_innovation(sub, pitch, lag, found.gain_q14, tame=tame)
        products = _correlated(sub, pitch, found, innovation)
        chosen = choose_gains(self._gain_memory, products, innovation.code_q13, tame=tame)
        self._update_memories(at, sub, pitch, innovation, chosen.gains)
        self._taming.update(chosen.gains.pitch_q14, lag.samples)
        return lag, Subframe(0, 0, innovation.positions, innovation.signs, chosen.index1, chosen.index2)

    def _search_innovation(
        self, sub: _Subframe, pitch: Sequence[int], lag: Lag, gain_q14: int, *, tame: bool
    ) -> Innovation:
        if tame:
            gain_q14 = min(gain_q14, _CLIPPED_Q14)
        shares = [shl32(mul32(y, gain_q14), 1) >> 16 for y in pitch]
        rest = [sub16(x, share) for x, share in zip(sub.target, shares, strict=True)]
        return search_innovation(sub.h_q12, rest, lag.samples, self._sharpness_q14)

    def _update_memories(
        self, at: int, sub: _Subframe, pitch: Sequence[int], innovation: Innovation, gains: Gains
    ) -> None:
        """Set the excitation, and the weighted error that the next subframe's target starts with (3.10)."""
        self._sharpness_q14 = max(_BLUNTEST_Q14, min(gains.pitch_q14, _SHARPEST_Q14))
        for i, code in enumerate(innovation.code_q13, at):
            total = mac32(mul32(self._excitation[i], gains.pitch_q14), code, gains.code_q1)
            self._excitation[i] = round16(shl32(total, 1))
        errors = []
        for i in range(SUBFRAME - ORDER, SUBFRAME):
            share = shl32(mul32(pitch[i], gains.pitch_q14), 1) >> 16
            code_share = shl32(mul32(innovation.filtered_q12[i], gains.code_q1), 2) >> 16
            errors.append(sub16(sub.target[i], add16(share, code_share)))
        self._target_past = errors

    def _encode_noise(self, *, first: bool) -> bytes:
        """Describe the noise, and keep the memories as the decoder's noise leaves them (B.4)."""
        context = DtxContext(
            self._predictor, self._lsf, self._taming, self._quantized_lsp_q15, self._excitation
        )
        sid, noise = self._dtx.frame(context, first=first)
        self._excitation = self._excitation + noise
        a_q12 = interpolate_filters(self._quantized_lsp_q15, self._dtx.lsp_q15)
        self._quantized_lsp_q15 = self._dtx.lsp_q15
        for s in range(SUBFRAMES):
            source = self._residual(a_q12[s], s)
            weighting_q12 = expand(a_q12[s], _GAMMA_Q15)
            self._weight_speech(weighting_q12, source)
            made = noise[s * SUBFRAME : (s + 1) * SUBFRAME]
            errors = [sub16(x, y) for x, y in zip(source, made, strict=True)]
            self._target_past = synthesize(weighting_q12, errors, self._target_past).samples[-ORDER:]
        self._sharpness_q14 = _BLUNTEST_Q14
        return pack_sid(sid) if sid else b""
