"""aiortc's RTCPeerConnection as a peer: another ICE, another DTLS and another RTP than Chromium's, without SIP.

It calls a leg of the switch and is called by one, as `gateway.switch` would have it; media is a real process.
"""

import asyncio
import fractions
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import numpy as np
import pytest

from gateway.ids import LegId, SystemIds
from gateway.sdp.crypto import Srtp
from gateway.switch.legs import Leg, Side, local_media
from gateway.testing.audio import window_correlations
from gateway.testing.media_workers import media_workers
from gateway.testing.wire_audio import distinct_speech
from gateway.transport.dtls import Certificate

aiortc = pytest.importorskip("aiortc", reason="the dependency group `interop` is not installed")
av = pytest.importorskip("av", reason="the dependency group `interop` is not installed")

pytestmark = pytest.mark.interop

SPEECH = distinct_speech(1.0, seed=71)
PATIENCE_S = 15.0
FRAME = 160


class Voice(aiortc.MediaStreamTrack):
    """Says something of 8 kHz again and again, 20 ms at a time."""

    kind = "audio"

    def __init__(self, pcm):
        super().__init__()
        self.frames = np.resize(pcm, (60 * 50, FRAME))
        self.said = 0
        self.began = asyncio.get_running_loop().time()

    async def recv(self):
        await asyncio.sleep(self.began + self.said * 0.02 - asyncio.get_running_loop().time())
        frame = av.AudioFrame.from_ndarray(self.frames[None, self.said], format="s16", layout="mono")
        frame.sample_rate, frame.time_base = 8000, fractions.Fraction(1, 8000)
        frame.pts = self.said * FRAME
        self.said += 1
        return frame


class Ear:
    """Keeps what comes."""

    def __init__(self):
        self.heard = asyncio.Queue()
        self.task = None

    def listen(self, track):
        self.task = asyncio.create_task(self.keep(track))

    async def keep(self, track):
        while True:
            self.heard.put_nowait((await track.recv()).to_ndarray()[0])


@asynccontextmanager
async def connected(directory, *, calls):
    """Give an ear of a peer connection that speaks and is connected to an echo."""
    certificate = Certificate.made(datetime.now(UTC))
    async with media_workers(directory, workers=1, certificate=certificate) as house:
        leg = await echo(house.client, certificate)
        peer, ear = aiortc.RTCPeerConnection(), Ear()
        peer.addTrack(Voice(SPEECH))
        peer.on("track", ear.listen)
        async with asyncio.timeout(PATIENCE_S):
            await (called_by(peer, leg) if calls else call(peer, leg))
            await until_connected(peer)
            yield ear
        ear.task.cancel()
        await peer.close()
        house.client.close(leg.id)


async def echo(client, certificate):
    """Open a leg that says what it hears."""
    row = LegId("a")
    local = local_media(
        await client.open(row),
        ("pcmu", "pcma"),
        ids=SystemIds(),
        srtp=Srtp.ACCEPTED,
        fingerprint=certificate.fingerprint,
        webrtc=True,
    )
    return Leg(row, Side.CALLEE, "aiortc", client, local, 0.0, source="echo")


async def called_by(peer, leg):
    await peer.setLocalDescription(await peer.createOffer())
    said = leg.answer(peer.localDescription.sdp.encode())
    await peer.setRemoteDescription(aiortc.RTCSessionDescription(said.decode(), "answer"))


async def call(peer, leg):
    await peer.setRemoteDescription(aiortc.RTCSessionDescription(leg.offer().decode(), "offer"))
    await peer.setLocalDescription(await peer.createAnswer())
    leg.take_answer(peer.localDescription.sdp.encode())


async def until_connected(peer):
    changed = asyncio.Event()
    peer.on("connectionstatechange", changed.set)
    while peer.connectionState != "connected":
        await changed.wait()
        changed.clear()


@pytest.mark.parametrize("calls", [True, False], ids=["it calls", "it is called"])
def test_it_hears_itself_through_a_leg(tmp_path, calls):
    async def scenario():
        async with connected(tmp_path, calls=calls) as ear:
            return np.concatenate([await ear.heard.get() for _ in range(2 * SPEECH.size // FRAME)])

    heard = asyncio.run(scenario())
    assert np.median(window_correlations(heard, SPEECH)) > 0.9
