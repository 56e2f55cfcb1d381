"""Recordings by real processes: two phones, a switch, its media and its recorder."""

import asyncio
import io
import json
import os
import signal
import urllib.request
import wave

import numpy as np
import pytest

from gateway.lab.measures import tone_level
from gateway.speech.audio import decode_untrusted, to_int16
from gateway.testing.platform import NUMBER, Platform, Steering, phone
from gateway.testing.s3 import s3_server

pytestmark = pytest.mark.slow

ALICE_HZ, BOB_HZ = 440, 1000
RATE_HZ = 8000
WINDOW = RATE_HZ // 5
RECORDED = {"name": "startRecording", "options": {"format": "wav"}}
TO_BOB = {"name": "connectMxp", "destination": {"type": "username", "endpoint": "bob"}}


@pytest.fixture(scope="module")
def s3():
    with s3_server() as running:
        yield running


@pytest.fixture(scope="module")
def platform(tmp_path_factory, s3):
    settings = f'[recording]\ns3_endpoint = "{s3.url}"\n'
    with Platform(tmp_path_factory.mktemp("recording"), recording=True, settings=settings) as running:
        running.wait_for("child.ready", child="recording")
        yield running


async def recorded(platform, *, seconds=3.0, meanwhile=None):
    """Let alice and bob talk while they are recorded; return the notifications, how long it was, and the file."""
    async with (
        Steering(platform) as application,
        phone(platform, "alice", ALICE_HZ) as alice,
        phone(platform, "bob", BOB_HZ),
    ):
        application.says("ice", {"instructions": [RECORDED], "action": TO_BOB})
        call = await alice.talk(NUMBER)
        began = asyncio.get_running_loop().time()
        await asyncio.sleep(seconds / 2)
        if meanwhile is not None:
            meanwhile()
        await asyncio.sleep(seconds / 2)
        alice.hang_up(call)
        lasted_s = asyncio.get_running_loop().time() - began
        told = [
            await application.told("notify", type=f"recording_{kind}") for kind in ("finished", "available")
        ]
        listed = await platform.ask("GET", "/calling/v1/recording?pageSize=1")
    return told, lasted_s, listed[0]


def fetched(platform, url):
    """Return the channels of a recording as the API gives it out, int16 [n, 2]."""
    request = urllib.request.Request(url, headers={"Authorization": platform.shown})
    with (
        urllib.request.urlopen(request, timeout=10) as response,
        wave.open(io.BytesIO(response.read())) as file,
    ):
        assert file.getframerate() == RATE_HZ
        return np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, file.getnchannels())


def snr_db(pcm, hertz):
    """Return by how much a tone is above everything else."""
    spectrum = np.abs(np.fft.rfft(pcm * np.hanning(pcm.size))) ** 2
    at = round(hertz * pcm.size / RATE_HZ)
    tone = spectrum[at - 6 : at + 7].sum()
    return 10 * np.log10(tone / (spectrum.sum() - tone))


def assert_tone(pcm, hertz):
    """See that there is a tone all the time, and nothing else but what a late packet costs now and then."""
    windows = [pcm[at : at + WINDOW] for at in range(0, pcm.size - WINDOW, WINDOW)]
    assert np.median([snr_db(window, hertz) for window in windows]) > 30
    assert min(tone_level(window, hertz) for window in windows) > -25


def test_each_party_is_on_its_channel_from_answer_to_end_without_a_gap(platform):
    (finished, available), lasted_s, listed = asyncio.run(recorded(platform))

    pcm = fetched(platform, listed["url"])
    middle = pcm[RATE_HZ : 2 * RATE_HZ + RATE_HZ // 2]
    assert available["destination"] == listed["url"]
    assert listed["key"].endswith(f"_{finished['callid']}.wav")
    assert pcm.shape[0] / RATE_HZ == pytest.approx(lasted_s, abs=0.05)
    assert_tone(middle[:, 0], ALICE_HZ)
    assert_tone(middle[:, 1], BOB_HZ)


def test_a_recorder_that_is_killed_goes_on_with_its_file(platform):
    def kill():
        os.kill(platform.child("recording"), signal.SIGKILL)

    _, lasted_s, listed = asyncio.run(recorded(platform, seconds=4.0, meanwhile=kill))

    pcm = fetched(platform, listed["url"])
    middle = pcm[RATE_HZ : 3 * RATE_HZ + RATE_HZ // 2]
    assert pcm.shape[0] / RATE_HZ == pytest.approx(lasted_s, abs=0.05)
    assert_tone(middle[:, 0], ALICE_HZ)


def test_a_call_under_way_is_recorded_from_one_order_to_another_and_sent_to_s3(platform, s3):
    options = {"destinationUrl": "s3://calls/live/", "credentials": "key:secret:eu-north-1"}

    async def scenario():
        async with (
            Steering(platform) as application,
            phone(platform, "alice", ALICE_HZ) as alice,
            phone(platform, "bob", BOB_HZ),
        ):
            application.says("ice", {"action": TO_BOB})
            call = await alice.talk(NUMBER)
            managed = f"/calling/v1/calls/id/{(await application.told('ice'))['callid']}"
            start = {"name": "startRecording", "recordingOptions": options}
            await platform.ask("PATCH", managed, {"action": start})
            await asyncio.sleep(2.0)
            await platform.ask("PATCH", managed, {"action": {"name": "stopRecording"}})
            told = await application.told("notify", type="recording_available")
            assert not call.ended.is_set()
            alice.hang_up(call)
            return told["destination"]

    destination = asyncio.run(scenario())

    heard = decode_untrusted(s3.held(destination.removeprefix("s3://calls/")))
    assert destination.startswith("s3://calls/live/")
    assert destination.endswith(".mp3")
    assert heard.size / RATE_HZ == pytest.approx(2.0, abs=0.4)
    assert min(tone_level(to_int16(heard[4000:12000]), hertz) for hertz in (ALICE_HZ, BOB_HZ)) > -25


def test_a_switch_that_is_told_to_end_tells_of_the_last_recording(tmp_path):
    to_alice = {"name": "connectMxp", "destination": {"type": "username", "endpoint": "alice"}}
    ice = json.dumps({"instructions": [RECORDED], "action": to_alice})

    async def scenario(platform):
        async with phone(platform, "alice", ALICE_HZ) as alice:
            asked = {"method": "customCallout", "customCallout": {"ice": ice}}
            await platform.ask("POST", "/calling/v1/callouts", asked)
            await alice.answered()
            await asyncio.to_thread(platform.wait_for, "recording.started")
            await asyncio.sleep(0.5)
            platform.tell(signal.SIGINT)
            await asyncio.to_thread(platform.wait)

    with Platform(tmp_path, recording=True) as platform:
        platform.wait_for("child.ready", child="recording")
        asyncio.run(scenario(platform))

    assert len(platform.events("recording.available")) == 1


def test_a_conference_is_recorded_as_everybody_hears_it(platform):
    action = {
        "name": "connectConf",
        "conferenceId": "standup",
        "record": True,
        "recordingOptions": {"format": "wav"},
    }

    async def scenario():
        async with (
            Steering(platform) as application,
            phone(platform, "alice", ALICE_HZ) as alice,
            phone(platform, "bob", BOB_HZ) as bob,
        ):
            application.says("ice", {"action": action})
            calls = [(line, await line.talk(NUMBER)) for line in (alice, bob)]
            await asyncio.sleep(2.0)
            for line, call in calls:
                line.hang_up(call)
            told = await application.told("notify", type="recording_available")
            return told["destination"]

    destination = asyncio.run(scenario())

    (mix,) = fetched(platform, destination).T
    assert "/standup." in destination
    assert min(tone_level(mix[6000:14000], hertz) for hertz in (ALICE_HZ, BOB_HZ)) > -20
