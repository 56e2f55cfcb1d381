"""Callers hear speech: callouts of a real switch to real phones, compared with what the engine says itself."""

import asyncio
import os
import signal
from contextlib import asynccontextmanager
from importlib.util import find_spec

import numpy as np
import pytest
from aiohttp import web

from gateway.lab.measures import align, correlation, tone_level
from gateway.speech.library import Library
from gateway.testing.audio import tone, write_wav
from gateway.testing.platform import Platform, phone
from gateway.testing.speaker import spoken

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(find_spec("espeakng_loader") is None, reason="the speech extra is not installed"),
]

WORDS = "Good morning. Your parcel will be with you at noon."
FIRST_AUDIO_S = 0.2


@pytest.fixture(scope="module")
def platform(tmp_path_factory):
    with Platform(tmp_path_factory.mktemp("speech"), speech=True) as running:
        running.wait_for("speech.ready")
        yield running


def callout(**wishes):
    to = {"type": "username", "endpoint": "alice"}
    return {"method": "ttsCallout", "ttsCallout": {"destination": to, "locale": "en-US", **wishes}}


async def called(platform, *, meanwhile=None, **wishes):
    """Have alice called; return what she heard, the moments of its first sample and of her answer, and the record.

    (Nobody is told a DiCE of a call to a user: its facts are those of the record.)
    """
    async with phone(platform, "alice") as alice:
        asked = await platform.ask("POST", "/calling/v1/callouts", callout(**wishes))
        call = await alice.answered()
        if meanwhile is not None:
            await meanwhile()
        await call.ended.wait()
        record = await platform.over(asked["callId"])
    listener = call.media.listener
    return listener.heard.pcm(), listener.receiver.best_origin_s, call.answered_s, record


def test_a_callout_says_its_text_and_ends(platform, tmp_path):
    said = spoken(WORDS, tmp_path)

    heard, origin_s, answered_s, record = asyncio.run(called(platform, text=WORDS))

    delay = align(heard, said)
    assert correlation(heard, said, delay) > 0.95
    assert origin_s + delay / 8000 - answered_s < FIRST_AUDIO_S
    assert (record["result"], record["reason"]) == ("ANSWERED", "MANAGERHANGUP")


def made(platform, *texts):
    """Return what the switch has made of texts: espeak-ng says the same twice only with the same past."""
    return np.concatenate([spoken(text, platform.data) for text in texts])


def test_prompts_follow_each_other_without_a_gap(platform):
    heard, *_ = asyncio.run(
        called(platform, prompts="#tts[One moment please.];#ssml[<speak>Goodbye.</speak>]")
    )

    said = made(platform, "One moment please.", "Goodbye.")
    assert correlation(heard, said, align(heard, said)) > 0.95


@asynccontextmanager
async def on_the_web(body):
    """Serve one WAV file at /tone.wav and nothing else; yield where."""

    async def get(_request):
        return web.Response(body=body, content_type="audio/wav")

    app = web.Application()
    app.router.add_get("/tone.wav", get)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield "http://{}:{}".format(*runner.addresses[0])
    finally:
        await runner.cleanup()


async def hears_files(platform, body):
    """Have alice hear the operator's prompt, one that is not there, and one of the web; return what she heard."""
    async with on_the_web(body) as there:
        prompts = f"welcome;{there}/missing.wav;#href[{there}/tone.wav]"
        return (await called(platform, prompts=prompts))[0]


def test_files_and_urls_are_heard_and_what_is_missing_is_passed_over(platform, tmp_path):
    for name, hz in (("welcome", 500), ("other", 900)):
        write_wav(tmp_path / f"{name}.wav", tone(hz, duration_ms=800))
    Library(platform.data / "prompts").add("welcome", tmp_path / "welcome.wav")

    heard = asyncio.run(hears_files(platform, (tmp_path / "other.wav").read_bytes()))

    start = int(np.flatnonzero(np.abs(heard.astype(int)) > 300)[0])
    assert tone_level(heard[start : start + 6000], 500) > -30
    assert tone_level(heard[start + 6400 : start + 12_400], 900) > -30
    reason = platform.wait_for("prompt.not_played", reason="status 404")
    assert reason["prompt"].endswith("/missing.wav")
    assert reason["call"]


def test_speech_that_is_killed_in_mid_word_costs_no_call_and_the_next_one_is_heard(platform):
    async def kill():
        await asyncio.sleep(0.5)
        started = platform.events("child.started", child="speech")[-1]
        os.kill(started["pid"], signal.SIGKILL)

    *_, record = asyncio.run(called(platform, text=WORDS, meanwhile=kill))
    platform.wait_for("speech.ready", count=2)
    heard, *_ = asyncio.run(called(platform, text="Goodbye."))

    said = made(platform, "Goodbye.")
    assert record["result"] == "ANSWERED"
    assert platform.events("speech.lost")[0]["plays"] == 1
    assert correlation(heard, said, align(heard, said)) > 0.95
