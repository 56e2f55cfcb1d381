"""G.729 sections 3.1 and 4.2.5."""

from __future__ import annotations

from gateway.testing.blocks import Faces, Out16, agree, signals
from voicecodecs.reference.g729.highpass import Postprocess, Preprocess


@agree(signals(240))
def test_preprocessing_is_the_twins(faces: Faces, pcm: list[int]) -> None:
    assert faces.g729_highpass(Out16(240), pcm, 3, 1) == Preprocess().process(pcm)


@agree(signals(240))
def test_postprocessing_is_the_twins(faces: Faces, pcm: list[int]) -> None:
    assert faces.g729_highpass(Out16(240), pcm, 3, 0) == Postprocess().process(pcm)


def test_a_constant_level_goes_away(faces: Faces) -> None:
    for before in (0, 1):
        assert abs(faces.g729_highpass(Out16(1600), [9000] * 1600, 20, before)[-1]) <= 1


def test_one_halves_and_the_other_doubles(faces: Faces) -> None:
    alternating = [8000, -8000] * 120

    assert 3800 < abs(faces.g729_highpass(Out16(240), alternating, 3, 1)[-1]) < 4200
    assert 15000 < abs(faces.g729_highpass(Out16(240), alternating, 3, 0)[-1]) < 16400
