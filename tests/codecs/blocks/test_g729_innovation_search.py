"""G.729 sections 3.8.1 and A.3.8: the search for the four pulses, up to eight rows in step."""

from __future__ import annotations

from hypothesis import strategies as st

from gateway.testing.blocks import Faces, Out16, agree, cut, flat, rows, signals
from gateway.testing.g729_blocks import stable_filters
from voicecodecs.reference.g729.filters import synthesize
from voicecodecs.reference.g729.innovation_search import search_innovation

RESPONSES = stable_filters().map(lambda a_q12: synthesize(a_q12, [4096, *[0] * 39], [0] * 10).samples)
IMPULSE = [4096] + [0] * 39
SUBFRAME = st.tuples(RESPONSES, signals(40), st.integers(19, 143), st.integers(3277, 13017))


def searched(
    faces: Faces, drawn: list[tuple[list[int], list[int], int, int]]
) -> tuple[list[list[int]], list[list[int]], list[list[int]]]:
    """Return the indices, the code vector and the filtered one of each row."""
    responses_q12, targets, lags, sharpness_q14 = zip(*drawn, strict=True)
    n = len(drawn)
    found, code_q13, filtered_q12 = faces.g729_search_innovation(
        Out16(2 * n), Out16(40 * n), Out16(40 * n), flat(responses_q12), flat(targets), lags, sharpness_q14, n
    )
    return cut(found, 2), cut(code_q13, 40), cut(filtered_q12, 40)


@agree(rows(SUBFRAME), few=8, many=120)
def test_the_pulses_are_the_twins(faces: Faces, drawn: list[tuple[list[int], list[int], int, int]]) -> None:
    twins = [search_innovation(*row) for row in drawn]

    assert searched(faces, drawn) == (
        [[twin.positions, twin.signs] for twin in twins],
        [twin.code_q13 for twin in twins],
        [twin.filtered_q12 for twin in twins],
    )


def test_pulses_that_are_the_target_are_found(faces: Faces) -> None:
    target = [0] * 40
    target[10], target[21], target[32], target[14] = 5000, -5000, 5000, -5000

    found, code_q13, _ = searched(faces, [(IMPULSE, target, 143, 3277)])

    assert [i for i, x in enumerate(code_q13[0]) if x] == [10, 14, 21, 32]
    assert found == [[2 | 4 << 3 | 6 << 6 | (2 * 2 + 1) << 9, 0b0101]]
