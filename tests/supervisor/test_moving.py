"""A leg moves from one media worker to another, with its sockets and what it was; nobody's death loses it."""

import json
import os
import signal
import socket

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.supervisor.broker import REST_S, LeaseError, PortBroker
from gateway.supervisor.channel import BrokerChannel, packet_pair
from gateway.testing.ports import FIRST_PORT
from gateway.testing.supervised import MOVING_MEDIA, WELL_BEHAVED, child

IMAGE = bytes(range(256)) * 100


class Worker:
    """A media process's end of its channel."""

    def __init__(self, broker, number):
        ours, self.end = packet_pair()
        self.end.setblocking(False)
        self.channel = BrokerChannel(broker, ours, number)
        self.channel.flush(0)

    def say(self, luggage=b"", **message):
        self.end.send(json.dumps(message).encode() + b"\0" + luggage)
        self.channel.serve(0)

    def hear(self):
        """Return the next message, the ports of the sockets that came beside it, and the luggage."""
        packet, descriptors, _, _ = socket.recv_fds(self.end, 1 << 17, 4)
        ports = []
        for descriptor in descriptors:
            with socket.socket(fileno=descriptor) as received:
                ports.append(received.getsockname()[1])
        head, _, luggage = packet.partition(b"\0")
        return json.loads(head), ports, luggage

    def die(self):
        if self.end.fileno() >= 0:
            self.end.close()
            self.channel.close(0)


@pytest.fixture
def broker():
    two = PortBroker(
        "127.0.0.1", range(FIRST_PORT, FIRST_PORT + 40, 2), descriptor_limit=4096, workers=2, start=0
    )
    yield two
    two.close()


@pytest.fixture
def workers(broker):
    two = [Worker(broker, 0), Worker(broker, 1)]
    for worker in two:
        worker.hear()
    yield two
    for worker in two:
        worker.die()


def forward(one, other):
    """Do what the supervisor does with a leg that one worker gave away."""
    other.channel.hand_over(one.channel.departed.popleft())
    other.channel.flush(0)


def test_a_moved_leg_arrives_with_its_sockets_and_its_luggage(workers):
    one, other = workers
    one.say(lease="a")
    one.hear()

    one.say(IMAGE, move="a", to=1)
    forward(one, other)

    assert other.hear() == ({"leased": "a", "port": FIRST_PORT}, [FIRST_PORT, FIRST_PORT + 1], IMAGE)


def test_a_worker_inherits_its_own_legs_only(broker, workers):
    workers[0].say(lease="a")
    workers[1].say(lease="b")

    successor = Worker(broker, 1)

    assert [successor.hear()[0] for _ in range(2)] == [{"leased": "b", "port": FIRST_PORT + 2}, {"leases": 1}]
    successor.die()


def test_a_leg_whose_new_worker_died_on_the_way_comes_with_its_luggage_to_the_next_process(broker, workers):
    one, other = workers
    one.say(lease="a")
    one.say(IMAGE, move="a", to=1)
    other.die()

    successor = Worker(broker, 1)

    assert successor.hear()[2] == IMAGE
    successor.die()


def test_a_leg_that_has_arrived_has_no_luggage_any_more(broker, workers):
    one, other = workers
    one.say(lease="a")
    one.say(IMAGE, move="a", to=1)
    forward(one, other)
    other.hear()
    other.say(arrived="a")

    successor = Worker(broker, 1)

    assert successor.hear()[2] == b""
    successor.die()


def test_a_move_that_was_said_before_a_death_counts(broker, workers):
    one, other = workers
    one.say(lease="a")
    one.end.send(json.dumps({"move": "a", "to": 1}).encode() + b"\0" + IMAGE)

    one.die()
    forward(one, other)

    assert other.hear()[2] == IMAGE


def test_a_worker_that_a_leg_has_left_can_neither_release_nor_move_it(broker, workers):
    one, _ = workers
    one.say(lease="a")
    one.say(IMAGE, move="a", to=1)

    one.say(release="a")
    one.say(b"older", move="a", to=1)

    (lease,) = broker.leases_of(1)
    assert lease.luggage == IMAGE


def test_a_move_to_a_worker_that_is_none_is_a_complaint_and_no_more(broker, workers):
    one, _ = workers
    one.say(lease="a")

    one.say(move="a", to=2)

    assert "not worker 0's to move" in one.channel.complaints[0]
    assert [lease.leg for lease in broker.leases_of(0)] == ["a"]


def test_a_packet_that_came_during_the_move_is_read_by_the_new_worker(workers):
    one, other = workers
    one.say(lease="a")
    one.say(IMAGE, move="a", to=1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone:
        phone.sendto(b"speech", ("127.0.0.1", FIRST_PORT))

    forward(one, other)
    _, (rtp, rtcp), _, _ = socket.recv_fds(other.end, 1 << 17, 4)

    with socket.socket(fileno=rtp) as received, socket.socket(fileno=rtcp):
        assert received.recv(100) == b"speech"


DEEDS = st.lists(
    st.tuples(
        st.sampled_from(["lease", "release", "move", "wait"]), st.sampled_from("abcdef"), st.integers(0, 2)
    ),
    max_size=60,
)


@settings(max_examples=100, deadline=None)
@given(DEEDS)
def test_a_port_is_never_handed_out_twice_nor_while_packets_of_its_last_call_may_arrive(deeds):
    broker = PortBroker(
        "127.0.0.1", range(FIRST_PORT, FIRST_PORT + 8, 2), descriptor_limit=4096, workers=3, start=0
    )
    now, free_at, had = 0.0, {}, {}
    for deed, leg, worker in deeds:
        if deed == "wait":
            now += 1.7
        elif deed == "move":
            broker.move(leg, holder=had.get(leg, (0, 0))[1], to=worker, luggage=b"")
        elif deed == "release":
            broker.release(leg, now, holder=worker)
            if leg in had and had[leg][1] == worker:
                free_at[had[leg][0]] = now + REST_S
        else:
            try:
                lease = broker.lease(leg, now, worker=worker)
            except LeaseError:
                continue
            assert leg in had or free_at.get(lease.port, 0.0) <= now
        leases = [lease for number in range(3) for lease in broker.leases_of(number)]
        had = {lease.leg: (lease.port, lease.worker) for lease in leases}
        assert len({lease.port for lease in leases}) == len(leases)
    broker.close()


def test_a_leg_reaches_a_worker_that_dies_of_it_at_first(supervise, tmp_path):
    house = supervise(
        media=child(MOVING_MEDIA, str(tmp_path / "has died")), switch=child(WELL_BEHAVED), workers=2
    )

    received = house.wait_for("media.received", leased="a")

    assert received["luggage"] == "all that it is"
    assert received["bound"] == received["port"]
    assert [one["child"] for one in house.heard if one["event"] == "child.died"] == ["media-2"]


def test_every_worker_is_brought_back_alone(supervise):
    house = supervise(media=child(WELL_BEHAVED), switch=child(WELL_BEHAVED), workers=2)
    before = house.wait_until_ready()

    os.kill(before["media-2"], signal.SIGKILL)
    again = house.wait_until_ready()

    assert again["media-1"] == before["media-1"]
    assert again["media-2"] != before["media-2"]
