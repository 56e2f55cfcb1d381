"""RFC 3951 section 3.6: the blocks of a residual, in the order in which they are coded.

What is coded grows outwards from the start state:

    |  sub-block 0  |  sub-block 1  |  sub-block 2  |  sub-block 3  |      20 ms, start = 2
                    [0<=[ start state ]                                  0 first, backwards; then
                                                    [1 =============>    forwards to the end
    <=============2 ]                                                    and backwards to the beginning

A block's memory is what has been coded already, nearest sample last, and zeros before it: for backward blocks
that is in reversed time.  An encoder chooses each block's vectors on the way, a decoder has them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from voicecodecs.reference.ilbc.codebook import codebook_sum
from voicecodecs.reference.ilbc.frame import STATE, SUBBLOCK, Frame, Mode

__all__ = ["Block", "Choose", "complete_residual"]

_MEMORY: Final = 147
_MEMORY_FIRST: Final = 85


@dataclass(frozen=True, slots=True)
class Block:
    """A block to code: sample i of it is at `position + i * direction` of the residual."""

    number: int
    """0 = the rest of the start state."""
    n: int
    position: int
    direction: int
    n_known: int
    """Samples before it, in its direction, that are coded."""

    def places(self) -> range:
        """Where its samples are, in order."""
        return range(self.position, self.position + self.n * self.direction, self.direction)

    def memory(self, residual: Sequence[int]) -> list[int]:
        """What its codebook is made of."""
        length = _MEMORY if self.number else _MEMORY_FIRST
        n = min(self.n_known, length)
        before = range(self.position - n * self.direction, self.position, self.direction)
        return [0] * (length - n) + [residual[i] for i in before]


Choose: TypeAlias = Callable[[Frame, Block, list[int]], None]
"""Chooses frame.vector[block.number] and frame.gain[block.number] by the block's memory."""


def complete_residual(residual: list[int], frame: Frame, mode: Mode, choose: Choose | None = None) -> None:
    """Complete a residual of which only the start state's coded samples are there."""
    for block in _blocks(frame, mode):
        memory = block.memory(residual)
        if choose is not None:
            choose(frame, block, memory)
        decoded = codebook_sum(memory, block.n, frame.vector[block.number], frame.gain[block.number])
        for place, sample in zip(block.places(), decoded, strict=True):
            residual[place] = sample


def _blocks(frame: Frame, mode: Mode) -> Iterator[Block]:
    n_ahead, n_behind = mode.subblocks - 1 - frame.start, frame.start - 1
    position, rest = frame.state_position(mode), STATE - mode.state_short
    if frame.state_first:
        yield Block(0, rest, position + mode.state_short, 1, mode.state_short)
    else:
        yield Block(0, rest, position - 1, -1, mode.state_short)
    n_known = STATE
    for i in range(n_ahead):
        yield Block(1 + i, SUBBLOCK, (frame.start + 1 + i) * SUBBLOCK, 1, n_known)
        n_known += SUBBLOCK
    for i in range(n_behind):
        yield Block(1 + n_ahead + i, SUBBLOCK, (n_behind - i) * SUBBLOCK - 1, -1, n_known)
        n_known += SUBBLOCK
