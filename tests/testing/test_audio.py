import numpy as np
import pytest

from gateway.testing.audio import (
    Gap,
    align,
    correlation,
    gaps,
    level_dbov,
    snr_db,
    speech,
    tone,
    tone_level,
    window_correlations,
)


def delayed(pcm: np.ndarray, by: int) -> np.ndarray:
    return np.concatenate([np.zeros(by, np.int16), pcm]) if by >= 0 else pcm[-by:]


@pytest.mark.parametrize("delay", [0, 1, 160, 1777, 16000, -1, -4000])
def test_align_finds_the_delay_to_the_sample(delay: int):
    assert align(delayed(speech(), delay), speech()) == delay


def test_align_finds_a_second_of_speech_in_a_noisy_and_quieter_recording():
    noise = np.random.default_rng(1).normal(0, 300, 60000)
    heard = (delayed(speech(), 4321)[:40000] * 0.3 + noise[:40000]).astype(np.int16)

    assert align(heard, speech()) == 4321


def test_align_keeps_within_the_bound():
    assert abs(align(delayed(speech(), 3000), speech(), max_delay=100)) <= 100


@pytest.mark.parametrize(("heard", "said"), [([], [1, 2]), ([1, 2], []), ([0] * 50, [3, 4] * 25)])
def test_align_of_silence_or_nothing_is_zero(heard: list[int], said: list[int]):
    assert align(np.array(heard, np.int16), np.array(said, np.int16)) == 0


def test_correlation_is_one_whatever_the_gain_and_falls_with_noise():
    quiet = (speech() // 3).astype(np.int16)
    noise = np.random.default_rng(2).normal(0, 4000, len(speech()))

    assert correlation(delayed(quiet, 80), speech()) > 0.999
    assert correlation(-speech(), speech(), 0) == pytest.approx(-1)
    assert correlation((speech() * 0.5 + noise).astype(np.int16), speech(), 0) < 0.6
    assert correlation(np.zeros(80, np.int16), speech(), 0) == 0


def test_snr_is_that_of_the_noise_that_was_added():
    pcm = speech()
    rms = np.sqrt(np.mean(pcm.astype(float) ** 2))
    noise = np.random.default_rng(3).normal(0, rms / 10, len(pcm))

    assert snr_db((pcm + noise).astype(np.int16), pcm, 0) == pytest.approx(20, abs=0.3)
    assert snr_db(delayed(pcm, 5), pcm) == float("inf")
    assert snr_db(pcm, np.zeros_like(pcm), 0) == float("-inf")


def test_gaps_are_where_the_source_speaks_and_nothing_is_heard():
    said = tone(440, duration_ms=1000)
    heard = delayed(said, 400).copy()
    heard[400 + 1600 : 400 + 1920] = 0
    heard[400 + 4000 : 400 + 4160] = 0

    assert gaps(heard, said, delay=400) == [Gap(200, 40), Gap(500, 20)]


def test_a_clean_recording_has_no_gap_and_pauses_are_none():
    assert gaps(delayed(speech(), 123), speech()) == []


def test_what_was_never_heard_is_one_gap_at_the_end():
    said = tone(300, duration_ms=500)

    assert gaps(said[:2400], said, delay=0) == [Gap(300, 200)]
    assert Gap(300, 200).end_ms == 500


def test_a_short_click_is_no_gap():
    said = tone(440, duration_ms=500)
    heard = said.copy()
    heard[800:840] = 0

    assert gaps(heard, said, delay=0, minimum_ms=10) == []


def test_tone_level_hears_one_tone_among_others():
    both = tone(697, duration_ms=100, level_dbov=-10) + tone(1209, duration_ms=100, level_dbov=-13)

    assert tone_level(both, 697) == pytest.approx(-10, abs=0.2)
    assert tone_level(both, 1209) == pytest.approx(-13, abs=0.2)
    assert tone_level(both, 2000) < -50
    assert tone_level(np.zeros(800, np.int16), 697) == -127


def test_a_full_sine_is_three_db_below_overload():
    assert level_dbov(tone(1000, duration_ms=1000, level_dbov=-3.01)) == pytest.approx(-3.01, abs=0.01)
    assert level_dbov(np.zeros(8, np.int16)) == level_dbov(np.zeros(0, np.int16)) == -127


def test_windows_are_aligned_one_by_one():
    """10 ms of silence in the middle move what follows: one delay for all would miss half of it."""
    said = speech()
    heard = np.concatenate([said[:20000], np.zeros(80, np.int16), said[20000:]])

    likeness = window_correlations(heard, said)

    assert np.median(likeness) > 0.99
    assert (likeness < 0.9).sum() <= 1
