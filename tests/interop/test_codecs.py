"""G.729 with linphonec and iLBC with pjsua2, each through the switch to a phone that speaks PCMU alone.

Both say some seconds of speech at the same time, and both ears are judged by ViSQOL against the same speech coded
offline: the path may cost a tenth of a point more than its codecs do.  What travelled is read off the wire.
"""

import numpy as np
import pytest

from gateway.testing.audio import read_wav, write_wav
from gateway.testing.capture import Capture, rtp_packets
from gateway.testing.linphone import Linphone
from gateway.testing.offline import Coding, coded_alike
from gateway.testing.pjsua import Pjsua
from gateway.testing.processes import free_block
from gateway.testing.visqol import passage_of, quality, spoken

pytestmark = [pytest.mark.interop, pytest.mark.timeout(240)]

pytest.importorskip("visqol", reason="the dependency group `interop` is not installed")

WORSE_AT_MOST = 0.1
TALK_S = 12.0
ATTEMPTS = 3
SETTLING = np.zeros(8000, np.int16)
PCMU = Coding("pcmu")


@pytest.fixture(scope="module")
def said():
    """What the peer and the phone say: sentences of the Harvard list (IEEE 297-1969)."""
    return {
        "peer": spoken(
            "The birch canoe slid on the smooth planks. Glue the sheet to the dark blue background. "
            "It is easy to tell the depth of a well.",
            voice="en-us",
        ),
        "phone": spoken(
            "Rice is often served in round bowls. The juice of lemons makes fine punch. "
            "The box was thrown beside the parked truck.",
            voice="en-us+f3",
        ),
    }


def talk(switch, phone, said, directory, **settings):
    """Let a phone call bob, who has PCMU; return what each said and heard, and the sizes of the phone's packets.

    A busy machine delays packets until they are too late, which is no fault of a codec: then they talk again.
    """
    for attempt in range(ATTEMPTS):
        place = directory / f"call {attempt}"
        peer = phone(
            place / "peer",
            user="alice",
            password=switch.password("alice"),
            server=switch.address,
            ports=free_block(),
            **settings,
        )
        told = talk_once(switch, peer, said, place)
        if not disturbed(switch):
            return told
    raise AssertionError(f"in each of {ATTEMPTS} calls packets were lost or late")


def talk_once(switch, peer, said, directory):
    for who, speech in said.items():
        write_wav(directory / f"{who}.wav", np.concatenate((SETTLING, speech, SETTLING)))
    wire = Capture(directory / "wire.pcap", f"udp portrange {peer.rtp_ports[0]}-{peer.rtp_ports[-1]}")
    bob = switch.answering(
        "bob",
        *("--wav", str(directory / "phone.wav"), "--record", str(directory / "bob.wav")),
        *("--codec", "PCMU", "--duration", str(TALK_S), "--calls", "1"),
    )
    with bob, peer, wire:
        peer.dial(switch.uri("bob"))
        peer.say(directory / "peer.wav")
        bob.report(within_s=TALK_S + 20)
        peer.wait_for_end()
    return (said["peer"], read_wav(directory / "bob.wav")), (said["phone"], read_wav(peer.heard)), sizes(wire)


def disturbed(switch):
    """Return whether packets of the last call were lost on their way to the switch, or came too late."""
    switch.wait_for("call.ended", count=len(switch.events("call.offered")))
    return any(leg["lost"] or leg["late"] for leg in switch.events("leg.ended")[-2:])


def sizes(wire):
    """Return the sizes of the payloads that came to the peer and left it."""
    return {len(each.packet.payload) for _, _, each in rtp_packets(wire.datagrams())}


def assert_no_worse_than_offline(said, recording, *path):
    heard = passage_of(recording, said)
    offline, live = quality(coded_alike(heard, said, path), said), quality(heard, said)
    assert live >= offline - WORSE_AT_MOST, f"heard {live:.2f}, coded offline {offline:.2f}"


@pytest.mark.parametrize(("annexb", "wanted"), [("no", {20}), ("yes", {2, 10, 12, 20})])
def test_g729_with_linphone_sounds_as_coded_offline(serve, tmp_path, said, annexb, wanted):
    silent = annexb == "yes"
    switch = serve(media_settings=f"annexb = {str(silent).lower()}")

    to_phone, to_peer, found = talk(
        switch, Linphone, said, tmp_path, codecs=("G729",), format_parameters=f"annexb={annexb}"
    )

    g729 = Coding("g729", {"annexb": silent})
    assert_no_worse_than_offline(*to_phone, g729, PCMU)
    assert_no_worse_than_offline(*to_peer, PCMU, g729)
    assert found <= wanted
    assert (2 in found) is silent


@pytest.mark.parametrize(("mode_ms", "frame_bytes"), [(20, 38), (30, 50)])
def test_ilbc_with_pjsua_sounds_as_coded_offline(serve, tmp_path, said, mode_ms, frame_bytes):
    to_phone, to_peer, found = talk(serve(), Pjsua, said, tmp_path, codecs=("ILBC",), ilbc_mode_ms=mode_ms)

    ilbc = Coding("ilbc", {"mode_ms": mode_ms}, {"mode_ms": mode_ms}, frame=8 * mode_ms)
    assert_no_worse_than_offline(*to_phone, ilbc, PCMU)
    assert_no_worse_than_offline(*to_peer, PCMU, ilbc)
    assert found == {frame_bytes}
