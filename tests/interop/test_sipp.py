"""SIPp on both sides: calls by the hundred, PCMU to PCMA with RTP both ways, counted by strangers to each other.

SIPp counts failed calls, a reader of its socket counts lost RTP, the kernel counts what it dropped; afterwards the
switch's own census and the kernel's list of descriptors must agree that nothing is left.
"""

import re
import time
from pathlib import Path

import pytest

import voicecodecs
from gateway.testing.audio import speech
from gateway.testing.capture import missing
from gateway.testing.processes import free_block
from gateway.testing.sipp import Sipp

pytestmark = [pytest.mark.interop, pytest.mark.alone]

SCENARIOS = Path(__file__).parent / "sipp"
CALLER, CARRIER = "127.0.0.1", "127.0.0.2"
MEDIA_PORTS = range(30000, 32000)
TALK_S = 3
QUIET_S = 45
"""Longer than the 32 s that a transaction over UDP lingers (RFC 3261 section 17)."""


def kernel_errors():
    """Return the UDP error counters of the kernel (proc(5), /proc/net/snmp)."""
    names, counts = re.findall(r"^Udp: (.*)$", Path("/proc/net/snmp").read_text(), re.MULTILINE)
    counters = dict(zip(names.split(), map(int, counts.split()), strict=True))
    return {name: counters[name] for name in ("InErrors", "RcvbufErrors", "SndbufErrors", "InCsumErrors")}


def run_calls(switch, directory, ports, *, n_calls):
    """Run the calls; return caller and callee, both ended."""
    for name, codec in (("caller.ul", "pcmu"), ("callee.al", "pcma")):
        (directory / name).write_bytes(b"".join(voicecodecs.encode_frames(speech(), codec)))
    callee = Sipp(
        directory,
        SCENARIOS / "callee.xml",
        ip=CARRIER,
        sip_port=ports[0],
        rtp_port=ports[100],
        n_calls=n_calls,
    )
    login = ("-s", "+46700000001", "-au", "alice", "-ap", switch.password("alice"))
    caller = Sipp(
        directory,
        SCENARIOS / "caller.xml",
        (switch.address, *login, "-r", "20"),
        ip=CALLER,
        sip_port=ports[0],
        rtp_port=ports[10],
        n_calls=n_calls,
    )
    with callee, caller:
        caller.wait(within_s=n_calls / 20 + 60)
        callee.wait(within_s=20)
    return caller, callee


def quiet(read, wanted):
    """Return what `read` gives once it is as wanted, or as it still is after `QUIET_S`."""
    deadline = time.monotonic() + QUIET_S
    while (found := read()) != wanted and time.monotonic() < deadline:
        time.sleep(0.5)
    return found


@pytest.mark.parametrize(
    "n_calls", [200, pytest.param(1000, marks=[pytest.mark.slow, pytest.mark.timeout(300)])]
)
def test_no_call_fails_no_packet_is_lost_and_nothing_is_left(serve, tmp_path, n_calls):
    ports = free_block()
    uri = f"sip:{CARRIER}:{ports[0]};transport=udp"
    trunk = f'[[trunks]]\nname = "carrier"\nuri = "{uri}"\ncodecs = ["PCMA"]\nping_s = 0\n'
    switch = serve(settings=trunk, media_ports=MEDIA_PORTS)
    nothing = dict.fromkeys(switch.census(), 0)
    descriptors, errors = switch.descriptors(), kernel_errors()

    caller, callee = run_calls(switch, tmp_path, ports, n_calls=n_calls)

    assert caller.counted() == callee.counted() == (n_calls, 0), caller.complaint() + callee.complaint()
    for phone in (caller, callee):
        assert len(phone.heard) == n_calls
        assert sum(map(missing, phone.heard.values())) == 0
        assert min(map(len, phone.heard.values())) > 0.95 * TALK_S * 50
    assert kernel_errors() == errors
    assert quiet(switch.census, nothing) == nothing
    assert quiet(switch.descriptors, descriptors) == descriptors
