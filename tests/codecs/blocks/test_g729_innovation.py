"""G.729 sections 3.8 and 4.1.4: the fixed codebook, four pulses among 40 samples."""

from __future__ import annotations

from hypothesis import strategies as st

from gateway.testing.blocks import Faces, Out16, agree
from voicecodecs.reference.g729.innovation import decode_innovation

POSITIONS, SIGNS = st.integers(0, 8191), st.integers(0, 15)


@agree(POSITIONS, SIGNS, st.integers(19, 143), st.integers(3277, 13017))
def test_the_code_vector_is_the_twins(
    faces: Faces, positions: int, signs: int, lag: int, sharpness_q14: int
) -> None:
    code_q13 = faces.g729_decode_innovation(Out16(40), positions, signs, lag, sharpness_q14)
    assert code_q13 == decode_innovation(positions, signs, lag, sharpness_q14)


@agree(POSITIONS, SIGNS)
def test_four_pulses_sit_on_their_tracks(faces: Faces, positions: int, signs: int) -> None:
    """+8191 and -8192 in Q13, because the standard cuts 32767 and -32768."""
    code_q13 = faces.g729_decode_innovation(Out16(40), positions, signs, 40, 0)
    places = [i for i, x in enumerate(code_q13) if x]

    assert sorted(min(i % 5, 3) for i in places) == [0, 1, 2, 3]
    assert {x for x in code_q13 if x} <= {8191, -8192}
    assert sum(x > 0 for x in code_q13) == signs.bit_count()


def test_a_short_lag_repeats_the_pulses_more_softly(faces: Faces) -> None:
    code_q13 = faces.g729_decode_innovation(Out16(40), 0, 15, 20, 13017)
    assert code_q13[20] == (8191 * 2 * 13017) >> 15
