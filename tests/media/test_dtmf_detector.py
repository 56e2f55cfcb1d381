"""Keys as tones: the limits of ITU-T Q.24, Annex A, each with every key at several places between two looks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gateway.media.dtmf_detector import LOOK_SAMPLES, DtmfDetector
from gateway.testing.audio import speech, tone
from gateway.testing.frames import Coding
from gateway.testing.key_tones import KEYS, KeySound, key_sound, keys_heard, turns

_PLACES = range(800, 800 + LOOK_SAMPLES, 16)


def heard(sound: KeySound) -> set[str]:
    """Return what is heard of all keys at the places between two looks."""
    return {keys_heard(key_sound(KEYS, replace(sound, lead_samples=place))) for place in _PLACES}


@pytest.mark.parametrize(
    "sound",
    [
        KeySound(tone_ms=40, pause_ms=40),
        KeySound(tone_ms=500),
        KeySound(level_dbm0=-3),
        KeySound(level_dbm0=-25),
        KeySound(twist_db=4),
        KeySound(twist_db=-8),
        KeySound(low_offset=0.015, high_offset=0.015),
        KeySound(low_offset=-0.015, high_offset=-0.015),
        KeySound(low_offset=0.015, high_offset=-0.015),
        KeySound(snr_db=15),
    ],
    ids=str,
)
def test_what_q24_wants_heard_is_heard(sound: KeySound) -> None:
    assert heard(sound) == {KEYS}


@pytest.mark.parametrize(
    "sound",
    [
        KeySound(tone_ms=23),
        KeySound(level_dbm0=-55),
        KeySound(twist_db=12),
        KeySound(twist_db=-16),
        KeySound(low_offset=0.035),
        KeySound(low_offset=-0.035),
        KeySound(high_offset=0.035),
        KeySound(high_offset=-0.035),
    ],
    ids=str,
)
def test_what_q24_wants_unheard_is_not_heard(sound: KeySound) -> None:
    assert heard(sound) == {""}


@pytest.mark.parametrize("place", _PLACES)
def test_an_interruption_of_10_ms_does_not_part_a_key(place: int) -> None:
    pcm = key_sound("5", KeySound(tone_ms=100))
    pcm[place + 320 : place + 400] = 0
    assert keys_heard(pcm) == "5"


@pytest.mark.parametrize("place", _PLACES)
def test_the_length_of_a_key_is_told_to_five_milliseconds(place: int) -> None:
    begun, ended = turns(key_sound("9", KeySound(tone_ms=87, lead_samples=place)))

    assert (begun.key, begun.duration_ms) == (ended.key, None) == ("9", None)
    assert ended.duration_ms == pytest.approx(87, abs=5)
    assert begun.at_ms == pytest.approx(place / 8, abs=30)


def test_a_key_is_told_within_60_ms_of_its_beginning() -> None:
    assert turns(key_sound("1", KeySound(tone_ms=60)))[0].duration_ms is None
    detector, row = DtmfDetector(1), np.zeros(1, np.int32)
    pcm = key_sound("1", KeySound(tone_ms=200, lead_samples=0))
    told = [detector.hear(row, look[None]) for look in pcm[: 6 * LOOK_SAMPLES].reshape(-1, LOOK_SAMPLES)]
    assert any(told)


@pytest.mark.parametrize(("codec", "tone_ms"), [("pcmu", 40), ("pcma", 40), ("g729", 80)])
def test_keys_survive_codecs(codec: str, tone_ms: float) -> None:
    pcm = key_sound(KEYS, KeySound(tone_ms=tone_ms, pause_ms=80, level_dbm0=-8, twist_db=2))
    assert keys_heard(Coding(codec).decode(Coding(codec).encode(pcm))) == KEYS


def test_speech_and_single_tones_are_no_keys() -> None:
    assert keys_heard(speech()) == ""
    assert keys_heard(tone(697, duration_ms=500)) == keys_heard(tone(1336, duration_ms=500)) == ""


def test_rows_hear_their_own_keys() -> None:
    detector, rows = DtmfDetector(8), np.array([5, 2], np.int32)
    sounds = np.stack([key_sound("1", KeySound()), key_sound("#", KeySound())])
    told = [
        (tone.row, tone.key)
        for at in range(0, sounds.shape[1] - LOOK_SAMPLES, LOOK_SAMPLES)
        for tone in detector.hear(rows, sounds[:, at : at + LOOK_SAMPLES])
    ]
    assert sorted(told) == [(2, "#"), (2, "#"), (5, "1"), (5, "1")]


def test_a_cleared_row_has_heard_nothing() -> None:
    detector, rows = DtmfDetector(1), np.zeros(1, np.int32)
    for look in key_sound("7", KeySound(tone_ms=30))[: 13 * LOOK_SAMPLES].reshape(-1, 1, LOOK_SAMPLES):
        detector.hear(rows, look)
    detector.clear(0)
    rest = key_sound("7", KeySound(tone_ms=20, lead_samples=0))
    assert not any(detector.hear(rows, look) for look in rest[:1600].reshape(-1, 1, LOOK_SAMPLES))
