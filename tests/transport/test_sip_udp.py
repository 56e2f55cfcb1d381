"""The UDP socket: how old a datagram is when it is read, whatever the wall clock says."""

import asyncio
import socket
import struct
import time
from collections import Counter

import pytest

from gateway.transport.sip_udp import UdpSocket, age_s, bind_udp

SO_TIMESTAMPNS = 35


def stamped(at):
    """Return what the kernel says beside a datagram that came at a wall time."""
    seconds = int(at)
    data = struct.pack("@qq", seconds, round(1e9 * (at - seconds)))
    return [(socket.SOL_SOCKET, SO_TIMESTAMPNS, data)]


def test_a_datagram_that_waited_for_the_loop_says_so():
    async def scenario():
        ages, read = [], asyncio.Event()
        udp = UdpSocket(
            bind_udp("127.0.0.1", 0), lambda data, flow, age: ages.append(age), read.set, Counter()
        )
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone:
            while not ages or (
                ages[-1] == 0.0 and len(ages) < 50
            ):  # the kernel begins to stamp a little later
                read.clear()
                phone.sendto(b"OPTIONS", udp.local)
                hold_up_the_loop(0.05)
                await read.wait()
        udp.close()
        return ages

    assert 0.04 < asyncio.run(scenario())[-1] < 2.0


def hold_up_the_loop(seconds):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        pass


@pytest.mark.parametrize(
    ("came_at", "age"),
    [(1000.0, 0.25), (1000.25, 0.0), (5000.0, 0.0), (-3000.0, 2.0)],
    ids=["a quarter of a second ago", "now", "clock set back since", "clock set on since"],
)
def test_an_age_is_never_negative_and_never_hours(came_at, age):
    assert age_s(stamped(came_at), 1000.25) == pytest.approx(age)


def test_without_a_stamp_everything_is_fresh():
    assert age_s([], 1000.0) == 0.0
