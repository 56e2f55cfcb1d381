"""What iLBC's block tests draw: frames and filters, and frames as the bytes that the faces of the C blocks take."""

from __future__ import annotations

from typing import Final

from hypothesis import strategies as st

from gateway.testing.blocks import flat, levels
from voicecodecs.reference.ilbc.frame import MODES, Frame, Mode
from voicecodecs.reference.ilbc.lsf import lsf_to_filter

__all__ = ["FIELDS", "fields_of", "filters", "frames", "line_spectra", "modes"]

FIELDS: Final = 98
"""Of a frame: 6 of LSF, start, state_first, scale, 58 of the state, 15 vectors, 15 gains, empty."""


def modes() -> st.SearchStrategy[Mode]:
    """Draw 20 or 30 ms."""
    return st.sampled_from([MODES[20], MODES[30]])


def line_spectra(n_sets: int = 1) -> st.SearchStrategy[list[int]]:
    """Draw ordered frequencies, Q13, as a stable filter has them; sets one after the other."""
    one = st.lists(st.integers(82, 25723), min_size=10, max_size=10).map(sorted)
    return st.lists(one, min_size=n_sets, max_size=n_sets).map(
        lambda sets: [x for each in sets for x in each]
    )


def filters() -> st.SearchStrategy[list[int]]:
    """Draw a filter in Q12: mostly a stable one, now and then any numbers after the 1.0."""
    return line_spectra().map(lsf_to_filter) | levels(10).map(lambda a: [4096, *a])


def frames(mode: Mode) -> st.SearchStrategy[Frame]:
    """Draw a frame as any bits give one, that a decoder would believe."""

    def numbers(n: int, below: int) -> st.SearchStrategy[list[int]]:
        return st.lists(st.integers(0, below - 1), min_size=n, max_size=n)

    vectors = st.tuples(numbers(3, 126 if mode.ms == 20 else 128), *[numbers(3, 256)] * 4)
    gains = st.lists(
        st.tuples(st.integers(0, 31), st.integers(0, 15), st.integers(0, 7)), min_size=5, max_size=5
    )
    return st.builds(
        Frame,
        lsf=st.tuples(*[st.integers(0, n - 1) for n in (64, 128, 128) * 2]).map(list),
        start=st.integers(1, mode.subblocks - 1),
        state_first=st.integers(0, 1),
        scale=st.integers(0, 63),
        state=numbers(58, 8),
        vector=vectors.map(list),
        gain=gains.map(lambda blocks: [list(block) for block in blocks]),
        empty=st.integers(0, 1),
    )


def fields_of(frame: Frame) -> bytes:
    """Write a frame as the faces take it."""
    head = [*frame.lsf, frame.start, frame.state_first, frame.scale, *frame.state]
    return bytes([*head, *flat(frame.vector), *flat(frame.gain), frame.empty])
