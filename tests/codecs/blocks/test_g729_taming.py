"""G.729 section 3.7.3: taming.  No vector of the standard reaches it."""

from __future__ import annotations

from hypothesis import strategies as st

from gateway.testing.blocks import Faces, Out8, agree
from voicecodecs.reference.g729.pitch_lag import Lag
from voicecodecs.reference.g729.taming import Taming

SUBFRAMES = st.lists(
    st.tuples(st.integers(0, 19661) | st.just(19661), st.integers(20, 143), st.integers(-1, 1)),
    min_size=1,
    max_size=60,
)


@agree(SUBFRAMES)
def test_the_warnings_are_the_twins(faces: Faces, subframes: list[tuple[int, int, int]]) -> None:
    twin, twins = Taming(), []
    for gain_q14, lag, thirds in subframes:
        twins.append(int(twin.must_tame(Lag(lag, thirds))))
        twin.update(gain_q14, lag)

    gains, lags, thirds = (list(column) for column in zip(*subframes, strict=True))
    assert faces.g729_taming(Out8(len(twins)), gains, lags, thirds, len(twins)) == twins


def test_gains_above_one_must_be_tamed_in_the_end_and_others_never(faces: Faces) -> None:
    """The limit is 60,000 times the first error; 1.2 at lags of two periods a subframe gets there in 30."""
    loud, soft = ([gain] * 60 for gain in (19661, 14000))

    assert 1 in faces.g729_taming(Out8(60), loud, [30] * 60, [0] * 60, 60)
    assert 1 not in faces.g729_taming(Out8(60), soft, [30] * 60, [0] * 60, 60)
