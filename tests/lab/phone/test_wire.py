"""The phone's media on real sockets of the loopback interface."""

from __future__ import annotations

import asyncio

from gateway.ids import SeededIds
from gateway.lab.phone.keys import KeySeen
from gateway.lab.phone.media import Media
from gateway.lab.phone.sources import ToneSource
from gateway.lab.phone.wire import MediaWire, bind_pair
from gateway.sdp.codecs import codec_offer
from gateway.sdp.negotiation import Direction, NegotiatedMedia
from gateway.testing.rtp_peer import RtpEar, RtpMouth


def agreed(port: int) -> NegotiatedMedia:
    pcmu = codec_offer("pcmu")
    return NegotiatedMedia(
        remote_address="127.0.0.1",
        remote_rtp_port=port,
        remote_rtcp_port=0,
        send=pcmu,
        receive={0: pcmu},
        event_send_pt=101,
        event_receive_pt=101,
        ptime_ms=20,
        direction=Direction.SENDRECV,
        rtcp_mux=False,
        reason="a test says so",
    )


def test_a_pair_is_an_even_port_and_the_next() -> None:
    rtp, rtcp = bind_pair("127.0.0.1")
    with rtp, rtcp:
        assert rtp.getsockname()[1] % 2 == 0
        assert rtcp.getsockname()[1] == rtp.getsockname()[1] + 1


def test_a_phone_talks_to_an_independent_ear_and_hears_its_keys() -> None:
    keys: list[KeySeen] = []

    async def talk(ear: RtpEar) -> None:
        wire = MediaWire("127.0.0.1")
        media = Media(ToneSource(440.0), SeededIds(1), wall_minus_now_s=0.0)
        wire.open(media, keys.append)
        media.speaker.keys.press("4")
        media.set(agreed(ear.address[1]), asyncio.get_running_loop().time())
        wire.drain()
        for packet in RtpMouth().digit("8"):
            ear.send(packet, ("127.0.0.1", wire.port))
        await asyncio.to_thread(ear.wait_for, 15)
        wire.close()
        wire.close()

    with RtpEar() as ear:
        asyncio.run(talk(ear))

        assert ear.missing() == 0
        assert ear.digits() == "4"
        assert ear.heard()[0].packet.marker
        assert "".join(key.key for key in keys) == "8"
