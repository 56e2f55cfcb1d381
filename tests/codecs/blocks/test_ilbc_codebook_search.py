"""RFC 3951 section 3.6.4: three vectors and their gains for a block."""

from __future__ import annotations

from hypothesis import strategies as st

from gateway.testing.blocks import Faces, Out8, Out16, agree, signals
from gateway.testing.ilbc_blocks import filters
from voicecodecs.reference.ilbc.codebook_search import search
from voicecodecs.reference.ilbc.lpc_filters import widen
from voicecodecs.reference.ilbc.tables import CHIRP_WEIGHTING_Q15

SHAPES = st.sampled_from([(85, 23, 0), (85, 22, 0), (147, 40, 1), (147, 40, 2), (147, 40, 3), (147, 40, 4)])
WEIGHTING = filters().map(lambda a_q12: widen(a_q12, CHIRP_WEIGHTING_Q15))
FLAT_Q12 = [4096] + [0] * 10


@agree(SHAPES, signals(240), WEIGHTING, few=12, many=300)
def test_the_choice_is_the_twins(
    faces: Faces, shape: tuple[int, int, int], samples: list[int], weighting_q12: list[int]
) -> None:
    length, n, block = shape
    memory, target = samples[:length], samples[length : length + n]

    chosen = faces.ilbc_codebook_search(Out8(3), Out8(3), target, memory, weighting_q12, length, n, block)

    assert chosen == search(memory, target, weighting_q12, block)


def test_a_target_that_is_in_the_memory_is_found(faces: Faces) -> None:
    memory = [(i * i * 37) % 4001 - 2000 for i in range(147)]
    target = memory[147 - 40 - 30 : 147 - 30]

    vector, gain = faces.ilbc_codebook_search(Out8(3), Out8(3), target, memory, FLAT_Q12, 147, 40, 3)
    decoded = faces.ilbc_codebook_sum(Out16(40), memory, 147, 40, bytes(vector), bytes(gain))

    assert vector[0] == 30
    assert sum((x - y) ** 2 for x, y in zip(decoded, target, strict=True)) < sum(x * x for x in target) / 100


def test_a_silent_memory_offers_nothing(faces: Faces) -> None:
    vector, _ = faces.ilbc_codebook_search(Out8(3), Out8(3), [1000] * 40, [0] * 147, FLAT_Q12, 147, 40, 1)
    assert vector == search([0] * 147, [1000] * 40, FLAT_Q12, 1)[0]
