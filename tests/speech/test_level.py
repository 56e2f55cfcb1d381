"""Active speech level (ITU-T P.56): signals whose level is known by other means."""

import math

import numpy as np
import pytest

from gateway.speech.level import COMMON_DBOV, gain_to_common, loudness

RATE_HZ = 8000


def _tone(seconds, dbov, hz=440):
    at = np.arange(round(seconds * RATE_HZ))
    return (2**0.5 * 10 ** (dbov / 20) * np.sin(2 * np.pi * hz * at / RATE_HZ)).astype(np.float32)


def _silence(seconds):
    return np.zeros(round(seconds * RATE_HZ), np.float32)


@pytest.mark.parametrize("dbov", [-10, -26, -40])
def test_a_steady_tone_is_active_all_the_time_at_its_own_level(dbov):
    heard = loudness(_tone(5, dbov), RATE_HZ)

    assert heard.active_dbov == pytest.approx(dbov, abs=0.1)
    assert heard.activity > 0.98


def test_noise_has_the_level_of_its_power():
    noise = (np.random.default_rng(1).standard_normal(5 * RATE_HZ) * 0.05).astype(np.float32)

    assert loudness(noise, RATE_HZ).active_dbov == pytest.approx(20 * math.log10(0.05), abs=0.1)


def test_pauses_do_not_count_but_for_their_hangover():
    """Two seconds of tone in six: active is 2 s, 0.2 s of hangover and what the envelope takes to fall."""
    heard = loudness(np.concatenate([_tone(2, -26), _silence(4)]), RATE_HZ)

    assert heard.activity == pytest.approx((2 + 0.3) / 6, abs=0.02)
    assert heard.active_dbov == pytest.approx(-26 - 10 * math.log10(2.3 / 2), abs=0.25)


def test_gaps_between_syllables_do_count():
    """Gaps shorter than the hangover are speech: half the time silent is 3 dB less, not the level of the syllables."""
    heard = loudness(np.concatenate([_tone(0.1, -26), _silence(0.1)] * 20), RATE_HZ)

    assert heard.activity > 0.97
    assert heard.active_dbov == pytest.approx(-29, abs=0.2)


def test_silence_has_no_level_and_keeps_its_gain():
    assert loudness(_silence(1), RATE_HZ).active_dbov == -math.inf
    assert gain_to_common(_silence(1), RATE_HZ) == 1
    assert loudness(np.zeros(0, np.float32), RATE_HZ).activity == 0


@pytest.mark.parametrize("rate_hz", [8000, 16000, 48000])
def test_the_gain_leads_to_the_common_level_at_any_rate(rate_hz):
    at = np.arange(3 * rate_hz)
    signal = (0.4 * np.sin(2 * np.pi * 300 * at / rate_hz)).astype(np.float32)

    brought = loudness(signal * np.float32(gain_to_common(signal, rate_hz)), rate_hz)

    assert brought.active_dbov == pytest.approx(COMMON_DBOV, abs=0.05)


def test_noise_far_below_speech_is_not_raised_to_it():
    hiss = (np.random.default_rng(1).standard_normal(2 * RATE_HZ) * 10 ** (-68 / 20)).astype(np.float32)

    assert gain_to_common(hiss, RATE_HZ) == pytest.approx(10 ** (30 / 20))
