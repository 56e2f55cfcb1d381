"""Ports are leased in pairs, rest after use, and are refused with a reason."""

import errno
import socket

import pytest

from gateway.supervisor.broker import RESERVE, REST_S, LeaseError, PortBroker
from gateway.testing.ports import FIRST_PORT


@pytest.fixture
def broker():
    with_four_pairs = PortBroker(
        "127.0.0.1", range(FIRST_PORT, FIRST_PORT + 8, 2), descriptor_limit=1024, start=0
    )
    yield with_four_pairs
    with_four_pairs.close()


def test_a_lease_is_an_even_port_and_the_odd_one_above(broker):
    lease = broker.lease("a", now=0)

    assert lease.rtp.getsockname() == ("127.0.0.1", FIRST_PORT)
    assert lease.rtcp.getsockname() == ("127.0.0.1", FIRST_PORT + 1)


def test_ports_are_unique(broker):
    assert len({broker.lease(leg, now=0).port for leg in "abcd"}) == 4


def test_asking_again_returns_the_same_lease(broker):
    assert broker.lease("a", now=0) == broker.lease("a", now=1)


def test_a_released_port_rests_for_five_seconds(broker):
    for leg in "abcd":
        broker.lease(leg, now=0)
    broker.release("a", now=10)

    with pytest.raises(LeaseError, match="no free port pair"):
        broker.lease("e", now=10 + REST_S - 0.01)
    assert broker.lease("e", now=10 + REST_S).port == FIRST_PORT


def test_a_port_is_reused_as_late_as_possible(broker):
    broker.lease("a", now=0)
    broker.release("a", now=0)

    assert broker.lease("b", now=100).port == FIRST_PORT + 2


def test_a_release_may_repeat(broker):
    broker.lease("a", now=0)
    broker.release("a", now=0)

    broker.release("a", now=1)

    assert len(broker) == 0


def test_a_port_of_another_program_is_passed_over(broker):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.bind(("127.0.0.1", FIRST_PORT + 1))

        assert broker.lease("a", now=0).port == FIRST_PORT + 2


def test_the_limit_of_descriptors_is_a_refusal_that_names_it():
    broker = PortBroker(
        "127.0.0.1", range(FIRST_PORT, FIRST_PORT + 8, 2), descriptor_limit=RESERVE + 3, start=0
    )
    broker.lease("a", now=0)

    with pytest.raises(LeaseError, match=f"limit of {RESERVE + 3} descriptors"):
        broker.lease("b", now=0)
    broker.release("a", now=0)
    assert broker.lease("b", now=0).port == FIRST_PORT + 2
    broker.close()


def test_a_descriptor_shortage_is_a_refusal_and_leaves_nothing_open(broker, monkeypatch):
    def no_more(*_):
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(socket, "socket", no_more)

    with pytest.raises(LeaseError, match="Too many open files"):
        broker.lease("a", now=0)
    assert len(broker) == 0


def test_an_address_of_another_machine_is_a_refusal_that_names_it():
    broker = PortBroker("192.0.2.77", range(FIRST_PORT, FIRST_PORT + 8, 2), descriptor_limit=1024)

    with pytest.raises(LeaseError, match=r"192\.0\.2\.77"):
        broker.lease("a", now=0)


def test_ipv6_ports_are_leased_too():
    broker = PortBroker("::1", range(FIRST_PORT, FIRST_PORT + 8, 2), descriptor_limit=1024, start=0)

    assert broker.lease("a", now=0).rtp.getsockname()[:2] == ("::1", FIRST_PORT)
    broker.close()


def test_leased_sockets_do_not_block(broker):
    with pytest.raises(BlockingIOError):
        broker.lease("a", now=0).rtp.recv(1)
