"""G.729 sections 3.2.1 and 3.2.2: linear prediction."""

from __future__ import annotations

from gateway.testing.blocks import Faces, Out16, agree, signals
from voicecodecs.reference.g729.lpc import Autocorrelation, Predictor, autocorrelate, with_lag_window

FRAMES = 3


def written(correlation: Autocorrelation) -> list[int]:
    return [*(half for r in correlation.r for half in r), correlation.exponent]


@agree(signals(240))
def test_the_correlations_are_the_twins(faces: Faces, window: list[int]) -> None:
    raw = autocorrelate(window)
    assert faces.g729_autocorrelate(Out16(27), Out16(27), window) == (
        written(raw),
        written(with_lag_window(raw)),
    )


@agree(signals(240 * FRAMES))
def test_the_filters_are_the_twins(faces: Faces, windows: list[int]) -> None:
    twin, expected = Predictor(), []
    for at in range(0, 240 * FRAMES, 240):
        found = twin.predict(with_lag_window(autocorrelate(windows[at : at + 240])).r[:11])
        expected += [*found.a_q12, *found.reflection_q15, -1 if found.error is None else found.error]

    assert faces.g729_predict(Out16(14 * FRAMES), windows, FRAMES) == expected


def test_silence_has_energy_one_and_predicts_nothing(faces: Faces) -> None:
    """r[0] starts from 1, so that nothing is divided by zero."""
    raw, _ = faces.g729_autocorrelate(Out16(27), Out16(27), [0] * 240)

    assert raw == [16384, 0, *[0] * 24, -31]
    assert faces.g729_predict(Out16(14), [0] * 240, 1)[:13] == [4096, *[0] * 12]


def test_the_loudest_window_is_scaled_down_first(faces: Faces) -> None:
    """By a quarter, as often as its energy saturates: four more in the exponent each time."""
    loud, _ = faces.g729_autocorrelate(Out16(27), Out16(27), [-32768] * 240)
    quiet, _ = faces.g729_autocorrelate(Out16(27), Out16(27), [-8192] * 240)

    assert loud[0] >= 16384
    assert loud[-1] == quiet[-1] + 4
