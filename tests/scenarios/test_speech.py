"""Callers hear speech: callouts of a real switch to real phones, compared with what the engine says itself."""

import asyncio
import os
import signal
from importlib.util import find_spec

import numpy as np
import pytest

from gateway.lab.measures import align, correlation
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
