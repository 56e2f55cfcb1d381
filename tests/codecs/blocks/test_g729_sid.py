"""G.729 sections B.4.1.3 and B.4.2: silence insertion descriptors."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import strategies as st

from gateway.testing.blocks import Faces, Out16, agree
from gateway.testing.g729_blocks import sid_indices, spectra
from voicecodecs.reference.g729.bits import LsfIndices
from voicecodecs.reference.g729.lsf_quantizer import LsfMemory
from voicecodecs.reference.g729.sid import Energy, decode_sid_lsp, gain_of_speech, quantize_sid_gain
from voicecodecs.reference.g729.sid_search import quantize_sid_lsp

ENERGIES = st.builds(Energy, st.integers(0, 32767), st.integers(-16, 40))


@agree(st.lists(sid_indices(), min_size=1, max_size=6))
def test_the_spectra_are_the_twins_and_in_order(faces: Faces, frames: list[LsfIndices]) -> None:
    memory, n = LsfMemory(), len(frames)
    twins = [list(decode_sid_lsp(memory, indices)) for indices in frames]

    decoded = faces.g729_sid_decode_lsp(Out16(10 * n), [x for indices in frames for x in indices], n)

    assert [decoded[at : at + 10] for at in range(0, 10 * n, 10)] == twins
    assert all(high > low for spectrum in twins for high, low in pairwise(spectrum))


@agree(st.lists(spectra(), min_size=1, max_size=3), few=10, many=200)
def test_the_choices_are_the_twins(faces: Faces, wanted: list[tuple[int, ...]]) -> None:
    memory, n = LsfMemory(), len(wanted)
    twins = [quantize_sid_lsp(memory, lsp_q15) for lsp_q15 in wanted]

    flat = [x for lsp_q15 in wanted for x in lsp_q15]
    fields, quantized = faces.g729_quantize_lsp(Out16(4 * n), Out16(10 * n), flat, bytes([1] * n), n)

    assert fields == [x for indices, _ in twins for x in indices]
    assert quantized == [x for _, spectrum in twins for x in spectrum]


@agree(st.lists(ENERGIES, min_size=1, max_size=2))
def test_the_gain_of_noise_is_the_twins(faces: Faces, energies: list[Energy]) -> None:
    numbers = [x for energy in energies for x in energy]
    assert tuple(faces.g729_sid_quantize_gain(Out16(2), numbers, len(energies))) == quantize_sid_gain(
        energies
    )


@agree(st.integers(0, 32767), st.integers(-16, 15))
def test_the_gain_of_speech_is_the_twins(faces: Faces, mantissa: int, exponent: int) -> None:
    assert faces.g729_sid_gain_of_speech(mantissa, exponent) == gain_of_speech(Energy(mantissa, exponent))


def test_levels_go_from_minus_12_to_66_db(faces: Faces) -> None:
    """B.4.1.3: steps of 4 dB up to 16 dB, and of 2 above."""
    energies = [
        [16384 + mantissa, exponent] for mantissa in range(0, 16384, 512) for exponent in range(-18, 41)
    ]
    levels = {tuple(faces.g729_sid_quantize_gain(Out16(2), energy, 1)) for energy in energies}

    assert sorted(levels) == list(enumerate([-12, *range(-4, 16, 4), *range(16, 67, 2)]))
