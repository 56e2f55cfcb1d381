"""The short filters: residual, synthesis and expansion of rows in step, prediction from the past of one."""

from __future__ import annotations

from hypothesis import strategies as st

from gateway.testing.blocks import Faces, InOut16, Out16, agree, cut, flat, rows, signals
from gateway.testing.g729_blocks import filters, stable_filters
from voicecodecs.reference.g729.filters import expand, predict_long_term, residual, synthesize

FILTERS = rows(filters())
INPUTS = rows(st.tuples(filters(), signals(50)))


@agree(INPUTS, few=30, many=300)
def test_a_residual_is_the_twins(faces: Faces, drawn: list[tuple[list[int], list[int]]]) -> None:
    filters_q12, samples = zip(*drawn, strict=True)
    out = faces.g729_filter_residual(Out16(40 * len(drawn)), flat(filters_q12), flat(samples), len(drawn))
    assert cut(out, 40) == [residual(*row) for row in drawn]


@agree(INPUTS, few=30, many=300)
def test_a_synthesis_and_its_overflow_are_the_twins(
    faces: Faces, drawn: list[tuple[list[int], list[int]]]
) -> None:
    filters_q12, samples, n = [row[0] for row in drawn], [row[1] for row in drawn], len(drawn)
    now, past = [row[10:] for row in samples], [row[:10] for row in samples]

    out, saturated = faces.g729_synthesis(
        Out16(40 * n), Out16(n), flat(filters_q12), flat(now), flat(past), n
    )

    twins = [synthesize(a, row[10:], row[:10]) for a, row in drawn]
    assert cut(out, 40) == [twin.samples for twin in twins]
    assert saturated == [int(twin.saturated) for twin in twins]


@agree(FILTERS, st.integers(0, 32767))
def test_an_expanded_filter_is_the_twins(faces: Faces, filters_q12: list[list[int]], gamma_q15: int) -> None:
    out = faces.g729_expand(Out16(11 * len(filters_q12)), flat(filters_q12), gamma_q15, len(filters_q12))
    assert cut(out, 11) == [expand(a_q12, gamma_q15) for a_q12 in filters_q12]


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
    rest = faces.g729_filter_residual(Out16(40), a_q12, quiet, 1)
    if max(map(abs, rest)) > 8000:
        return
    again, _ = faces.g729_synthesis(Out16(40), Out16(1), a_q12, rest, quiet[:10], 1)
    assert abs(again[0] - quiet[10]) <= 1


def test_a_whole_lag_copies_nearly(faces: Faces) -> None:
    """The interpolation filter at 0 thirds is not a delta, but sums to one."""
    excitation = [1000] * 154 + [0] * 40
    assert set(faces.g729_predict_long_term(InOut16(excitation), 143, 0)[154:]) <= set(range(990, 1010))
