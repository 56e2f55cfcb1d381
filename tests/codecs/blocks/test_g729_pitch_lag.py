"""G.729 sections 3.7.2 and 4.1.3: pitch lags on the line.  There are few enough to try them all."""

from __future__ import annotations

from gateway.testing.blocks import Faces, Out16
from voicecodecs.reference.g729.pitch_lag import first_of, second_of, second_start


def test_every_first_lag_is_the_twins_and_comes_back(faces: Faces) -> None:
    for index in range(256):
        lag = first_of(index)
        assert faces.g729_first_lag(Out16(4), index) == [*lag, index, second_start(lag.samples)]


def test_every_second_lag_is_the_twins_and_comes_back(faces: Faces) -> None:
    for start in range(20, 135):
        for index in range(32):
            assert faces.g729_second_lag(Out16(3), index, start) == [*second_of(index, start), index]


def test_thirds_go_from_19_and_a_third_to_84_and_two_thirds(faces: Faces) -> None:
    assert faces.g729_first_lag(Out16(4), 0)[:2] == [19, 1]
    assert faces.g729_first_lag(Out16(4), 196)[:2] == [85, -1]
    assert faces.g729_first_lag(Out16(4), 255)[:2] == [143, 0]
