"""Forty open microphones are not forty times noise, and nobody who speaks is cut."""

import numpy as np
import pytest

from gateway.testing.audio import level_dbov, snr_db
from gateway.testing.mix_bench import MixBench
from gateway.testing.mix_signals import noise, roughness, talk

_SECONDS = 8
_SETTLED = 2 * 8000


def forty_and_a_talker(**room):
    """Return what the fortieth of forty noisy members hears while the first talks."""
    said = noise(40, seconds=_SECONDS, dbov=-50)
    voice = talk(seconds=_SECONDS)
    said[0] += voice
    return MixBench([40], **room).run(said)[39][_SETTLED:], said[0][_SETTLED:]


def test_the_noise_of_forty_stays_that_of_one():
    heard, talker = forty_and_a_talker(gate_from=5)

    added = heard.astype(np.int32) - talker
    assert level_dbov(added.astype(np.int16)) < -47
    heard, talker = forty_and_a_talker(gate_from=0)
    assert level_dbov((heard.astype(np.int32) - talker).astype(np.int16)) > -36


def test_a_gated_talker_is_heard_as_before():
    """Beside its own noise: only the quiet between its words is missing."""
    clean = talk(seconds=_SECONDS)
    said = noise(40, seconds=_SECONDS, dbov=-50)
    said[0] += clean

    heard = MixBench([40], gate_from=5).run(said)[39]

    assert snr_db(heard[_SETTLED:], clean[_SETTLED:], delay=0) > 20


def test_a_word_is_heard_from_its_first_ten_milliseconds_on():
    said = noise(6, seconds=4, dbov=-55)
    word = talk(seconds=1, start=400)
    said[0][24000:] += word

    heard = MixBench([6], gate_from=5).run(said)[5][24000:]

    loud = np.flatnonzero(np.abs(word) > 600)[0]
    late = np.flatnonzero(np.abs(heard) > 600)[0]
    assert late - loud <= 80


def test_a_gate_opens_and_closes_without_a_click():
    pcm = noise(6, seconds=6, dbov=-55)
    tone = np.rint(3000 * np.sin(2 * np.pi * 300 / 8000 * np.arange(8000))).astype(np.int16)
    pcm[0][24000:32000] += tone

    heard = MixBench([6], gate_from=5).run(pcm)[5]

    opened = heard[23900:24400]
    assert roughness(opened) <= 1.5 * roughness(pcm[0])
    assert not heard[-8000:].any()
    closing = heard[32000:40000]
    assert roughness(closing) <= roughness(pcm[0])


def test_two_and_three_are_not_gated():
    for n in (2, 3):
        said = noise(n, seconds=3, dbov=-50)
        heard = MixBench([n], gate_from=5).run(said)
        assert np.array_equal(heard, said.sum(0) - said)


def test_a_prompt_is_no_person_and_is_never_gated():
    said = noise(7, seconds=3, dbov=-50)
    bench = MixBench([7], gate_from=5)
    bench.rows["person"][6] = 0

    heard = bench.run(said)[0][_SETTLED:]

    assert np.array_equal(heard, said[6][_SETTLED:])


@pytest.mark.parametrize("dbov", [-25, -15])
def test_a_loud_steady_sound_is_not_taken_for_background(dbov):
    said = noise(6, seconds=5, dbov=-60)
    said[0] = noise(1, seconds=5, dbov=dbov, seed=9)[0]

    heard = MixBench([6], gate_from=5).run(said)[5]

    assert np.array_equal(heard[_SETTLED:], said[0][_SETTLED:])


def test_a_gate_learns_a_noise_that_rises_within_two_seconds():
    quiet, loud = noise(6, seconds=3, dbov=-60), noise(6, seconds=5, dbov=-45, seed=2)

    heard = MixBench([6], gate_from=5).run(np.concatenate([quiet, loud], axis=1))[5]

    assert heard[24000:24400].any()
    assert not heard[24000 + 20000 :].any()
