"""G.729 sections 3.1 and 4.2.5, up to eight rows in step."""

from __future__ import annotations

from gateway.testing.blocks import Faces, Out16, agree, cut, flat, rows, signals
from voicecodecs.reference.g729.highpass import Postprocess, Preprocess

FRAMES = 3


def filtered(faces: Faces, pcm: list[list[int]], *, before: bool) -> list[list[int]]:
    out = faces.g729_highpass(Out16(len(flat(pcm))), flat(pcm), len(pcm), len(pcm[0]) // 80, int(before))
    return cut(out, len(pcm[0]))


@agree(rows(signals(80 * FRAMES)))
def test_preprocessing_is_the_twins(faces: Faces, pcm: list[list[int]]) -> None:
    assert filtered(faces, pcm, before=True) == [Preprocess().process(row) for row in pcm]


@agree(rows(signals(80 * FRAMES)))
def test_postprocessing_is_the_twins(faces: Faces, pcm: list[list[int]]) -> None:
    assert filtered(faces, pcm, before=False) == [Postprocess().process(row) for row in pcm]


def test_a_constant_level_goes_away(faces: Faces) -> None:
    for before in (False, True):
        assert abs(filtered(faces, [[9000] * 1600], before=before)[0][-1]) <= 1


def test_one_halves_and_the_other_doubles(faces: Faces) -> None:
    alternating = [[8000, -8000] * 120]

    assert 3800 < abs(filtered(faces, alternating, before=True)[0][-1]) < 4200
    assert 15000 < abs(filtered(faces, alternating, before=False)[0][-1]) < 16400
