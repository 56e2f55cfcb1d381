"""RFC 3951 section 4.2: the samples of the start state.

They were coded after an all-pass filter that spreads a pulse over all of them; here the filter runs backwards in
time, circularly: the response that passes the end is added to the beginning.
"""

from __future__ import annotations

from collections.abc import Sequence

from voicecodecs.reference.ilbc.arithmetic import int16
from voicecodecs.reference.ilbc.frame import ORDER, Frame
from voicecodecs.reference.ilbc.tables import STATE_LEVELS_Q13, STATE_SCALE_INVERSE
from voicecodecs.reference.ilbc.vectors import fir, synthesise

__all__ = ["all_pass", "start_state"]


def start_state(frame: Frame, a_q12: Sequence[int], n: int) -> list[int]:
    """Decode the n samples of the start state that are coded one by one."""
    shift = 22 if frame.scale < 37 else 19 if frame.scale < 59 else 17
    scale = STATE_SCALE_INVERSE[frame.scale]
    levels = [scale * STATE_LEVELS_Q13[code] + (1 << shift - 1) >> shift for code in frame.state[n - 1 :: -1]]
    return all_pass(levels, a_q12[::-1], a_q12)[::-1]


def all_pass(samples: Sequence[int], zeros_q12: Sequence[int], a_q12: Sequence[int]) -> list[int]:
    """Filter circularly by zeros_q12 over a_q12."""
    n = len(samples)
    shaped = fir([0] * ORDER + list(samples) + [0] * ORDER, zeros_q12) + [0] * (n - ORDER)
    response = synthesise(shaped, a_q12, [0] * ORDER)
    return [int16(now + wrapped) for now, wrapped in zip(response[:n], response[n:], strict=True)]
