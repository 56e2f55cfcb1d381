"""RFC 3951 sections 3.4 and 3.5: where the start state is, and its samples.

The samples are spread by an all-pass filter, so that one scale serves them, and quantised one by one, each with
the noise of those before it predicted: serial by nature.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from voicecodecs.reference.ilbc.arithmetic import bits_of, int16, saturate16
from voicecodecs.reference.ilbc.frame import ORDER, STATE, SUBBLOCK, Frame, Mode
from voicecodecs.reference.ilbc.start_state import all_pass
from voicecodecs.reference.ilbc.tables import (
    START_WINDOW,
    STATE_LEVELS_Q13,
    STATE_PEAK_BOUNDS,
    STATE_SCALE,
)
from voicecodecs.reference.ilbc.vectors import dot, greatest, peak, synthesise

__all__ = ["code_start", "locate_start"]

_LEFT_OUT: Final = 2
_BORDERS_Q13: Final = [a + b + 1 >> 1 for a, b in pairwise(STATE_LEVELS_Q13)]


def locate_start(frame: Frame, residual: Sequence[int], mode: Mode) -> None:
    """Choose the pair of sub-blocks, and which end of it to code sample by sample."""
    pair = _strongest_pair(residual, mode)
    samples = residual[pair * SUBBLOCK : pair * SUBBLOCK + STATE]
    shift = max(0, bits_of(peak(samples) ** 2) - 25)
    first, last = samples[: mode.state_short], samples[-mode.state_short :]
    frame.start = pair + 1
    frame.state_first = int(dot(first, first, shift) > dot(last, last, shift))


def code_start(
    frame: Frame,
    residual: Sequence[int],
    synthesis_q12: Sequence[Sequence[int]],
    weighting_q12: Sequence[Sequence[int]],
    mode: Mode,
) -> None:
    """Choose the scale and the codes of the start state; the filters are those of each sub-block."""
    n, position, pair = mode.state_short, frame.state_position(mode), frame.start - 1
    border = SUBBLOCK if frame.state_first else n - SUBBLOCK
    samples = residual[position : position + n]
    down = max(0, bits_of(peak(samples)) - 12)
    zeros_q12 = [a >> down for a in synthesis_q12[pair][::-1]]
    spread = all_pass(samples, zeros_q12, synthesis_q12[pair])
    frame.scale = _scale_index(peak(spread), down)
    shift = (4 if frame.scale < 27 else 9) - down
    scaled = [saturate16(x * STATE_SCALE[frame.scale] >> shift) for x in spread]
    weights = [weighting_q12[pair]] * border + [weighting_q12[pair + 1]] * (n - border)
    weighted = synthesise(scaled[:border], weights[0], [0] * ORDER)
    weighted += synthesise(scaled[border:], weights[-1], ([0] * ORDER + weighted)[-ORDER:])
    frame.state[:n] = _quantise(weighted, weights)


def _strongest_pair(residual: Sequence[int], mode: Mode) -> int:
    """Find the pair of sub-blocks with most energy, the middle of the frame favoured.

    The RFC ramps the outer samples; the fixed-point codec leaves two out at each end.
    """
    window = START_WINDOW[1:4] if mode.ms == 20 else START_WINDOW
    shift = max(0, bits_of(peak(residual) ** 2) - 24)
    energies = []
    for pair in range(mode.subblocks - 1):
        counted = residual[pair * SUBBLOCK + _LEFT_OUT : pair * SUBBLOCK + STATE - _LEFT_OUT]
        energies.append(dot(counted, counted, shift))
    down = max(0, bits_of(max(energies)) - 20)
    return greatest([(energy >> down) * weight for energy, weight in zip(energies, window, strict=True)])


def _scale_index(greatest_sample: int, down: int) -> int:
    square = greatest_sample**2 << 2 + 2 * down if greatest_sample << down < 23170 else 0x7FFFFFFF
    index = 0
    while index < 63 and square >= STATE_PEAK_BOUNDS[index]:
        index += 1
    return index


def _quantise(weighted: Sequence[int], weights_q12: Sequence[Sequence[int]]) -> list[int]:
    codes, decoded = [], [0] * ORDER
    for sample, a_q12 in zip(weighted, weights_q12, strict=True):
        (predicted,) = synthesise([0], a_q12, decoded[-ORDER:])
        code = sum((sample - predicted) * 4 > border for border in _BORDERS_Q13)
        decoded.append(int16(predicted + (STATE_LEVELS_Q13[code] + 2 >> 2)))
        codes.append(code)
    return codes
