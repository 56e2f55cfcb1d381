"""STUN and DTLS on a row's socket: they go to the switch if it wants them, and its answers leave from there."""

import socket
import time
from dataclasses import replace

import pytest

from gateway.ids import LegId, SeededIds
from gateway.media.plane import Plane
from gateway.testing.fake_browser import check
from gateway.testing.media_house import state_of
from gateway.transport.media_edge import MediaEdge
from gateway.transport.media_io import EpollIo, PortableIo

LEG = LegId("a")
STUN, DTLS, RTP = b"\x00\x01" + bytes(18), b"\x16\xfe\xff" + bytes(20), bytes([0x80, 0]) + bytes(170)


CHECK = check("ours", "a password of 22 chars", nominates=True)
LEASE = ["ours", "a password of 22 chars", 6.0]


class House:
    """A plane with one row, and a browser's socket."""

    def __init__(self, make_io):
        self.plane = Plane(4, SeededIds(1))
        self.io = make_io(self.plane)
        self.now = 100.0
        self.edge = MediaEdge(self.plane, self.io, lambda: self.now)
        self.rtp, self.rtcp, self.browser = (bound() for _ in range(3))
        row = self.plane.open(LEG, rtp_fd=self.rtp.fileno(), rtcp_fd=self.rtcp.fileno())
        self.io.attach(row)
        self.address = self.browser.getsockname()

    def be(self, **wishes):
        state = replace(state_of("a", None), **wishes)
        self.plane.apply(state, time.monotonic())
        self.edge.heed(state)

    def come(self, *datagrams):
        for each in datagrams:
            self.browser.sendto(each, self.rtp.getsockname())
        self.io.wait(time.monotonic() + 0.05)
        return list(self.edge.arrivals())

    def close(self):
        if LEG in self.plane.legs:
            self.io.detach(self.plane.row(LEG))
        for each in (self.rtp, self.rtcp, self.browser):
            each.close()


def bound():
    one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    one.bind(("127.0.0.1", 0))
    one.settimeout(5.0)
    return one


@pytest.fixture(params=[EpollIo, PortableIo])
def house(request):
    house = House(request.param)
    yield house
    house.close()


def test_what_is_no_media_is_told_with_its_leg_and_its_source(house):
    house.be(edge=True)
    told = [{"edge": LEG, "from": list(house.address), "data": data} for data in (STUN, DTLS)]
    assert house.come(STUN, RTP, DTLS) == told


def test_of_a_leg_that_is_no_browsers_nothing_is_told(house):
    house.be(edge=False)
    assert house.come(STUN) == []


def test_a_leg_that_is_closed_is_told_of_no_more(house):
    house.be(edge=True)
    house.io.detach(house.plane.row(LEG))
    house.plane.close(LEG, time.monotonic())
    assert house.come(STUN) == []


def test_an_answer_leaves_from_the_rows_own_socket(house):
    house.be(edge=True)
    house.edge.send(LEG, house.address, b"answer")
    assert house.browser.recvfrom(100) == (b"answer", house.rtp.getsockname())


def test_nothing_is_sent_for_a_leg_that_is_no_browsers(house):
    house.be(edge=False)
    house.edge.send(LEG, house.address, b"answer")
    house.edge.send(LegId("nobody"), house.address, b"answer")
    house.browser.setblocking(False)
    with pytest.raises(BlockingIOError):
        house.browser.recv(100)


def test_a_flood_is_counted_and_not_kept(house):
    house.be(edge=True)
    assert len(house.come(*[STUN] * 80)) == 64
    assert house.io.counters()["edges_lost"] == 16


def leased(house):
    """Let the switch answer a check, and leave the next ones to media."""
    house.be(edge=True)
    assert len(house.come(CHECK)) == 1
    house.edge.send(LEG, house.address, b"answer", LEASE)
    assert house.browser.recv(100) == b"answer"


def test_for_as_long_as_it_is_leased_a_check_is_answered_at_once_and_not_told(house):
    leased(house)
    house.now += 5.9
    assert house.come(CHECK) == []
    assert house.browser.recv(100).startswith(b"\x01\x01")
    house.now += 0.1
    assert len(house.come(CHECK)) == 1


@pytest.mark.parametrize(
    "data", [check("anew", "another password of 22"), check("ours", "a guess"), STUN, DTLS], ids=range(4)
)
def test_what_is_no_check_under_the_lease_is_told(house, data):
    leased(house)
    assert [message["data"] for message in house.come(data)] == [data]


def test_a_check_from_elsewhere_is_told(house):
    leased(house)
    house.browser.close()
    house.browser = bound()
    assert len(house.come(CHECK)) == 1


def test_the_next_leg_of_a_row_has_no_lease(house):
    leased(house)
    house.io.detach(house.plane.row(LEG))
    house.plane.close(LEG, time.monotonic())
    row = house.plane.open(LegId("b"), rtp_fd=house.rtp.fileno(), rtcp_fd=house.rtcp.fileno())
    house.io.attach(row)
    state = replace(state_of("b", None), edge=True)
    house.plane.apply(state, time.monotonic())
    house.edge.heed(state)
    assert len(house.come(CHECK)) == 1
    house.io.detach(row)
