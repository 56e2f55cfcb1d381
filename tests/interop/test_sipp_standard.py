"""The scenarios that are built into SIPp, unchanged: what the world tries first on a switch.

`uac` and `regexp` call a user from a trunk, since they know no passwords; `uas` is a carrier; `3pcc-C-A` and
`3pcc-C-B` are the two sides of a controller (RFC 3725, flow I) that calls two users and has each answer the other's
offer.  They say nothing, so it is SIPp's count of the calls that went as scripted that is looked at.  `branchc`
registers without a password, which is nothing for this switch.
"""

from pathlib import Path

import pytest

import voicecodecs
from gateway.testing.audio import speech
from gateway.testing.processes import free_block
from gateway.testing.sipp import Sipp

pytestmark = [pytest.mark.interop, pytest.mark.alone]

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


def test_a_controller_joins_two_users_by_the_scenarios_3pcc(serve, tmp_path):
    switch, n_calls = serve(settings=TRUNK), 5
    twin = ("-3pcc", f"{CARRIER}:{CARRIER_PORTS[20]}")

    def side(scenario, user, first_port, *more):
        return Sipp(
            tmp_path,
            scenario,
            (switch.address, "-s", user, *twin, *more),
            ip=CARRIER,
            sip_port=first_port,
            rtp_port=first_port + 4,
            n_calls=n_calls,
        )

    with (
        switch.answering("alice", "--calls", str(n_calls)),
        switch.answering("bob", "--calls", str(n_calls)),
        side("3pcc-C-B", "bob", CARRIER_PORTS[30]) as second,
        side("3pcc-C-A", "alice", CARRIER_PORTS[0], "-r", "2") as first,
    ):
        first.wait()
        second.wait()

    assert first.counted() == second.counted() == (n_calls, 0), first.complaint() + second.complaint()
