"""G.729 sections 3.7 and A.3.7: the closed-loop pitch."""

from __future__ import annotations

from hypothesis import strategies as st

from gateway.testing.blocks import Faces, InOut16, Out16, agree, signals
from gateway.testing.g729_blocks import stable_filters
from voicecodecs.reference.g729.filters import synthesize
from voicecodecs.reference.g729.pitch_search import LagRange, filtered_backwards, pitch_gain, search_lag

RESPONSES = stable_filters().map(lambda a_q12: synthesize(a_q12, [4096, *[0] * 39], [0] * 10).samples)
FIRST = st.integers(20, 137).map(lambda first: LagRange(first, first + 6, 84))
SECOND = st.integers(20, 134).map(lambda first: LagRange(first, first + 9, 143))


@agree(RESPONSES, signals(40))
def test_the_backward_filtered_target_is_the_twins(faces: Faces, h_q12: list[int], target: list[int]) -> None:
    assert faces.g729_filter_backwards(Out16(40), h_q12, target) == filtered_backwards(h_q12, target)


@agree(signals(194), signals(40), RESPONSES, FIRST | SECOND, few=25, many=400)
def test_the_lag_and_its_prediction_are_the_twins(
    faces: Faces, excitation: list[int], target: list[int], h_q12: list[int], lags: LagRange
) -> None:
    predicted, lag = faces.g729_search_lag(InOut16(excitation), Out16(2), target, h_q12, *lags)

    assert tuple(lag) == search_lag(excitation, 154, target, h_q12, lags)
    assert predicted == excitation


@agree(signals(40), signals(40))
def test_the_gain_and_its_products_are_the_twins(faces: Faces, target: list[int], y: list[int]) -> None:
    twin = pitch_gain(target, y)
    assert faces.g729_pitch_gain(Out16(5), target, y) == [twin.gain_q14, *twin.yy, *twin.minus_2xy]


def test_the_gain_is_at_most_1_2_and_never_negative(faces: Faces) -> None:
    """19661 in Q14, section 3.7.3."""
    y = [(i * 577) % 2001 - 1000 for i in range(40)]

    assert faces.g729_pitch_gain(Out16(5), [3 * x for x in y], y)[0] == 19661
    assert abs(faces.g729_pitch_gain(Out16(5), y, y)[0] - 16384) < 40
    assert faces.g729_pitch_gain(Out16(5), [-x for x in y], y)[0] == 0
