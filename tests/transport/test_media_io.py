"""Both ways to serve the sockets: time that was slept, watched descriptors, and packets of a row."""

import socket
import time

import numpy as np
import pytest

from gateway.ids import LegId, SeededIds
from gateway.media.plane import Plane
from gateway.testing.media_house import state_of
from gateway.transport import _io
from gateway.transport.media_io import EpollIo, PortableIo


@pytest.fixture(params=[EpollIo, PortableIo])
def house(request):
    plane = Plane(4, SeededIds(1))
    return plane, request.param(plane)


def bound():
    one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    one.bind(("127.0.0.1", 0))
    return one


def test_time_without_packets_counts_as_idle(house):
    _, io = house
    before = io.idle_s()

    io.wait(time.monotonic() + 0.05)

    assert io.idle_s() - before == pytest.approx(0.05, abs=0.02)


def test_a_watched_descriptor_ends_the_wait_until_it_is_unwatched(house):
    _, io = house
    ours, theirs = socket.socketpair()
    with ours, theirs:
        io.watch(ours.fileno())
        theirs.send(b"x")

        assert io.wait(time.monotonic() + 5.0) == [ours.fileno()]
        io.unwatch(ours.fileno())
        assert io.wait(0.0) == []


def test_a_packet_of_a_row_reaches_the_plane_and_the_row_can_be_detached(house):
    plane, io = house
    with bound() as rtp, bound() as rtcp, bound() as phone:
        row = plane.open(LegId("a"), rtp_fd=rtp.fileno(), rtcp_fd=rtcp.fileno())
        plane.apply(state_of("a", None), time.monotonic())
        io.attach(row)
        phone.sendto(bytes([0x80, 0]) + bytes(170), rtp.getsockname())

        io.wait(time.monotonic() + 0.05)
        assert io.counters()["received"] == 1

        io.detach(row)
        phone.sendto(bytes([0x80, 0]) + bytes(170), rtp.getsockname())
        io.wait(0.0)
        assert io.counters()["received"] == 1


def test_a_bare_timer_loop_wakes_up_after_its_time_and_not_before():
    late = np.full(20, -1.0)

    _io.metronome(0.001, late)

    assert (late >= 0).all()


@pytest.mark.parametrize("period", [0.0, -1.0, 1.0, float("nan")])
def test_a_period_that_is_none_is_refused(period):
    with pytest.raises(ValueError, match="period"):
        _io.metronome(period, np.zeros(1))
