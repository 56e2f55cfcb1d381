"""SIPp by scenarios of our own: what a trunk may do with a call that is up, and how a user registers.

The scenarios look at what the switch answers (`ereg ... check_it`), so SIPp's count of the calls that went as scripted
says that the answers were right.
"""

from pathlib import Path

import pytest

import voicecodecs
from gateway.lab.bench.signalling_load import Sipp as LoadSipp
from gateway.testing.key_tones import KeySound, key_sound
from gateway.testing.processes import PATIENCE_S, Serving, free_block
from gateway.testing.sipp import Sipp

pytestmark = pytest.mark.interop

SCENARIOS = Path(__file__).parent / "sipp"
USER, CARRIER = "127.0.0.1", "127.0.0.2"
PORTS = free_block()
TRUNK = (
    f'[[trunks]]\nname = "carrier"\nuri = "sip:{CARRIER}:{PORTS[0]};transport=udp"\n'
    'codecs = ["PCMU", "PCMA"]\nping_s = 0\n'
)


@pytest.fixture(scope="module")
def switch(tmp_path_factory):
    with Serving(tmp_path_factory.mktemp("sipp") / "switch", settings=TRUNK) as serving:
        yield serving


def test_a_trunk_does_with_its_call_whatever_trunks_do(switch, tmp_path):
    tones = key_sound("47", KeySound(tone_ms=100, pause_ms=100))
    (tmp_path / "keys.ul").write_bytes(b"".join(voicecodecs.encode_frames(tones, "pcmu")))
    with (
        switch.answering("alice", "--calls", "1", "--codec", "G729"),  # what is relayed is not listened to
        Sipp(
            tmp_path,
            SCENARIOS / "changes.xml",
            (switch.address, "-s", "alice"),
            ip=CARRIER,
            sip_port=PORTS[0],
            rtp_port=PORTS[10],
            n_calls=1,
        ) as sipp,
    ):
        sipp.wait()

    assert sipp.counted() == (1, 0), sipp.complaint()
    assert [(key["digit"], key["via"]) for key in switch.events("dtmf.heard")] == [
        ("4", "tones"),
        ("7", "tones"),
        ("5", "info"),
    ]
    assert switch.wait_for("leg.ended", side="caller")["codec"] == "pcma"


def test_a_user_registers_by_digest(switch, tmp_path):
    names = tmp_path / "names.csv"
    login = f"[authentication username=bob password={switch.password('bob')}]"
    names.write_text(f"SEQUENTIAL\nbob;{login}\n")
    with LoadSipp(
        "register", (switch.address, "-m", "1", "-inf", str(names)), host=USER, port=PORTS[20]
    ) as sipp:
        sipp.wait(PATIENCE_S)
        assert sipp.counted("SuccessfulCall") == 1, sipp.complaint()

    switch.wait_for("user.registered", user="bob")
