"""ITU-T G.191: the basic operators.  Half of all failures to be bit-exact are here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import pytest
from hypothesis import strategies as st

from gateway.testing.blocks import Faces, agree
from voicecodecs.reference.g729 import fixed

Operator = Callable[[int, int], int]


def low(x: int) -> int:
    return fixed.low16(x)


OPERATORS: Final[tuple[Operator, ...]] = (
    lambda a, b: fixed.add16(low(a), low(b)),
    lambda a, b: fixed.sub16(low(a), low(b)),
    lambda a, b: fixed.mul16(low(a), low(b)),
    lambda a, b: fixed.mul16_rounded(low(a), low(b)),
    lambda a, b: fixed.mul32(low(a), low(b)),
    fixed.add32,
    fixed.sub32,
    lambda a, b: fixed.shl16(low(a), remainder(b)),
    lambda a, b: fixed.shr16_rounded(low(a), remainder(b)),
    lambda a, b: fixed.shl32(a, remainder(b)),
    lambda a, b: fixed.shr32_rounded(a, remainder(b)),
    lambda a, b: fixed.round16(a),
    lambda a, b: fixed.norm32(a),
    lambda a, b: fixed.norm16(low(a)),
    lambda a, b: fixed.abs32(a),
    lambda a, b: fixed.neg32(a),
    lambda a, b: fixed.mac32(a, b >> 16, low(b)),
    lambda a, b: fixed.msu32(a, b >> 16, low(b)),
    lambda a, b: fixed.dpf_mul(fixed.dpf_of(a), fixed.dpf_of(b)),
    lambda a, b: fixed.dpf_mul16(fixed.dpf_of(a), low(b)),
    lambda a, b: fixed.dpf_value(fixed.dpf_of(a)),
)
EDGES: Final = st.sampled_from(
    [0, 1, -1, 0x7FFF, -0x8000, 0x8000, 0x7FFFFFFF, -0x80000000, -0x7FFF8000, 0x7FFF8000, 0x40000000]
)
WORDS: Final = st.integers(-0x80000000, 0x7FFFFFFF) | st.integers(-70000, 70000) | EDGES


def remainder(b: int) -> int:
    """C's: with the sign of what is divided."""
    return b % 64 if b >= 0 else -(-b % 64)


@agree(st.integers(0, len(OPERATORS) - 1), WORDS, WORDS, few=400, many=20_000)
def test_every_operator_is_the_twins(faces: Faces, which: int, a: int, b: int) -> None:
    assert faces.g729_operator(which, a, b) == OPERATORS[which](a, b)


@pytest.mark.parametrize("which", range(len(OPERATORS)))
def test_every_operator_is_the_twins_at_its_edges(faces: Faces, which: int) -> None:
    edges = [0, 1, -1, 0x7FFF, -0x8000, 0x7FFFFFFF, -0x80000000, 0x40000000]
    for a in edges:
        for b in edges:
            assert faces.g729_operator(which, a, b) == OPERATORS[which](a, b), (a, b)


@agree(st.integers(0, 32767), st.integers(1, 32767), few=100, many=5000)
def test_a_quotient_is_the_twins(faces: Faces, a: int, b: int) -> None:
    assert faces.g729_divide(min(a, b), b) == fixed.div16(min(a, b), b)


@agree(st.integers(0, 0x7FFFFFFF), st.integers(0x40000000, 0x7FFFFFFF), few=100, many=5000)
def test_a_quotient_of_double_precision_is_the_twins(faces: Faces, a: int, b: int) -> None:
    assert faces.g729_divide_dpf(min(a, b - 1), b) == fixed.dpf_div(min(a, b - 1), fixed.dpf_of(b))


def test_only_minus_one_squared_saturates(faces: Faces) -> None:
    mul32 = 4
    assert faces.g729_operator(mul32, -32768, -32768) == 0x7FFFFFFF
    assert faces.g729_operator(mul32, -32768, 32767) == -2 * 32768 * 32767
