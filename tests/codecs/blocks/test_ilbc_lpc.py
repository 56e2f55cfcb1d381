"""RFC 3951 sections 3.2.1 to 3.2.3: from 300 samples to line spectral frequencies."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import strategies as st

from gateway.testing.blocks import Faces, Out16, agree, flat, signals
from voicecodecs.reference.ilbc.frame import MODES
from voicecodecs.reference.ilbc.lpc import analyse

FRAMES = 3


def twins(pcm: list[int], ms: int) -> list[int]:
    """Analyse frame by frame, each with the 300 samples that end with it."""
    mode, seen, lsf_q13 = MODES[ms], [0] * 300, []
    for at in range(0, FRAMES * mode.samples, mode.samples):
        seen = [*seen, *pcm[at : at + mode.samples]][-300:]
        lsf_q13 += flat(analyse(seen, mode))
    return lsf_q13


@agree(signals(720), st.sampled_from([20, 30]))
def test_the_spectra_are_the_twins(faces: Faces, pcm: list[int], ms: int) -> None:
    n = FRAMES * MODES[ms].lpc_sets * 10
    assert faces.ilbc_analyse(Out16(n), pcm, FRAMES, ms) == twins(pcm, ms)


@agree(signals(720))
def test_frequencies_are_in_order(faces: Faces, pcm: list[int]) -> None:
    last = faces.ilbc_analyse(Out16(60), pcm, FRAMES, 30)[-10:]
    assert all(low <= high for low, high in pairwise(last))


def test_silence_is_flat(faces: Faces) -> None:
    """Its filter predicts nothing: the frequencies are evenly spaced."""
    lsf_q13 = faces.ilbc_analyse(Out16(10), [0] * 160, 1, 20)
    gaps = [high - low for low, high in pairwise(lsf_q13)]

    assert max(gaps) - min(gaps) < 150
