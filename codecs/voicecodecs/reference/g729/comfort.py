"""The decoder while the other side is silent (B.4.5).

The last SID frame's spectrum and gain go on until the next; the gain is approached by eighths.
"""

from __future__ import annotations

from collections.abc import Sequence

from voicecodecs.reference.g729.bits import Sid
from voicecodecs.reference.g729.fixed import add16, dot32, mul16_rounded, norm32, round16, shl32
from voicecodecs.reference.g729.lsf_quantizer import LsfMemory
from voicecodecs.reference.g729.noise import NOISE_SEED, Random, noise_excitation
from voicecodecs.reference.g729.sid import Energy, decode_sid_lsp, gain_of_speech
from voicecodecs.reference.g729.tables_annexb import SID_GAIN, SID_LSP_START_Q15

__all__ = ["Comfort"]


class Comfort:
    """Comfort noise of one decoder."""

    def __init__(self) -> None:
        self.lsp_q15 = SID_LSP_START_Q15
        """The spectrum of the last SID frame."""
        self._sid_gain = SID_GAIN[0]
        self._gain = 0
        self._speech = Energy(0, -1)
        self.restart()

    def restart(self) -> None:
        """Start the generator anew: a frame of speech has been."""
        self._random = Random(NOISE_SEED)

    def remember(self, excitation: Sequence[int]) -> None:
        """Note how loud the excitation of a good frame was, in case the first SID frame is lost."""
        energy = dot32(excitation, excitation)
        shift = norm32(energy)
        self._speech = Energy(round16(shl32(energy, shift)), shift - 16)

    def frame(self, memory: LsfMemory, past: Sequence[int], sid: Sid | None, *, first: bool) -> list[int]:
        """Return the excitation of a frame that is not speech.

        past: the excitation before; sid: None = nothing was transmitted, or it was lost; first: the frame before
        was speech.
        """
        if sid:
            self._sid_gain = SID_GAIN[sid.gain]
            self.lsp_q15 = decode_sid_lsp(memory, sid.lsf)
        elif first:
            self._sid_gain = SID_GAIN[gain_of_speech(self._speech)]
        if first:
            self._gain = self._sid_gain
        else:
            self._gain = add16(mul16_rounded(self._gain, 28672), mul16_rounded(self._sid_gain, 4096))
        return noise_excitation(past, self._gain, self._random, None)
