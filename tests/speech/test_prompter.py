"""Prompts: lists of items become one stream, equally loud, and nothing that goes wrong ends it."""

import asyncio
from pathlib import Path

import numpy as np
import pytest

from gateway.speech.cache import SoundCache
from gateway.speech.espeak_engine import open_espeak
from gateway.speech.fetch import Fetched, NotFetched, Refusal
from gateway.speech.level import COMMON_DBOV, loudness
from gateway.speech.library import Library
from gateway.speech.port import RATE_HZ
from gateway.speech.prompter import Prompts, SayItem, SsmlItem, StoredItem, UrlItem
from gateway.speech.voices import LANGUAGES
from gateway.testing.audio import correlation, speech, write_wav

WELCOME = SayItem("Welcome to the service. For sales, press one. For support, press two.")


class _Web:
    """One good URL and nothing else."""

    def __init__(self, data):
        self._data = data

    async def fetch(self, url, _owner):
        if url != "http://good/a.wav":
            raise NotFetched(Refusal.STATUS, "status 404")
        return Fetched(self._data, "wav")


class _Complaints(list):
    def warning(self, event, /, **facts):
        self.append((event, facts))


@pytest.fixture
def spoken(tmp_path):
    path = tmp_path / "spoken.wav"
    write_wav(path, (speech()[: 6 * RATE_HZ] * 0.2).astype(np.int16))
    return path


@pytest.fixture
def hear(tmp_path, spoken):
    """Play lists of items by one prompter; returns what each sounds like, and the complaints."""

    async def play(lists, locale):
        complaints, cache, library = _Complaints(), SoundCache(), Library(tmp_path / "prompts")
        library.add("jingle", spoken)
        async with open_espeak() as engine:
            prompts = Prompts(engine, _Web(spoken.read_bytes()), library, cache, complaints)
            heard = []
            for items in lists:
                chunks = [np.zeros(0, np.int16)]
                chunks += [chunk async for chunk in prompts.play(items, locale=locale, owner="app")]
                heard.append(np.concatenate(chunks))
            await cache.close()
        return heard, complaints

    return lambda *lists, locale=None: asyncio.run(play(lists, locale))


def _level(pcm):
    return loudness(pcm / np.float32(32768), RATE_HZ).active_dbov


def test_items_follow_each_other_without_a_gap(hear):
    items = [WELCOME, StoredItem("jingle"), UrlItem("http://good/a.wav"), SayItem("Bye.")]

    (*alone, together), complaints = hear(*([item] for item in items), items)

    assert (together == np.concatenate(alone)).all()
    assert complaints == []


def test_all_sources_are_equally_loud(hear):
    ssml = SsmlItem("<speak>Please <break time='1s'/> hold the line, somebody will be here soon.</speak>")

    heard, _ = hear([WELCOME], [ssml], [StoredItem("jingle")], [UrlItem("http://good/a.wav")])

    assert [_level(pcm) for pcm in heard] == pytest.approx([COMMON_DBOV] * 4, abs=1.0)


def test_what_ssml_makes_soft_stays_soft(hear):
    (usual, soft), _ = hear(
        [SsmlItem("Hello everybody.")], [SsmlItem('<prosody volume="-6dB">Hello everybody.</prosody>')]
    )

    assert _level(usual) - _level(soft) == pytest.approx(6, abs=0.2)


@pytest.mark.parametrize(
    "bad",
    [
        UrlItem("http://bad/a.wav?secret=1"),
        StoredItem("nobody"),
        SsmlItem("<!DOCTYPE a><speak>a</speak>"),
        SayItem("a" * 601),
    ],
)
def test_what_cannot_be_played_is_silence_and_the_next_one_follows(hear, bad):
    (alone, after), complaints = hear([SayItem("Bye.")], [bad, SayItem("Bye.")])

    assert (alone == after).all()
    assert [event for event, _ in complaints] == ["prompt.not_played"]
    assert "secret" not in str(complaints)


def test_a_command_speaks_six_hundred_characters_in_all(hear):
    long = SayItem("hello " * 60)

    _, complaints = hear([long, long])

    assert "600" in complaints[0][1]["reason"]


def test_without_an_engine_files_are_still_heard(tmp_path, spoken):
    async def play():
        complaints, cache, library = _Complaints(), SoundCache(), Library(tmp_path / "prompts")
        library.add("jingle", spoken)
        prompts = Prompts(None, _Web(b""), library, cache, complaints)
        items = [WELCOME, StoredItem("jingle")]
        heard = [chunk async for chunk in prompts.play(items, locale=None, owner="app")]
        await cache.close()
        return np.concatenate(heard), complaints

    heard, complaints = asyncio.run(play())

    assert correlation(heard.astype(float), speech()[: 6 * RATE_HZ].astype(float)) > 0.95
    assert "nobody here can speak" in complaints[0][1]["reason"]


def _envelope(pcm):
    """Return the energy of each 20 ms, as far as the shorter of two goes."""
    whole = pcm[: pcm.size // 160 * 160].astype(np.float64).reshape(-1, 160)
    return np.sqrt((whole**2).mean(axis=1))


def _alike(a, b):
    """Return the best correlation of two envelopes at any shift of up to half a second."""
    best = 0.0
    for shift in range(-25, 26):
        x, y = a[max(shift, 0) :], b[max(-shift, 0) :]
        n = min(x.size, y.size)
        best = max(best, float(np.corrcoef(x[:n], y[:n])[0, 1]))
    return best


TEXT = SayItem("Hotel Internet 2026: taxi, radio, telefon, restaurant, minister.")


@pytest.fixture(scope="module")
def languages():
    """Return what the text sounds like in each language, spoken once."""

    async def speak_all():
        complaints, cache, spoken = _Complaints(), SoundCache(), {}
        async with open_espeak() as engine:
            prompts = Prompts(engine, _Web(b""), Library(Path("/nonexistent")), cache, complaints)
            for locale in LANGUAGES:
                chunks = [chunk async for chunk in prompts.play([TEXT], locale=locale, owner="app")]
                spoken[locale] = np.concatenate(chunks)
        await cache.close()
        assert complaints == []
        return spoken

    return asyncio.run(speak_all())


@pytest.mark.parametrize("locale", [each for each in LANGUAGES if each != "en-US"])
def test_every_language_sounds_different_from_american_english(languages, locale):
    """The nearest is Canadian English with 0.90; the same voice and language would have 1."""
    assert _alike(_envelope(languages["en-US"]), _envelope(languages[locale])) < 0.95


@pytest.mark.parametrize("locale", LANGUAGES)
def test_every_language_is_equally_loud(languages, locale):
    assert _level(languages[locale]) == pytest.approx(COMMON_DBOV, abs=1.0)
