"""RFC 3951 section 3.6.4.2: the gains of a block's three vectors, in 5, 4 and 3 bits."""

from __future__ import annotations

from hypothesis import strategies as st

from gateway.testing.blocks import Faces, agree
from voicecodecs.reference.ilbc.gain import gain_index, gain_q14, gain_raised

LIMITS_Q14 = st.integers(-21299, 21299)
STAGES = st.integers(0, 2)
ENERGIES = st.integers(0, 2**31 - 1) | st.integers(0, 5000)


@agree(st.integers(-21299, 21299), LIMITS_Q14, STAGES)
def test_the_index_is_the_twins(faces: Faces, wanted_q14: int, limit_q14: int, stage: int) -> None:
    assert faces.ilbc_gain_index(wanted_q14, limit_q14, stage) == gain_index(wanted_q14, limit_q14, stage)


@agree(STAGES.flatmap(lambda s: st.tuples(st.integers(0, (32 >> s) - 1), st.just(s))), LIMITS_Q14)
def test_the_gain_is_the_twins(faces: Faces, drawn: tuple[int, int], limit_q14: int) -> None:
    index, stage = drawn
    assert faces.ilbc_gain_q14(index, limit_q14, stage) == gain_q14(index, limit_q14, stage)


@agree(st.integers(0, 31), ENERGIES, ENERGIES)
def test_the_raised_gain_is_the_twins(faces: Faces, index: int, coded: int, target: int) -> None:
    first_q14 = gain_q14(index, 16384, 0)
    assert faces.ilbc_gain_raised(index, first_q14, coded, target) == gain_raised(
        index, first_q14, coded, target
    )


def test_the_extremes_of_the_tables(faces: Faces) -> None:
    """The first gain is positive and at most 1.2; the second may be negative; a tenth is the least scale."""
    assert [faces.ilbc_gain_q14(index, 16384, 0) for index in (0, 31)] == [614, 19661]
    assert [faces.ilbc_gain_q14(index, 16384, 1) for index in (0, 15)] == [-17203, 19661]
    assert faces.ilbc_gain_q14(31, 0, 0) == faces.ilbc_gain_q14(31, 1638, 0) == round(19661 * 1638 / 16384)


def test_every_gain_is_its_own_nearest(faces: Faces) -> None:
    for stage in range(3):
        n = 32 >> stage
        assert [faces.ilbc_gain_index(gain_q14(i, 16384, stage), 16384, stage) for i in range(n)] == list(
            range(n)
        )


def test_the_gain_is_raised_only_towards_the_targets_energy(faces: Faces) -> None:
    first_q14 = gain_q14(10, 16384, 0)

    assert faces.ilbc_gain_raised(10, first_q14, 1000, 1000) == 10
    assert (
        10
        < faces.ilbc_gain_raised(10, first_q14, 1000, 2000)
        < faces.ilbc_gain_raised(10, first_q14, 1000, 9000)
    )
