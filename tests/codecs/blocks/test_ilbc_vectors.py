"""The loops that the other blocks are made of."""

from __future__ import annotations

from hypothesis import strategies as st

from gateway.testing.blocks import Faces, InOut16, Out16, agree, levels, signals
from gateway.testing.ilbc_blocks import filters
from voicecodecs.reference.ilbc.vectors import dot, fir, synthesise


@agree(signals(80), signals(80), st.integers(0, 15))
def test_a_scaled_sum_of_products_is_the_twins(faces: Faces, x: list[int], y: list[int], shift: int) -> None:
    assert faces.ilbc_dot(x, y, 80, shift) == dot(x, y, shift)


@agree(signals(50), st.sampled_from([7, 8, 11]).flatmap(levels))
def test_a_filter_without_feedback_is_the_twins(faces: Faces, samples: list[int], taps: list[int]) -> None:
    padded = [0] * (len(taps) - 1) + samples
    assert faces.ilbc_fir(Out16(50), padded, taps, len(taps), 50) == fir(padded, taps)


@agree(signals(40), filters(), signals(10))
def test_a_synthesis_filter_is_the_twins(
    faces: Faces, samples: list[int], a_q12: list[int], past: list[int]
) -> None:
    out = faces.ilbc_synthesise(InOut16([*past, *[0] * 40]), samples, a_q12, 40)
    assert out[10:] == synthesise(samples, a_q12, past)


def test_sums_saturate(faces: Faces) -> None:
    assert faces.ilbc_dot([-32768] * 80, [-32768] * 80, 80, 0) == 2**31 - 1
    assert faces.ilbc_dot([-32768] * 80, [32767] * 80, 80, 0) == -(2**31)
