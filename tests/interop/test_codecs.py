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

pytestmark = [pytest.mark.interop, pytest.mark.alone, pytest.mark.timeout(240)]

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


def worse_than_offline(said, recording, path):
    """Return by how much it sounds worse than its coding alone, in MOS-LQO."""
    heard = passage_of(recording, said)
    return quality(coded_alike(heard, said, path), said) - quality(heard, said)


def no_worse_than_offline(talk, *paths):
    """See that both directions sound as coded offline, and return the payload sizes.

    The better of two calls counts: a phone that this machine kept waiting conceals, and tells nobody.
    """
    found = []
    for attempt in range(2):
        *passages, seen = talk(attempt)
        found.append(max(worse_than_offline(*each, path) for each, path in zip(passages, paths, strict=True)))
        if found[-1] <= WORSE_AT_MOST:
            return seen
    raise AssertionError(f"worse than offline by {found}")


@pytest.mark.parametrize(("annexb", "wanted"), [("no", {20}), ("yes", {2, 10, 12, 20})])
def test_g729_with_linphone_sounds_as_coded_offline(serve, tmp_path, said, annexb, wanted):
    silent = annexb == "yes"
    switch = serve(media_settings=f"annexb = {str(silent).lower()}")
    g729 = Coding("g729", {"annexb": silent})

    def calls(attempt):
        place = tmp_path / f"pair {attempt}"
        parameters = f"annexb={annexb}"
        return talk(switch, Linphone, said, place, codecs=("G729",), format_parameters=parameters)

    found = no_worse_than_offline(calls, (g729, PCMU), (PCMU, g729))

    assert found <= wanted
    assert (2 in found) is silent


@pytest.mark.parametrize(("mode_ms", "frame_bytes"), [(20, 38), (30, 50)])
def test_ilbc_with_pjsua_sounds_as_coded_offline(serve, tmp_path, said, mode_ms, frame_bytes):
    switch = serve()
    ilbc = Coding("ilbc", {"mode_ms": mode_ms}, {"mode_ms": mode_ms}, frame=8 * mode_ms)

    def calls(attempt):
        place = tmp_path / f"pair {attempt}"
        return talk(switch, Pjsua, said, place, codecs=("ILBC",), ilbc_mode_ms=mode_ms)

    found = no_worse_than_offline(calls, (ilbc, PCMU), (PCMU, ilbc))

    assert found == {frame_bytes}
