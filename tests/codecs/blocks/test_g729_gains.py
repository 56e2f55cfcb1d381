"""G.729 sections 3.9 and 4.4.2: prediction, decoding and fading of the gains, over subframes."""

from __future__ import annotations

from hypothesis import strategies as st

from gateway.testing.blocks import Faces, Out16, agree
from voicecodecs.reference.g729.gains import GainMemory, Gains
from voicecodecs.reference.g729.innovation import decode_innovation
from voicecodecs.reference.g729.tables import GAIN_CODEBOOK1, GAIN_CODEBOOK2

CODES = st.builds(
    decode_innovation, st.integers(0, 8191), st.integers(0, 15), st.integers(20, 143), st.just(13017)
)
SUBFRAMES = st.lists(
    st.tuples(st.integers(0, 7), st.integers(0, 15), CODES, st.booleans()), min_size=1, max_size=12
)
CODE = decode_innovation(0, 15, 143, 0)


@agree(SUBFRAMES)
def test_the_gains_are_the_twins(faces: Faces, subframes: list[tuple[int, int, list[int], bool]]) -> None:
    memory, gains, twins, n = GainMemory(), Gains(0, 0), [], len(subframes)
    for index1, index2, code_q13, lost in subframes:
        gains = memory.fade(gains) if lost else memory.decode(index1, index2, code_q13)
        twins += gains

    indices = [index for subframe in subframes for index in subframe[:2]]
    codes = [x for subframe in subframes for x in subframe[2]]
    lost_ones = bytes(subframe[3] for subframe in subframes)

    assert faces.g729_dequantize_gains(Out16(2 * n), indices, codes, lost_ones, n) == twins


def test_a_lost_subframe_is_a_tenth_quieter_and_its_pulses_a_fiftieth(faces: Faces) -> None:
    gains = faces.g729_dequantize_gains(Out16(4), [5, 9, 0, 0], CODE * 2, bytes([0, 1]), 2)

    assert gains[2] == gains[0] * 29491 >> 15
    assert gains[3] == gains[1] * 32111 >> 15


def test_the_extremes_of_the_tables(faces: Faces) -> None:
    """The pitch gain is the sum of a first and a second entry."""
    pitch = [
        faces.g729_dequantize_gains(Out16(2), [ga, gb], CODE, bytes(1), 1)[0]
        for ga in range(8)
        for gb in range(16)
    ]
    assert min(pitch) == min(first for first, _ in GAIN_CODEBOOK1) + min(first for first, _ in GAIN_CODEBOOK2)
    assert max(pitch) == max(first for first, _ in GAIN_CODEBOOK1) + max(first for first, _ in GAIN_CODEBOOK2)
    assert 1.35 < max(pitch) / 16384 < 1.36
