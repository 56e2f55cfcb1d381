"""The decoder: RFC 3951 section 4, from a frame, or none, to samples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from voicecodecs.reference.ilbc import lsf_quantiser
from voicecodecs.reference.ilbc.codebook import half_size
from voicecodecs.reference.ilbc.concealment import Concealment
from voicecodecs.reference.ilbc.enhancer import Enhancer
from voicecodecs.reference.ilbc.frame import MODES, ORDER, STATE, SUBBLOCK, Frame, Mode
from voicecodecs.reference.ilbc.high_pass import output_high_pass
from voicecodecs.reference.ilbc.lpc_filters import filters
from voicecodecs.reference.ilbc.packing import unpack
from voicecodecs.reference.ilbc.residual import complete_residual
from voicecodecs.reference.ilbc.start_state import start_state
from voicecodecs.reference.ilbc.tables import LSF_MEAN_Q13
from voicecodecs.reference.ilbc.vectors import synthesise

__all__ = ["IlbcDecoder"]

_FLAT_Q12: Final = [4096] + [0] * ORDER
_LOST_RUN_CAP: Final = 1000
_MEMORY_FIRST: Final = 85


class IlbcDecoder:
    """One call's decoder; a frame of the other mode's length makes it start anew in that mode.

    >>> decoder = IlbcDecoder(20)
    >>> len(decoder.decode(None)), len(decoder.decode(bytes(50)))
    (160, 240)
    """

    def __init__(self, mode_ms: int) -> None:
        self._room = MODES[mode_ms]
        self._start(MODES[mode_ms])

    def _start(self, mode: Mode) -> None:
        self._mode = mode
        self._lost_run = 0
        self._pitch_lag = 20
        self._concealment = Concealment(mode)
        self._enhancer = Enhancer(mode)
        self._high_pass = output_high_pass()
        self._synthesis_memory = [0] * ORDER
        self._lsf_old_q13: Sequence[int] = LSF_MEAN_Q13
        self._filter_old_q12: Sequence[int] = _FLAT_Q12
        self._delayed_q12: list[Sequence[int]] = [_FLAT_Q12] * (1 if mode.ms == 20 else 2)

    def accepts(self, n_bytes: int) -> bool:
        """Say whether a frame can have that many bytes."""
        return n_bytes == 0 or any(n_bytes == mode.bytes <= self._room.bytes for mode in MODES.values())

    def decode(self, payload: bytes | None) -> list[int]:
        """Decode one frame; None (lost) and b"" (untransmitted) are concealed, and so is a damaged frame."""
        for mode in MODES.values():
            if payload and len(payload) == mode.bytes and mode is not self._mode:
                self._start(mode)
        after_loss = self._lost_run > 0
        frame = unpack(payload, self._mode) if payload else None
        if frame is not None and _is_plausible(frame, self._mode):
            self._lost_run = 0
            residual, filters_q12 = self._decoded(frame)
            self._filter_old_q12 = filters_q12[-1]
        else:
            self._lost_run = min(self._lost_run + 1, _LOST_RUN_CAP)
            residual = self._concealment.conceal(self._pitch_lag, self._lost_run)
            filters_q12 = [self._filter_old_q12] * self._mode.subblocks
        self._concealment.residual = residual
        enhanced, self._pitch_lag = self._enhancer.enhance(residual, after_loss=after_loss)
        return self._synthesised(enhanced, filters_q12)

    def _decoded(self, frame: Frame) -> tuple[list[int], list[Sequence[int]]]:
        mode = self._mode
        sets_q13 = [lsf_quantiser.dequantise(frame.lsf[3 * i : 3 * i + 3]) for i in range(mode.lpc_sets)]
        filters_q12 = filters(self._lsf_old_q13, sets_q13, mode)
        self._lsf_old_q13 = sets_q13[-1]
        residual, position = [0] * mode.samples, frame.state_position(mode)
        residual[position : position + mode.state_short] = start_state(
            frame, filters_q12[frame.start - 1], mode.state_short
        )
        complete_residual(residual, frame, mode)
        return residual, list(filters_q12)

    def _synthesised(self, enhanced: Sequence[int], filters_q12: list[Sequence[int]]) -> list[int]:
        """The enhanced residual lags, so the first sub-blocks go through the last frame's last filters."""
        in_time = [*self._delayed_q12, *filters_q12]
        samples = list(self._synthesis_memory)
        for i, a_q12 in enumerate(in_time[: self._mode.subblocks]):
            samples += synthesise(enhanced[i * SUBBLOCK : (i + 1) * SUBBLOCK], a_q12, samples[-ORDER:])
        self._synthesis_memory = samples[-ORDER:]
        self._delayed_q12 = in_time[self._mode.subblocks :]
        return self._high_pass.filter(samples[ORDER:])


def _is_plausible(frame: Frame, mode: Mode) -> bool:
    """Say whether an encoder can have sent this; if not, the other bits are not believed either.

    Asked before any state is touched, so that an impossible vector sounds like any loss; the codec itself, which
    comes upon it half-way, has to start anew there.
    """
    n_first = STATE - mode.state_short
    in_codebook = all(vector < 2 * half_size(_MEMORY_FIRST, n_first) for vector in frame.vector[0])
    return not frame.empty and 1 <= frame.start < mode.subblocks and in_codebook
