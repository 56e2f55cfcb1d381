"""RFC 3951 section 4.2: the samples of the start state."""

from __future__ import annotations

from hypothesis import strategies as st

from gateway.testing.blocks import Faces, Out16, agree, levels, signals
from gateway.testing.ilbc_blocks import fields_of, filters
from voicecodecs.reference.ilbc.frame import Frame
from voicecodecs.reference.ilbc.start_state import all_pass, start_state

LENGTHS = st.sampled_from([57, 58])
CODES = st.lists(st.integers(0, 7), min_size=58, max_size=58)
FLAT_Q12 = [4096] + [0] * 10


@agree(signals(58), levels(11), filters(), LENGTHS)
def test_the_circular_filter_is_the_twins(
    faces: Faces, samples: list[int], zeros_q12: list[int], a_q12: list[int], n: int
) -> None:
    assert faces.ilbc_all_pass(Out16(n), samples[:n], zeros_q12, a_q12, n) == all_pass(
        samples[:n], zeros_q12, a_q12
    )


@agree(CODES, st.integers(0, 63), filters(), LENGTHS)
def test_the_start_state_is_the_twins(
    faces: Faces, codes: list[int], scale: int, a_q12: list[int], n: int
) -> None:
    frame = Frame(state=codes, scale=scale)
    assert faces.ilbc_start_state(Out16(n), fields_of(frame), a_q12, n) == start_state(frame, a_q12, n)


def test_the_codes_are_levels_in_order(faces: Faces) -> None:
    """A filter that is flat leaves the levels alone, the last of them first: it runs backwards in time."""
    levels_of = [
        faces.ilbc_start_state(Out16(58), fields_of(Frame(state=[code] * 58, scale=40)), FLAT_Q12, 58)[-1]
        for code in range(8)
    ]

    assert levels_of == sorted(levels_of)
    assert levels_of[0] < 0 < levels_of[-1]


def test_the_scale_goes_up_with_its_index(faces: Faces) -> None:
    loudest = [
        max(faces.ilbc_start_state(Out16(58), fields_of(Frame(state=[7] * 58, scale=scale)), FLAT_Q12, 58))
        for scale in range(64)
    ]
    assert loudest == sorted(loudest)
