"""The encoder: RFC 3951 section 3, from samples to a frame."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from voicecodecs.reference.ilbc import lsf_quantiser
from voicecodecs.reference.ilbc.codebook_search import search
from voicecodecs.reference.ilbc.frame import MODES, ORDER, SUBBLOCK, Frame
from voicecodecs.reference.ilbc.high_pass import input_high_pass
from voicecodecs.reference.ilbc.lpc import analyse
from voicecodecs.reference.ilbc.lpc_filters import filters, widen
from voicecodecs.reference.ilbc.packing import pack
from voicecodecs.reference.ilbc.residual import Block, complete_residual
from voicecodecs.reference.ilbc.start_search import code_start, locate_start
from voicecodecs.reference.ilbc.start_state import start_state
from voicecodecs.reference.ilbc.tables import CHIRP_WEIGHTING_Q15, LSF_MEAN_Q13
from voicecodecs.reference.ilbc.vectors import fir

__all__ = ["IlbcEncoder"]

_SEEN: Final = 300
"""Samples that the analysis looks at, this frame's among them."""


class IlbcEncoder:
    """One call's encoder.

    >>> len(IlbcEncoder(20).encode([0] * 160))
    38
    """

    def __init__(self, mode_ms: int) -> None:
        self._mode = MODES[mode_ms]
        self._high_pass = input_high_pass()
        self._seen = [0] * _SEEN
        self._lsf_old_q13: Sequence[int] = LSF_MEAN_Q13
        self._lsf_quantised_old_q13: Sequence[int] = LSF_MEAN_Q13
        self._before = [0] * ORDER

    def encode(self, samples: Sequence[int]) -> bytes:
        """Encode one frame: 160 or 240 samples to 38 or 50 bytes."""
        mode, frame = self._mode, Frame()
        filtered = self._high_pass.filter(samples)
        synthesis_q12, weighting_q12 = self._choose_filters(frame, filtered)
        residual = self._predicted_off(filtered, synthesis_q12)
        locate_start(frame, residual, mode)
        code_start(frame, residual, synthesis_q12, weighting_q12, mode)

        def choose(frame: Frame, block: Block, memory: list[int]) -> None:
            target = [residual[place] for place in block.places()]
            weighting = weighting_q12[block.position // SUBBLOCK]
            number = block.number
            frame.vector[number], frame.gain[number] = search(memory, target, weighting, number)

        decoded, position = [0] * mode.samples, frame.state_position(mode)
        decoded[position : position + mode.state_short] = start_state(
            frame, synthesis_q12[frame.start - 1], mode.state_short
        )
        complete_residual(decoded, frame, mode, choose)
        return pack(frame, mode)

    def _choose_filters(
        self, frame: Frame, samples: Sequence[int]
    ) -> tuple[list[list[int]], list[list[int]]]:
        """3.2: synthesis filters are the decoder's, from what is sent; weighting filters are not quantised."""
        self._seen = [*self._seen, *samples][-_SEEN:]
        sets_q13 = analyse(self._seen, self._mode)
        index = [lsf_quantiser.quantise(lsf_q13) for lsf_q13 in sets_q13]
        frame.lsf = [entry for part in index for entry in part]
        quantised_q13 = [lsf_quantiser.dequantise(part) for part in index]
        synthesis_q12 = filters(self._lsf_quantised_old_q13, quantised_q13, self._mode)
        weighting_q12 = filters(self._lsf_old_q13, sets_q13, self._mode)
        self._lsf_quantised_old_q13, self._lsf_old_q13 = quantised_q13[-1], sets_q13[-1]
        return synthesis_q12, [widen(a_q12, CHIRP_WEIGHTING_Q15) for a_q12 in weighting_q12]

    def _predicted_off(self, samples: Sequence[int], synthesis_q12: Sequence[Sequence[int]]) -> list[int]:
        """3.3: the residual, each sub-block by its own filter."""
        padded = [*self._before, *samples]
        self._before = padded[-ORDER:]
        residual: list[int] = []
        for i, a_q12 in enumerate(synthesis_q12):
            residual += fir(padded[i * SUBBLOCK : (i + 1) * SUBBLOCK + ORDER], a_q12)
        return residual
