"""Voices: whatever an application writes, somebody speaks, and in the right language."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.speech.port import Gender
from gateway.speech.voices import LANGUAGES, espeak_voice, voice_of


@pytest.mark.parametrize(
    ("wish", "language", "gender"),
    [
        (None, "en-US", "female"),
        ("", "en-US", "female"),
        ("sv-SE", "sv-SE", "female"),
        ("sv-SE/male", "sv-SE", "male"),
        ("sv_se", "sv-SE", "female"),
        ("Astrid", "sv-SE", "female"),
        ("hans", "de-DE", "male"),
        ("Léa", "fr-FR", "female"),
        ("Lea", "fr-FR", "female"),
        ("de-CH", "de-DE", "female"),
        ("ar-SA", "arb", "female"),
        ("no-NO", "nb-NO", "female"),
        ("zn-CN", "zh-CN", "female"),
        ("en-GB-WLS", "en-GB-WLS", "male"),
        ("de-DE-KatjaNeural", "de-DE", "female"),
        ("tlh", "en-US", "female"),
        ("'; rm -rf /", "en-US", "female"),
        ("en-US/robot", "en-US", "female"),
    ],
)
def test_a_wish_becomes_the_nearest_voice(wish, language, gender):
    voice = voice_of(wish)

    assert (voice.language, voice.gender) == (language, gender)


def test_every_name_of_the_table_speaks_its_language():
    for row in LANGUAGES.values():
        for name in (*row.female, *row.male):
            assert name in (
                *LANGUAGES[voice_of(name).language].female,
                *LANGUAGES[voice_of(name).language].male,
            )


def test_two_names_of_a_language_are_two_voices():
    assert len({espeak_voice(voice_of(name)) for name in ("Joanna", "Ivy", "Kendra", "Joey", "Justin")}) == 5


@given(st.text())
def test_any_text_is_some_voice(wish):
    voice = voice_of(wish)

    assert voice.language in LANGUAGES
    assert voice.gender in tuple(Gender)
