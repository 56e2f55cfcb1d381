"""RFC 3951 sections 3.2.4 to 3.2.6: ten frequencies in 20 bits."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import strategies as st

from gateway.testing.blocks import Faces, Out8, Out16, agree, levels
from gateway.testing.ilbc_blocks import line_spectra
from voicecodecs.reference.ilbc.lsf_quantiser import dequantise, quantise
from voicecodecs.reference.ilbc.tables import LSF_CODEBOOK_Q13

INDICES = st.tuples(st.integers(0, 63), st.integers(0, 127), st.integers(0, 127))


@agree(line_spectra() | levels(10, 0, 25736))
def test_the_choice_is_the_twins(faces: Faces, lsf_q13: list[int]) -> None:
    assert faces.ilbc_lsf_quantise(Out8(3), lsf_q13) == quantise(lsf_q13)


@agree(INDICES, INDICES)
def test_what_is_decoded_is_the_twins(faces: Faces, one: tuple[int, ...], other: tuple[int, ...]) -> None:
    decoded = faces.ilbc_lsf_dequantise(Out16(20), bytes([*one, *other]), 2)
    assert decoded == [*dequantise(one), *dequantise(other)]


@agree(INDICES)
def test_neighbours_50_hz_apart_are_left_alone_and_no_others(faces: Faces, index: tuple[int, ...]) -> None:
    """319 in Q13 radians are 50 Hz; nearer ones would make a filter that rings."""
    at = [(first + entry * n, n) for entry, n, first in zip(index, (3, 3, 4), (0, 192, 576), strict=True)]
    looked_up = [x for first, n in at for x in LSF_CODEBOOK_Q13[first : first + n]]

    decoded = faces.ilbc_lsf_dequantise(Out16(10), bytes(index), 1)

    assert (decoded == looked_up) == all(high - low >= 319 for low, high in pairwise(looked_up))


def test_a_codeword_is_its_own_nearest(faces: Faces) -> None:
    assert faces.ilbc_lsf_quantise(Out8(3), [*LSF_CODEBOOK_Q13[:3], *LSF_CODEBOOK_Q13[192:195], *[0] * 4])[
        :2
    ] == [0, 0]
