"""RFC 3951 sections 3.1 and 4.8."""

from __future__ import annotations

from hypothesis import strategies as st

from gateway.testing.blocks import Faces, Out16, agree, signals
from voicecodecs.reference.ilbc.high_pass import input_high_pass, output_high_pass


@agree(signals(480), st.sampled_from([160, 240]))
def test_the_input_filter_is_the_twins(faces: Faces, pcm: list[int], n: int) -> None:
    assert faces.ilbc_high_pass(Out16(480), pcm, 480 // n, n, 1) == input_high_pass().filter(pcm)


@agree(signals(480), st.sampled_from([160, 240]))
def test_the_output_filter_is_the_twins(faces: Faces, pcm: list[int], n: int) -> None:
    assert faces.ilbc_high_pass(Out16(480), pcm, 480 // n, n, 0) == output_high_pass().filter(pcm)


def test_a_constant_level_goes_away_but_for_what_the_coefficients_round(faces: Faces) -> None:
    """The output's b0 + b1 + b2 is -1 in Q12, not 0: an 11th, doubled, stays."""
    assert abs(faces.ilbc_high_pass(Out16(2400), [8000] * 2400, 10, 240, 1)[-1]) <= 1
    assert faces.ilbc_high_pass(Out16(2400), [8000] * 2400, 10, 240, 0)[-1] == round(-8000 * 2 / 11)


def test_the_output_filter_doubles_and_saturates(faces: Faces) -> None:
    """At half the sampling rate a high pass leaves the level alone; the decoder gives back the encoder's half."""
    alternating = [10000, -10000] * 240

    halved = faces.ilbc_high_pass(Out16(480), alternating, 2, 240, 1)
    doubled = faces.ilbc_high_pass(Out16(480), alternating, 2, 240, 0)

    assert 4500 < abs(halved[-1]) < 5500
    assert 18000 < abs(doubled[-1]) < 22000
    assert set(faces.ilbc_high_pass(Out16(480), [30000, -30000] * 240, 2, 240, 0)[100:]) == {32767, -32768}
