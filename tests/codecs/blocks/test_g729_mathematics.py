"""Logarithm, power and roots by table."""

from __future__ import annotations

import math

from hypothesis import strategies as st

from gateway.testing.blocks import Faces, Out16, agree
from voicecodecs.reference.g729 import mathematics

NUMBERS = st.integers(-5, 0x7FFFFFFF) | st.integers(0, 31).map(lambda bits: (1 << bits) - 1)


@agree(NUMBERS, few=200, many=20_000)
def test_the_logarithm_is_the_twins(faces: Faces, x: int) -> None:
    assert tuple(faces.g729_log2(Out16(2), x)) == mathematics.log2(x)


@agree(st.integers(-2, 30), st.integers(0, 32767), few=200, many=20_000)
def test_the_power_is_the_twins(faces: Faces, exponent: int, fraction_q15: int) -> None:
    assert faces.g729_power2(exponent, fraction_q15) == mathematics.power2(exponent, fraction_q15)


@agree(NUMBERS, few=200, many=20_000)
def test_the_roots_are_the_twins(faces: Faces, x: int) -> None:
    assert faces.g729_inverse_sqrt(x) == mathematics.inverse_sqrt(x)
    assert faces.g729_sqrt(max(x, 0)) == mathematics.sqrt(max(x, 0))


@agree(st.integers(1, 0x7FFFFFFF))
def test_the_logarithm_is_right_to_a_thousandth(faces: Faces, x: int) -> None:
    exponent, fraction_q15 = faces.g729_log2(Out16(2), x)
    assert math.isclose(exponent + fraction_q15 / 32768, math.log2(x), abs_tol=1e-3)


def test_what_has_no_logarithm_and_no_root(faces: Faces) -> None:
    assert faces.g729_log2(Out16(2), 0) == [0, 0]
    assert faces.g729_inverse_sqrt(0) == 0x3FFFFFFF
