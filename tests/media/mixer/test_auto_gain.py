"""Automatic gain: a soft and a loud voice come slowly to one level; noise is never raised."""

import numpy as np
import pytest

from gateway.testing.audio import level_dbov
from gateway.testing.mix_bench import MixBench
from gateway.testing.mix_signals import noise, roughness, talk

_SECONDS = 20


def heard_alone(pcm, **room):
    """Return what a silent member hears of one who says `pcm`."""
    said = np.stack([pcm, 0 * pcm, 0 * pcm])
    return MixBench([3], auto_gain=True, **room).run(said)[2]


@pytest.mark.parametrize("dbov", [-38, -32, -26, -20, -14])
def test_every_voice_comes_to_the_common_level(dbov):
    heard = heard_alone(talk(seconds=_SECONDS, dbov=dbov))[-32000:]

    assert level_dbov(heard) == pytest.approx(-27, abs=2.5)


def test_it_takes_seconds_and_does_not_pump():
    voice = talk(seconds=_SECONDS, dbov=-36)
    bench = MixBench([2], auto_gain=True)
    gains = []
    for start in range(0, voice.size, 80):
        bench.tick(np.stack([voice[start : start + 80], np.zeros(80, np.int16)]))
        gains.append(20 * np.log10(bench.rows["auto_gain"][0] / 65536))

    assert gains[50] < 1.5
    assert max(np.diff(gains)) < 0.02
    late = np.array(gains[-500:])
    assert late.max() - late.min() < 2


def test_it_is_bounded():
    said = talk(seconds=_SECONDS, dbov=-50)

    assert level_dbov(heard_alone(said)[-32000:]) <= level_dbov(said[-32000:]) + 12.1


@pytest.mark.parametrize("dbov", [-60, -50, -40])
def test_noise_alone_is_never_raised(dbov):
    pcm = noise(1, seconds=_SECONDS, dbov=dbov)[0]

    assert level_dbov(heard_alone(pcm)[8000:]) == pytest.approx(dbov, abs=0.5)


def test_the_noise_behind_a_soft_voice_is_not_raised_above_minus_55():
    background = noise(1, seconds=_SECONDS, dbov=-58)[0]
    bench = MixBench([2], auto_gain=True)

    said = np.stack([background + talk(seconds=_SECONDS, dbov=-44), 0 * background])
    bench.run(said)

    assert level_dbov(background) + 20 * np.log10(bench.rows["auto_gain"][0] / 65536) < -55


def test_off_is_the_default_and_leaves_everything_as_it_is():
    voice = talk(seconds=2, dbov=-40)

    assert np.array_equal(MixBench([2]).run(np.stack([voice, 0 * voice]))[1], voice)


def test_it_does_not_click():
    voice = talk(seconds=4, dbov=-26)

    assert roughness(heard_alone(voice)) < 1.1 * roughness(voice)
