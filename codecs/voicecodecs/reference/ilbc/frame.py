"""What a frame says, and what differs between the two modes.

Sub-blocks are counted from 0; `start` is the start state's first sub-block counted from 1, as it is sent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

__all__ = [
    "BLOCKS",
    "MODES",
    "ORDER",
    "STAGES",
    "STATE",
    "SUBBLOCK",
    "Frame",
    "Mode",
]

ORDER: Final = 10
"""Of the prediction."""
SUBBLOCK: Final = 40
"""Samples of a sub-block."""
STATE: Final = 2 * SUBBLOCK
"""The two sub-blocks that hold the start state."""
STAGES: Final = 3
"""Of the codebook."""
BLOCKS: Final = 5
"""Coded by codebook: the rest of the start state, then up to 4 sub-blocks."""


@dataclass(frozen=True, slots=True)
class Mode:
    """The sizes of a mode."""

    ms: int
    samples: int
    bytes: int
    subblocks: int
    lpc_sets: int
    state_short: int
    """Samples of the start state that are coded one by one."""


MODES: Final[Mapping[int, Mode]] = MappingProxyType(
    {20: Mode(20, 160, 38, 4, 1, 57), 30: Mode(30, 240, 50, 6, 2, 58)}
)
"""By frame duration in ms."""


@dataclass(slots=True)
class Frame:
    """The parameters of one frame."""

    lsf: list[int] = field(default_factory=lambda: [0] * 6)
    """3 for each LPC set."""
    start: int = 0
    """Sub-block of the start state, 1 to 3 or 5."""
    state_first: int = 0
    """1 = the coded samples are the first of its 80, 0 = the last."""
    scale: int = 0
    """Of the start state."""
    state: list[int] = field(default_factory=lambda: [0] * 58)
    vector: list[list[int]] = field(default_factory=lambda: [[0] * STAGES for _ in range(BLOCKS)])
    gain: list[list[int]] = field(default_factory=lambda: [[0] * STAGES for _ in range(BLOCKS)])
    empty: int = 0
    """1 = nothing of this may be used."""

    def state_position(self, mode: Mode) -> int:
        """Say where in the frame the coded samples of the start state begin."""
        return (self.start - 1) * SUBBLOCK + (0 if self.state_first else STATE - mode.state_short)
