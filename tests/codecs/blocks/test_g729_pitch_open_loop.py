"""G.729 section A.3.4: the open-loop pitch."""

from __future__ import annotations

from gateway.testing.blocks import Faces, agree, signals
from voicecodecs.reference.g729.pitch_open_loop import open_loop_lag


@agree(signals(223))
def test_the_lag_is_the_twins(faces: Faces, weighted: list[int]) -> None:
    assert faces.g729_open_loop_lag(weighted) == open_loop_lag(weighted)


@agree(signals(223))
def test_the_lag_is_one_that_the_search_takes(faces: Faces, weighted: list[int]) -> None:
    assert 20 <= faces.g729_open_loop_lag(weighted) <= 143


def test_a_pulse_train_has_its_own_lag_and_not_a_multiple(faces: Faces) -> None:
    """The bonus for a shorter lag: 30 and not 60, 90 or 120."""
    for period in (30, 50, 64):
        pulses = [3000 if i % period < 4 else 0 for i in range(223)]
        assert abs(faces.g729_open_loop_lag(pulses) - period) <= 1
