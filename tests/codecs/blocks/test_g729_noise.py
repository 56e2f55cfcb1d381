"""G.729 section B.4.4: the excitation of comfort noise."""

from __future__ import annotations

from hypothesis import strategies as st

from gateway.testing.blocks import Faces, Out16, agree, signals
from voicecodecs.reference.g729.noise import NOISE_SEED, Random, noise_excitation

N = 4
GAINS = st.lists(st.integers(0, 32767) | st.integers(0, 100), min_size=N, max_size=N)


@agree(signals(154), GAINS, few=15, many=300)
def test_the_noise_is_the_twins(faces: Faces, past: list[int], gains: list[int]) -> None:
    random, twins, before = Random(NOISE_SEED), [], past
    for gain in gains:
        made = noise_excitation(before, gain, random, None)
        twins += made
        before = [*before, *made][-154:]

    assert faces.g729_noise(Out16(80 * N), past, gains, N) == twins


def test_a_gain_of_zero_is_silence_and_draws_nothing(faces: Faces) -> None:
    silent_first = faces.g729_noise(Out16(160), [0] * 154, [0, 500], 2)

    assert not any(silent_first[:80])
    assert silent_first[80:] == faces.g729_noise(Out16(80), [0] * 154, [500], 1)


def test_the_level_goes_with_the_gain(faces: Faces) -> None:
    energies = []
    for gain in (20, 200, 2000):
        noise = faces.g729_noise(Out16(800), [0] * 154, [gain] * 10, 10)
        energies.append(sum(x * x for x in noise) / 800)

    assert energies[0] * 50 < energies[1]
    assert energies[1] * 50 < energies[2]
