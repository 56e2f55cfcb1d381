"""G.729 sections 3.7 and A.3.7: the closed-loop pitch."""

from __future__ import annotations

from hypothesis import strategies as st

from gateway.testing.blocks import Faces, InOut16, Out16, agree, cut, flat, rows, signals
from gateway.testing.g729_blocks import stable_filters
from voicecodecs.reference.g729.filters import synthesize
from voicecodecs.reference.g729.pitch_search import LagRange, filtered_backwards, pitch_gain, search_lag

RESPONSES = stable_filters().map(lambda a_q12: synthesize(a_q12, [4096, *[0] * 39], [0] * 10).samples)
FIRST = st.integers(20, 137).map(lambda first: LagRange(first, first + 6, 84))
SECOND = st.integers(20, 134).map(lambda first: LagRange(first, first + 9, 143))


@agree(rows(st.tuples(RESPONSES, signals(40))))
def test_the_backward_filtered_target_is_the_twins(
    faces: Faces, drawn: list[tuple[list[int], list[int]]]
) -> None:
    responses_q12, targets = zip(*drawn, strict=True)
    out = faces.g729_filter_backwards(Out16(40 * len(drawn)), flat(responses_q12), flat(targets), len(drawn))
    assert cut(out, 40) == [filtered_backwards(*row) for row in drawn]


@agree(signals(194), signals(40), RESPONSES, FIRST | SECOND, few=25, many=400)
def test_the_lag_and_its_prediction_are_the_twins(
    faces: Faces, excitation: list[int], target: list[int], h_q12: list[int], lags: LagRange
) -> None:
    predicted, lag = faces.g729_search_lag(InOut16(excitation), Out16(2), target, h_q12, *lags)

    assert tuple(lag) == search_lag(excitation, 154, target, h_q12, lags)
    assert predicted == excitation


@agree(rows(st.tuples(signals(40), signals(40))))
def test_the_gains_and_their_products_are_the_twins(
    faces: Faces, drawn: list[tuple[list[int], list[int]]]
) -> None:
    targets, filtered = zip(*drawn, strict=True)
    out = faces.g729_pitch_gains(Out16(5 * len(drawn)), flat(targets), flat(filtered), len(drawn))
    twins = [pitch_gain(*row) for row in drawn]
    assert cut(out, 5) == [[twin.gain_q14, *twin.yy, *twin.minus_2xy] for twin in twins]


def test_the_gain_is_at_most_1_2_and_never_negative(faces: Faces) -> None:
    """19661 in Q14, section 3.7.3."""
    y = [(i * 577) % 2001 - 1000 for i in range(40)]
    targets = [[3 * x for x in y], y, [-x for x in y]]

    gains = [row[0] for row in cut(faces.g729_pitch_gains(Out16(15), flat(targets), y * 3, 3), 5)]

    assert gains[0] == 19661
    assert abs(gains[1] - 16384) < 40
    assert gains[2] == 0
