"""The way from a media process's ring to a capture file, with datagrams that really went over a wire."""

import mmap
import socket
import time
from contextlib import contextmanager
from dataclasses import replace

import pytest

from gateway.ids import LegId, SeededIds
from gateway.media.plane import Plane
from gateway.observe.trace.drain import HEAD_BYTES, Drain, Ring
from gateway.observe.trace.file import CaptureFile
from gateway.observe.trace.pcap import read_pcap
from gateway.testing.media_house import state_of
from gateway.transport.media_io import CAPTURE_HEAD_BYTES, EpollIo

RING_BYTES = 1 << 16
PACKET = bytes([0x80, 0]) + bytes(170)


class Events(list):
    """A log that remembers."""

    def info(self, event, /, **facts):
        self.append((event, facts))

    warning = info


@contextmanager
def bound(address="127.0.0.1"):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as one:
        one.bind((address, 0))
        yield one


class House:
    """A row whose sockets are captured, a phone, and the drain."""

    def __init__(self, path, phone, rtp, rtcp, announced="127.0.0.1"):
        self.memory = memoryview(mmap.mmap(-1, HEAD_BYTES + RING_BYTES))
        self.plane = Plane(4, SeededIds(1))
        self.io = EpollIo(self.plane)
        self.io.capture(self.memory, announced)
        self.row = self.plane.open(LegId("a"), rtp_fd=rtp.fileno(), rtcp_fd=rtcp.fileno())
        self.state = replace(state_of("a", None), remote=None)
        self.plane.apply(self.state, time.monotonic())
        self.io.attach(self.row)
        self.log = Events()
        self.path = path
        file = CaptureFile(path, 10_000_000)
        file.prepare()
        self.drain = Drain(Ring(self.memory), file, self.log)
        self.phone, self.to = phone, ("127.0.0.1", rtp.getsockname()[1])

    def speak(self, n=1):
        for _ in range(n):
            self.phone.sendto(PACKET, self.to)
            self.io.wait(0.0)


@pytest.fixture
def house(tmp_path):
    with bound() as phone, bound() as rtp, bound() as rtcp:
        yield House(tmp_path / "call.pcap", phone, rtp, rtcp)


def test_both_sides_mean_the_same_memory():
    assert HEAD_BYTES == CAPTURE_HEAD_BYTES


def test_what_comes_is_written_a_round_later_with_its_addresses_and_time(house):
    before = time.time()
    house.speak()
    house.drain.round()
    assert list(read_pcap(house.path)) == []

    house.drain.round()
    (message,) = read_pcap(house.path)
    assert (message.source, message.destination) == (house.phone.getsockname(), house.to)
    assert message.data == PACKET
    assert before - 0.001 <= message.at <= time.time()


def test_what_is_relayed_on_arrival_is_captured_as_it_came_and_as_it_left(house):
    echo = replace(house.state, generation=2, remote=house.phone.getsockname(), source="echo")
    house.plane.apply(echo, time.monotonic())
    house.speak()
    house.drain.end()

    arrived, left = read_pcap(house.path)
    assert (arrived.source, arrived.destination) == (left.destination, left.source)
    assert left.data == house.phone.recv(2000) != arrived.data
    assert arrived.at <= left.at


def test_a_crowded_ring_is_emptied_at_once(house):
    house.speak(100)
    house.drain.round()
    assert len(list(read_pcap(house.path))) == 100


def test_what_finds_no_room_is_counted_and_said_at_the_end(house):
    house.speak(400)
    counted = house.io.counters()
    assert (counted["captured"] + counted["capture_lost"], counted["capture_lost"] > 0) == (400, True)

    house.drain.end()
    assert house.log == [
        (
            "capture.ended",
            {
                "file": str(house.path),
                "packets": counted["captured"],
                "lost": counted["capture_lost"],
            },
        )
    ]
    assert len(list(read_pcap(house.path))) == counted["captured"]


def test_the_ring_goes_round_and_nothing_is_lost(house):
    for _ in range(40):
        house.speak(30)
        house.drain.round()
    house.drain.end()
    assert [message.data for message in read_pcap(house.path)] == [PACKET] * 1200


def test_a_disk_that_takes_nothing_costs_packets_of_the_capture_only(house, tmp_path, monkeypatch):
    def full(_records):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(CaptureFile, "append", staticmethod(full))
    house.speak(3)
    house.drain.end()
    assert [event for event, _ in house.log] == ["capture.failed", "capture.ended"]
    assert house.log[-1][1]["lost"] == 3


def test_a_socket_that_is_bound_to_every_address_is_shown_as_the_announced_one(tmp_path):
    with bound() as phone, bound("0.0.0.0") as rtp, bound() as rtcp:
        house = House(tmp_path / "call.pcap", phone, rtp, rtcp, announced="192.0.2.7")
        house.speak()
        house.drain.end()
        (message,) = read_pcap(tmp_path / "call.pcap")
        assert message.destination == ("192.0.2.7", rtp.getsockname()[1])
