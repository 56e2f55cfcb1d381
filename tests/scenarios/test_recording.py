"""Recordings by real processes: two phones, a switch, its media and its recorder."""

import asyncio
import io
import os
import signal
import urllib.request
import wave

import numpy as np
import pytest

from gateway.testing.platform import NUMBER, Platform, Steering, phone

pytestmark = pytest.mark.slow

ALICE_HZ, BOB_HZ = 440, 1000
RATE_HZ = 8000
RECORDED = {"name": "startRecording", "options": {"format": "wav"}}
TO_BOB = {"name": "connectMxp", "destination": {"type": "username", "endpoint": "bob"}}


@pytest.fixture(scope="module")
def platform(tmp_path_factory):
    with Platform(tmp_path_factory.mktemp("recording"), recording=True) as running:
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


def test_each_party_is_on_its_channel_from_answer_to_end_without_a_gap(platform):
    (finished, available), lasted_s, listed = asyncio.run(recorded(platform))

    pcm = fetched(platform, listed["url"])
    middle = pcm[RATE_HZ : 2 * RATE_HZ + RATE_HZ // 2]
    assert available["destination"] == listed["url"]
    assert listed["key"].endswith(f"_{finished['callid']}.wav")
    assert pcm.shape[0] / RATE_HZ == pytest.approx(lasted_s, abs=0.05)
    assert snr_db(middle[:, 0], ALICE_HZ) > 30
    assert snr_db(middle[:, 1], BOB_HZ) > 30


def test_a_recorder_that_is_killed_goes_on_with_its_file(platform):
    def kill():
        os.kill(platform.child("recording"), signal.SIGKILL)

    _, lasted_s, listed = asyncio.run(recorded(platform, seconds=4.0, meanwhile=kill))

    pcm = fetched(platform, listed["url"])
    middle = pcm[RATE_HZ : 3 * RATE_HZ + RATE_HZ // 2]
    assert pcm.shape[0] / RATE_HZ == pytest.approx(lasted_s, abs=0.05)
    assert snr_db(middle[:, 0], ALICE_HZ) > 30
