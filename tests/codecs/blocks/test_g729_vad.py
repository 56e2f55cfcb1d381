"""G.729 section B.3: voice activity detection, over frames."""

from __future__ import annotations

import numpy as np

from gateway.testing.blocks import Faces, Out8, agree, signals
from voicecodecs.reference.g729.filters import ORDER
from voicecodecs.reference.g729.lpc import Predictor, autocorrelate, with_lag_window
from voicecodecs.reference.g729.lsp import lsp_of_filter, normal_lsf_of_lsp
from voicecodecs.reference.g729.vad import Vad, VadInput

SHORT, LONG = 12, 150


def twins(samples: list[int], n: int) -> list[bool]:
    vad, predictor, lsp_q15, said = Vad(), Predictor(), (0,) * ORDER, []
    for at in range(0, 80 * n, 80):
        window = samples[at : at + 240]
        windowed = with_lag_window(autocorrelate(window))
        found = predictor.predict(windowed.r[: ORDER + 1])
        lsp_q15 = lsp_of_filter(found.a_q12, lsp_q15)
        said.append(
            vad.is_speech(VadInput(windowed, window, normal_lsf_of_lsp(lsp_q15), found.reflection_q15[1]))
        )
    return said


def noisy(n: int, seed: int) -> list[int]:
    """Faint noise, and bursts of loud noise after the training."""
    chance = np.random.default_rng(seed)
    loud = np.arange(160 + 80 * n) // 80 % 40 > 34
    made = chance.normal(0, 20, loud.size) * np.where(loud & (np.arange(loud.size) > 80 * 32), 300, 1)
    return [int(x) for x in np.clip(made, -32768, 32767)]


@agree(signals(160 + 80 * SHORT), few=8, many=100)
def test_decisions_in_training_are_the_twins(faces: Faces, samples: list[int]) -> None:
    assert faces.g729_vad(Out8(SHORT), samples, SHORT) == twins(samples, SHORT)


def test_decisions_after_the_minimum_is_known_are_the_twins(faces: Faces) -> None:
    """150 frames: past the training (32) and past the first minimum (128)."""
    samples = noisy(LONG, 1)
    assert faces.g729_vad(Out8(LONG), samples, LONG) == twins(samples, LONG)


def test_silence_is_none_and_a_burst_in_noise_is_speech(faces: Faces) -> None:
    """Only from frame 129 on does the level alone say that it is noise (B.3.6)."""
    assert not any(faces.g729_vad(Out8(40), [0] * (160 + 80 * 40), 40))

    said = faces.g729_vad(Out8(160), noisy(160, 2), 160)
    assert not any(said[130:150])
    assert all(said[153:158])
