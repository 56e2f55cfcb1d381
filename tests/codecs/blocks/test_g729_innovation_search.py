"""G.729 sections 3.8.1 and A.3.8: the search for the four pulses."""

from __future__ import annotations

from hypothesis import strategies as st

from gateway.testing.blocks import Faces, Out16, agree, signals
from gateway.testing.g729_blocks import stable_filters
from voicecodecs.reference.g729.filters import synthesize
from voicecodecs.reference.g729.innovation_search import search_innovation

RESPONSES = stable_filters().map(lambda a_q12: synthesize(a_q12, [4096, *[0] * 39], [0] * 10).samples)
IMPULSE = [4096] + [0] * 39


@agree(RESPONSES, signals(40), st.integers(19, 143), st.integers(3277, 13017), few=12, many=300)
def test_the_pulses_are_the_twins(
    faces: Faces, h_q12: list[int], target: list[int], lag: int, sharpness_q14: int
) -> None:
    twin = search_innovation(h_q12, target, lag, sharpness_q14)

    found, code_q13, filtered_q12 = faces.g729_search_innovation(
        Out16(2), Out16(40), Out16(40), h_q12, target, lag, sharpness_q14
    )

    assert found == [twin.positions, twin.signs]
    assert (code_q13, filtered_q12) == (twin.code_q13, twin.filtered_q12)


def test_pulses_that_are_the_target_are_found(faces: Faces) -> None:
    target = [0] * 40
    target[10], target[21], target[32], target[14] = 5000, -5000, 5000, -5000

    (positions, signs), code_q13, _ = faces.g729_search_innovation(
        Out16(2), Out16(40), Out16(40), IMPULSE, target, 143, 3277
    )

    assert [i for i, x in enumerate(code_q13) if x] == [10, 14, 21, 32]
    assert (positions, signs) == (2 | 4 << 3 | 6 << 6 | (2 * 2 + 1) << 9, 0b0101)
