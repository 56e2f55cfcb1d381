"""Taming: keep an error of the channel from growing in a loop of large pitch gains (3.7.3).

Bounds how large an error in the past excitation could have become in the decoder: worst cases for four zones of
the past, each grown by the gain of every subframe.  Where one is beyond the limit, the gain search must stay
below 1.
"""

from __future__ import annotations

from typing import Final

from voicecodecs.reference.g729.filters import SUBFRAME
from voicecodecs.reference.g729.fixed import add32, dpf_mul16, dpf_of, shl32
from voicecodecs.reference.g729.pitch_lag import Lag
from voicecodecs.reference.g729.tables import TAMING_ZONE_OF

__all__ = ["Taming"]

_ONE_Q14: Final = 0x4000
_LIMIT_Q14: Final = 983040000


class Taming:
    """The worst errors by zone, the newest first."""

    def __init__(self) -> None:
        self._errors_q14 = [_ONE_Q14] * 4

    def must_tame(self, lag: Lag) -> bool:
        """Say whether the excitation at this lag may carry too large an error."""
        whole = lag.samples + (lag.thirds > 0)
        first, last = TAMING_ZONE_OF[max(0, whole - SUBFRAME - 10)], TAMING_ZONE_OF[whole + 8]
        return max(self._errors_q14[first : last + 1]) > _LIMIT_Q14

    def update(self, pitch_gain_q14: int, lag: int) -> None:
        """Note the gain of a subframe."""
        if lag < SUBFRAME:  # the lag feeds on itself: twice
            once = _grown(self._errors_q14[0], pitch_gain_q14)
            worst = max(once, _grown(once, pitch_gain_q14))
        else:
            zones = self._errors_q14[TAMING_ZONE_OF[lag - SUBFRAME] : TAMING_ZONE_OF[lag - 1] + 1]
            worst = max(_grown(error_q14, pitch_gain_q14) for error_q14 in zones)
        self._errors_q14 = [max(worst, -1), *self._errors_q14[:3]]


def _grown(error_q14: int, pitch_gain_q14: int) -> int:
    return add32(_ONE_Q14, shl32(dpf_mul16(dpf_of(error_q14), pitch_gain_q14), 1))
