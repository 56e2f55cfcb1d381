"""The legs of a worker: ports and rows come and leave together."""

import json
import os
import select
import socket

import pytest

from gateway.ids import LegId, SeededIds
from gateway.media.plane import Plane
from gateway.testing.media_house import state_of
from gateway.transport.media_io import media_io
from gateway.transport.media_links import BrokerLink
from gateway.transport.media_rows import Rows

A = LegId("a")


class House:
    """A worker's rows, its broker, and what the switch is told."""

    def __init__(self):
        self.plane = Plane(4, SeededIds(1))
        self.broker, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.told, self._link = [], BrokerLink(theirs.detach())
        self.rows = Rows(
            self.plane,
            media_io(self.plane),
            self._link,
            self.told.append,
            address="192.0.2.1",
            bound="0.0.0.0",
        )
        self.rows.broker_says({"leases": 0}, [], b"", 1.0)

    def wishes(self):
        """Return what the broker was asked for since the last time, and the luggage that came along."""
        found = []
        while select.select([self.broker], [], [], 0)[0]:
            head, _, luggage = self.broker.recv(1 << 18).partition(b"\0")
            found.append((json.loads(head), luggage))
        return found

    def lease(self, luggage=b""):
        """Hand over a lease of leg a; return its descriptors."""
        sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2)]
        fds = [each.detach() for each in sockets]
        self.rows.broker_says({"leased": A, "port": 4000}, fds, luggage, 1.0)
        return fds

    def close(self):
        for leg in self.plane.legs:
            self.rows.close(leg, 2.0)
        self.broker.close()
        self._link.close()


@pytest.fixture
def house():
    one = House()
    yield one
    if one.broker.fileno() >= 0:
        one.close()


OPENED = {"opened": A, "port": 4000, "address": "192.0.2.1", "bound": "127.0.0.1"}


def is_open(fd):
    try:
        os.fstat(fd)
    except OSError:
        return False
    return True


def test_a_leg_that_was_asked_for_is_opened_when_its_port_comes(house):
    house.rows.open(A, refusal=None)
    house.lease()

    assert house.wishes() == [({"lease": "a"}, b"")]
    assert house.told == [OPENED]
    assert house.plane.legs == (A,)


def test_a_port_that_comes_after_its_leg_was_closed_is_given_back(house):
    house.rows.open(A, refusal=None)
    house.rows.close(A, 1.0)

    fds = house.lease()

    assert house.wishes()[-1] == ({"release": "a"}, b"")
    assert not any(is_open(fd) for fd in fds)
    assert house.told == []


def test_a_port_that_comes_twice_is_kept_once(house):
    house.rows.open(A, refusal=None)
    first, second = house.lease(), house.lease()

    assert [is_open(fd) for fd in (*first, *second)] == [True, True, False, False]


def test_a_leg_that_is_given_away_leaves_with_all_it_is_and_says_no_goodbye(house):
    house.rows.open(A, refusal=None)
    fds = house.lease()
    house.plane.apply(state_of("a", "room"), 1.0)
    ssrc = int(house.plane.table.rows["tx_ssrc"][house.plane.row(A)])
    house.rows.move(A, 1)
    house.rows.hand_over(1.0)

    (_, (message, luggage)) = house.wishes()
    assert message == {"move": "a", "to": 1}
    assert not any(is_open(fd) for fd in fds)
    assert (house.plane.legs, house.told) == ((), [OPENED])

    other = House()
    other.lease(luggage)
    assert int(other.plane.table.rows["tx_ssrc"][other.plane.row(A)]) == ssrc
    assert other.wishes() == [({"arrived": "a"}, b"")]
    other.close()


def test_a_leg_with_luggage_that_cannot_be_read_begins_anew(house):
    house.lease(b"\x00of another build")

    assert house.plane.legs == (A,)
    assert house.told == [OPENED]


def test_a_leg_that_is_not_here_cannot_be_given_away(house):
    house.rows.move(A, 1)

    house.rows.hand_over(1.0)

    assert house.told == [{"absent": "a"}]


def test_rows_that_no_switch_asked_for_are_freed_and_the_others_stay(house):
    house.rows.open(A, refusal=None)
    house.lease()
    house.rows.epoch = 1
    house.rows.asked(A)

    house.rows.reap(100.0, abandoned=False)
    assert house.plane.legs == (A,)

    house.rows.epoch = 2
    house.rows.reap(100.0, abandoned=False)
    assert house.plane.legs == ()
    assert house.told[-1]["event"] == "RowClosed"
