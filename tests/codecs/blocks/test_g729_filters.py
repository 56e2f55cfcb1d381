"""The short filters: residual, synthesis, expansion, prediction from the past."""

from __future__ import annotations

from hypothesis import strategies as st

from gateway.testing.blocks import Faces, InOut16, Out16, agree, signals
from gateway.testing.g729_blocks import filters, stable_filters
from voicecodecs.reference.g729.filters import expand, predict_long_term, residual, synthesize


@agree(filters(), signals(50))
def test_a_residual_is_the_twins(faces: Faces, a_q12: list[int], samples: list[int]) -> None:
    assert faces.g729_filter_residual(Out16(40), a_q12, samples, 40) == residual(a_q12, samples)


@agree(filters(), signals(40), signals(10))
def test_a_synthesis_and_its_overflow_are_the_twins(
    faces: Faces, a_q12: list[int], samples: list[int], past: list[int]
) -> None:
    out, saturated = faces.g729_synthesis(Out16(40), Out16(1), a_q12, samples, 40, past)
    assert (out, bool(saturated[0])) == synthesize(a_q12, samples, past)


@agree(filters(), st.integers(0, 32767))
def test_an_expanded_filter_is_the_twins(faces: Faces, a_q12: list[int], gamma_q15: int) -> None:
    assert faces.g729_expand(Out16(11), a_q12, gamma_q15) == expand(a_q12, gamma_q15)


@agree(signals(194), st.integers(20, 143), st.integers(-1, 1), few=30, many=500)
def test_a_prediction_from_the_past_is_the_twins(
    faces: Faces, excitation: list[int], lag: int, thirds: int
) -> None:
    predicted = faces.g729_predict_long_term(InOut16(excitation), lag, thirds)
    predict_long_term(excitation, 154, lag, thirds)
    assert predicted == excitation


@agree(stable_filters(), signals(50))
def test_synthesis_undoes_the_residual(faces: Faces, a_q12: list[int], samples: list[int]) -> None:
    """Up to rounding, where nothing saturates: samples an eighth of full scale."""
    quiet = [x >> 3 for x in samples]
    rest = faces.g729_filter_residual(Out16(40), a_q12, quiet, 40)
    if max(map(abs, rest)) > 8000:
        return
    again, _ = faces.g729_synthesis(Out16(40), Out16(1), a_q12, rest, 40, quiet[:10])
    assert abs(again[0] - quiet[10]) <= 1


def test_a_whole_lag_copies_nearly(faces: Faces) -> None:
    """The interpolation filter at 0 thirds is not a delta, but sums to one."""
    excitation = [1000] * 154 + [0] * 40
    assert set(faces.g729_predict_long_term(InOut16(excitation), 143, 0)[154:]) <= set(range(990, 1010))
