"""RFC 3951 sections 3.6.3 and 4.3: the codebook of a block, made of the samples coded before it."""

from __future__ import annotations

from hypothesis import strategies as st

from gateway.testing.blocks import Faces, Out16, agree, signals
from voicecodecs.reference.ilbc.codebook import codebook_sum, half_size

GAINS = st.tuples(st.integers(0, 31), st.integers(0, 15), st.integers(0, 7))
ONE = (bytes([0, 0, 0]), bytes([31, 0, 0]))


def kinds() -> st.SearchStrategy[tuple[int, int, list[int], list[int]]]:
    """Draw the length of a memory, of a block, the memory, and three indices of its codebook."""

    def drawn(shape: tuple[int, int]) -> st.SearchStrategy[tuple[int, int, list[int], list[int]]]:
        length, n = shape
        index = st.integers(0, min(255, 2 * half_size(length, n) - 1))
        return st.tuples(
            st.just(length), st.just(n), signals(length), st.lists(index, min_size=3, max_size=3)
        )

    return st.sampled_from([(85, 23), (85, 22), (147, 40)]).flatmap(drawn)


@agree(kinds(), GAINS)
def test_the_sum_of_three_vectors_is_the_twins(
    faces: Faces, drawn: tuple[int, int, list[int], list[int]], gain: tuple[int, ...]
) -> None:
    length, n, memory, vector = drawn
    decoded = faces.ilbc_codebook_sum(Out16(n), memory, length, n, bytes(vector), bytes(gain))
    assert decoded == codebook_sum(memory, n, vector, gain)


def test_the_sizes_are_the_standards(faces: Faces) -> None:
    """RFC 3951 section 3.6.3: 2 * (147 - 40 + 1 + 20), and for the rest of the start state 128 and 126 ... 128."""
    assert faces.ilbc_codebook_size(147, 40) == 256
    assert (faces.ilbc_codebook_size(85, 23), faces.ilbc_codebook_size(85, 22)) == (126, 128)


def test_vector_0_is_the_newest_samples(faces: Faces) -> None:
    """Three times vector 0 with a first gain of 1.2 and others near 0 goes up with the memory's end."""
    memory = [0] * 107 + list(range(100, 4100, 100))
    decoded = faces.ilbc_codebook_sum(Out16(40), memory, 147, 40, bytes(3), bytes([31, 7, 4]))
    again = codebook_sum(memory, 40, [0, 0, 0], [31, 7, 4])

    assert decoded == again == sorted(again)


def test_silence_stays_silent(faces: Faces) -> None:
    for index in range(256):
        vector = bytes([index] * 3)
        assert not any(faces.ilbc_codebook_sum(Out16(40), [0] * 147, 147, 40, vector, bytes([31, 15, 7])))
