"""The signalling bench: one rate through a whole switch, with SIPp on both sides; its figures are not tested."""

import shutil

import pytest

from gateway.lab.bench.capacity import LOAD_CORE, SERVER_CORE
from gateway.lab.bench.signalling import step
from gateway.lab.bench.signalling_load import offer
from gateway.lab.bench.signalling_servers import KamailioProxy, TandemSwitch, free_port, kamailio_installed

pytestmark = pytest.mark.interop


def test_every_call_of_a_low_rate_is_completed():
    callee_port = free_port()
    with TandemSwitch(SERVER_CORE, callee_port) as server:
        found = step(server, callee_port, rate_per_s=10, seconds=2.0)

    assert (found.calls.offered, found.calls.completed, found.calls.failed) == (20, 20, 0)
    assert found.calls.setup_ms_p50 < 1000
    assert {"supervisor", "switch", "media"} <= set(found.cpu_ms_per_call)


def test_the_peer_carries_the_same_calls():
    assert shutil.which("kamailio", path="/usr/sbin:/usr/bin"), (
        "kamailio is not installed (apt install kamailio)"
    )
    assert kamailio_installed()
    callee_port = free_port()
    with KamailioProxy(SERVER_CORE, callee_port) as proxy:
        calls = offer(proxy.port, callee_port, rate_per_s=10, seconds=2.0, core=LOAD_CORE)

    assert (calls.completed, calls.failed) == (20, 0)
