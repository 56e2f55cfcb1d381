"""Promise 24: a switch without a descriptor left refuses, does not spin, and is itself again when there are some."""

import itertools
import os
import socket
import subprocess
import sys
import textwrap
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from gateway.testing.sip_script import sip_request

SWITCH = textwrap.dedent(
    """
    import asyncio, resource, sys
    from gateway.ids import SystemIds
    from gateway.sip.endpoint import Endpoint, EndpointConfig
    from gateway.transport.sip_rim import SipRim

    async def serve():
        resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40))
        async with SipRim(Endpoint(EndpointConfig(), SystemIds()), ["udp:127.0.0.1:0", "tcp:127.0.0.1:0"]) as rim:
            print(*(flow.local[1] for flow in rim.flows), flush=True)
            await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)

    asyncio.run(serve())
    """
)
CLIENTS = 100
NUMBERS = itertools.count(1)


@pytest.fixture
def switch():
    """Give a switch with 40 descriptors: the process, and its ports for UDP and TCP."""
    pipe = subprocess.PIPE
    process = subprocess.Popen(
        [sys.executable, "-c", SWITCH], stdin=pipe, stdout=pipe, stderr=pipe, text=True
    )
    with process:
        udp, tcp = map(int, process.stdout.readline().split())
        yield process, udp, tcp
        _, complaints = process.communicate("", timeout=20)
    assert process.returncode == 0, complaints
    assert complaints == ""


def cpu_s(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def is_answered(kind, port, within_s=5.0):
    n = next(NUMBERS)
    request = sip_request("OPTIONS", call_id=f"o{n}", branch=f"z9hG4bK-o{n}")
    with socket.socket(socket.AF_INET, kind) as ours:
        ours.settimeout(within_s)
        ours.connect(("127.0.0.1", port))
        ours.send(request)
        return ours.recv(4096).startswith(b"SIP/2.0 200")


def test_promise_24_out_of_descriptors(switch):
    process, udp, tcp = switch
    with ExitStack() as lines:
        for n in range(CLIENTS):
            line = lines.enter_context(socket.socket())
            line.bind((f"127.0.0.{11 + n % 4}", 0))
            line.connect(("127.0.0.1", tcp))
        assert is_answered(socket.SOCK_DGRAM, udp)
        before, began = cpu_s(process.pid), time.monotonic()
        while time.monotonic() < began + 1.5:
            assert is_answered(socket.SOCK_DGRAM, udp)
            time.sleep(0.1)
        used = (cpu_s(process.pid) - before) / (time.monotonic() - began)

    assert used < 0.5, "it spins"
    assert is_answered(socket.SOCK_STREAM, tcp)
