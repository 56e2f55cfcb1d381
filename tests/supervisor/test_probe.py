"""A port is free, or it is said why not and who has it."""

import os
import socket
import sys

import pytest

from gateway.supervisor.probe import holder, why_not_free

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="/proc names the holder on Linux alone")


@pytest.fixture
def listening():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def bound():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.bind(("127.0.0.1", 0))
        yield one.getsockname()[1]


def test_a_port_that_nobody_has_is_free(listening):
    assert why_not_free("udp", "127.0.0.1", 0) is None
    assert why_not_free("tcp", "127.0.0.1", 0) is None


@linux_only
def test_the_holder_of_a_tcp_port_is_named(listening):
    assert f"(pid {os.getpid()})" in why_not_free("tcp", "127.0.0.1", listening)


@linux_only
def test_the_holder_of_a_udp_port_is_named(bound):
    assert f"(pid {os.getpid()})" in why_not_free("udp", "127.0.0.1", bound)


def test_udp_and_tcp_are_two_things(bound, listening):
    assert holder("tcp", bound) is None
    assert holder("udp", listening) is None


def test_an_address_of_another_machine_is_said_to_be_one():
    assert why_not_free("udp", "198.51.100.1", 5060) == "this machine has no address 198.51.100.1"


def test_ipv6_ports_are_tried_too():
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as server:
        assert why_not_free("tcp", "::1", server.getsockname()[1]).startswith("taken by")
