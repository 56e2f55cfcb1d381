"""The decoder of G.729, with Annex A's post-filter and Annex B's comfort noise (4, A.4, B.4.5).

A frame is 10 bytes of speech, 2 bytes of SID, b"" (nothing was transmitted) or None (it was lost).  A lost frame
after speech is concealed as speech; after noise the noise goes on.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from voicecodecs.reference.g729.bits import (
    SID_BYTES,
    SPEECH_BYTES,
    Sid,
    Speech,
    Subframe,
    parity,
    unpack_sid,
    unpack_speech,
)
from voicecodecs.reference.g729.comfort import Comfort
from voicecodecs.reference.g729.filters import (
    EXCITATION_PAST,
    FRAME,
    LAG_MAX,
    ORDER,
    SUBFRAME,
    SUBFRAMES,
    predict_long_term,
    synthesize,
)
from voicecodecs.reference.g729.fixed import mac32, mul32, round16, shl32
from voicecodecs.reference.g729.gains import GainMemory, Gains
from voicecodecs.reference.g729.highpass import Postprocess
from voicecodecs.reference.g729.innovation import decode_innovation
from voicecodecs.reference.g729.lsf_quantizer import LsfDecoder
from voicecodecs.reference.g729.lsp import interpolate_filters
from voicecodecs.reference.g729.noise import Random
from voicecodecs.reference.g729.pitch_lag import Lag, first_of, second_of, second_start
from voicecodecs.reference.g729.postfilter import Postfilter
from voicecodecs.reference.g729.tables_lsp import LSP_START_Q15

__all__ = ["G729Decoder"]

_SHARPEST_Q14: Final = 13017
_BLUNTEST_Q14: Final = 3277
_LOST_SEED: Final = 21845


class _Frame(NamedTuple):
    """What the post-filter must know of a frame."""

    a_q12: tuple[tuple[int, ...], ...]
    lags: list[int]
    speech: bool


class G729Decoder:
    """One call's decoder."""

    def __init__(self) -> None:
        self._excitation = [0] * EXCITATION_PAST
        self._speech = [0] * ORDER
        self._lsp_q15: Sequence[int] = LSP_START_Q15
        self._lag = 60
        self._sharpness_q14 = _BLUNTEST_Q14
        self._lost = Random(_LOST_SEED)
        self._was_speech = True
        self._gains = Gains(0, 0)
        self._gain_memory = GainMemory()
        self._lsf = LsfDecoder()
        self._comfort = Comfort()
        self._postfilter = Postfilter()
        self._postprocess = Postprocess()

    def accepts(self, n_bytes: int) -> bool:
        """Say whether a frame can have that many bytes."""
        return n_bytes in (SPEECH_BYTES, SID_BYTES, 0)

    def decode(self, payload: bytes | None) -> list[int]:
        """Decode one frame to 80 samples; b"" = nothing was transmitted, None = it was lost."""
        frame = self._decode_frame(payload)
        filtered: list[int] = []
        for s in range(SUBFRAMES):
            samples = self._speech[s * SUBFRAME : s * SUBFRAME + ORDER + SUBFRAME]
            filtered += self._postfilter.process(samples, frame.a_q12[s], frame.lags[s], speech=frame.speech)
        self._excitation = self._excitation[FRAME:]
        self._speech = self._speech[FRAME:]
        return self._postprocess.process(filtered)

    def _decode_frame(self, payload: bytes | None) -> _Frame:
        if payload and len(payload) == SPEECH_BYTES:
            frame = self._decode_speech(unpack_speech(payload))
        elif payload is None and self._was_speech:
            frame = self._decode_speech(None)
        else:
            frame = self._decode_noise(unpack_sid(payload) if payload else None)
        if payload is not None:
            self._comfort.remember(self._excitation[EXCITATION_PAST:])
        self._was_speech = frame.speech
        return frame

    def _decode_speech(self, speech: Speech | None) -> _Frame:
        self._comfort.restart()
        lsp_q15 = self._lsf.decode(speech.lsf if speech else None)
        a_q12 = interpolate_filters(self._lsp_q15, lsp_q15)
        self._lsp_q15 = lsp_q15
        lags: list[int] = []
        for s in range(SUBFRAMES):
            parameters = speech.subframes[s] if speech else None
            lag = self._next_lag(parameters, lags)
            lags.append(lag.samples)
            self._decode_subframe(parameters, lag)
            self._synthesize(a_q12[s])
        return _Frame(a_q12, lags, speech=True)

    def _next_lag(self, parameters: Subframe | None, earlier: list[int]) -> Lag:
        """Return a subframe's lag; a lost or damaged one is the last whole lag, which then grows by one."""
        damaged = parameters and not earlier and parity(parameters.lag) != parameters.parity
        if parameters is None or damaged:
            lag = Lag(self._lag, 0)
            self._lag = min(self._lag + 1, LAG_MAX)
            return lag
        index = parameters.lag
        lag = second_of(index, second_start(earlier[0])) if earlier else first_of(index)
        self._lag = lag.samples
        return lag

    def _decode_subframe(self, parameters: Subframe | None, lag: Lag) -> None:
        at = len(self._excitation)
        self._excitation += [0] * SUBFRAME
        predict_long_term(self._excitation, at, *lag)
        code_q13 = self._next_code(parameters, lag.samples)
        for i, code in enumerate(code_q13, at):
            total = mac32(mul32(self._excitation[i], self._gains.pitch_q14), code, self._gains.code_q1)
            self._excitation[i] = round16(shl32(total, 1))
        self._sharpness_q14 = max(_BLUNTEST_Q14, min(self._gains.pitch_q14, _SHARPEST_Q14))

    def _next_code(self, parameters: Subframe | None, lag: int) -> list[int]:
        """Return a subframe's pulses, and set its gains; both are invented if it was lost."""
        if parameters is None:
            positions, signs = self._lost.next() & 0x1FFF, self._lost.next() & 15
            self._gains = self._gain_memory.fade(self._gains)
            return decode_innovation(positions, signs, lag, self._sharpness_q14)
        code_q13 = decode_innovation(parameters.positions, parameters.signs, lag, self._sharpness_q14)
        self._gains = self._gain_memory.decode(parameters.gain1, parameters.gain2, code_q13)
        return code_q13

    def _decode_noise(self, sid: Sid | None) -> _Frame:
        past = self._excitation
        noise = self._comfort.frame(self._lsf.memory, past, sid, first=self._was_speech)
        a_q12 = interpolate_filters(self._lsp_q15, self._comfort.lsp_q15)
        self._lsp_q15 = self._comfort.lsp_q15
        self._excitation = past + noise
        for s in range(SUBFRAMES):
            self._synthesize(a_q12[s])
        self._sharpness_q14 = _BLUNTEST_Q14
        return _Frame(a_q12, [self._lag] * SUBFRAMES, speech=False)

    def _synthesize(self, a_q12: Sequence[int]) -> None:
        """Filter the next subframe of excitation.

        If that saturates, all of the excitation is divided by four and filtered again (4.1.6).
        """
        at = EXCITATION_PAST + len(self._speech) - ORDER
        past = self._speech[-ORDER:]
        filtered = synthesize(a_q12, self._excitation[at : at + SUBFRAME], past)
        if filtered.saturated:
            self._excitation = [x >> 2 for x in self._excitation]
            filtered = synthesize(a_q12, self._excitation[at : at + SUBFRAME], past)
        self._speech = self._speech + filtered.samples
