"""The scenarios that are built into SIPp, unchanged: what the world tries first on a switch.

`uac` and `regexp` call a user from a trunk, since they know no passwords; `uas` is a carrier.  They say nothing,
so it is SIPp's count of the calls that went as scripted that is looked at.
"""

from pathlib import Path

import pytest

import voicecodecs
from gateway.testing.audio import speech
from gateway.testing.processes import free_block
from gateway.testing.sipp import Sipp

pytestmark = pytest.mark.interop

CALLER, CARRIER = "127.0.0.1", "127.0.0.2"
N_CALLS = 20


def carrier(switch, directory, scenario, *arguments):
    """Return the SIPp that is the trunk's other end."""
    ports = CARRIER_PORTS
    return Sipp(
        directory, scenario, arguments, ip=CARRIER, sip_port=ports[0], rtp_port=ports[10], n_calls=N_CALLS
    )


CARRIER_PORTS = free_block()
TRUNK = f'[[trunks]]\nname = "carrier"\nuri = "sip:{CARRIER}:{CARRIER_PORTS[0]};transport=udp"\ncodecs = ["PCMU"]\n'


@pytest.mark.parametrize("scenario", ["uac", "regexp"])
def test_a_trunk_calls_a_user_by_the_scenario(serve, tmp_path, scenario):
    switch = serve(settings=TRUNK)
    script = (switch.address, "-s", "alice", "-r", "10", "-d", "500")
    with (
        switch.answering("alice", "--calls", str(N_CALLS)),
        carrier(switch, tmp_path, scenario, *script) as sipp,
    ):
        sipp.wait()

    assert sipp.counted() == (N_CALLS, 0), sipp.complaint()


def test_a_user_calls_a_carrier_that_follows_the_scenario_uas(serve, tmp_path):
    switch = serve(settings=TRUNK)
    (tmp_path / "caller.ul").write_bytes(b"".join(voicecodecs.encode_frames(speech(), "pcmu")))
    login = ("-s", "+46700000001", "-au", "alice", "-ap", switch.password("alice"))
    ports = free_block()
    caller = Sipp(
        tmp_path,
        Path(__file__).parent / "sipp" / "caller.xml",
        (switch.address, *login, "-r", "10"),
        ip=CALLER,
        sip_port=ports[0],
        rtp_port=ports[10],
        n_calls=N_CALLS,
    )
    with carrier(switch, tmp_path, "uas") as callee, caller:
        caller.wait()
        callee.wait()

    assert caller.counted() == callee.counted() == (N_CALLS, 0), caller.complaint() + callee.complaint()
