"""The broker's conversation with a media process, and what a new media process inherits."""

import json
import os
import signal
import socket

import pytest

from gateway.supervisor.broker import PortBroker
from gateway.supervisor.channel import BrokerChannel, packet_pair
from gateway.testing.ports import FIRST_PORT
from gateway.testing.supervised import LEASING_MEDIA, WELL_BEHAVED, child


class Media:
    """The media process's end of a channel."""

    def __init__(self, broker, worker=0):
        ours, self.end = packet_pair()
        self.end.setblocking(False)
        self.channel = BrokerChannel(broker, ours, worker)
        self.channel.flush(0)

    def say(self, **message):
        self.end.send(json.dumps(message).encode())
        self.channel.serve(0)

    def hear(self):
        """Return the next message, with the ports of the sockets that came beside it."""
        packet, descriptors, _, _ = socket.recv_fds(self.end, 4096, 4)
        ports = []
        for descriptor in descriptors:
            with socket.socket(fileno=descriptor) as received:
                ports.append(received.getsockname()[1])
        return json.loads(packet), ports

    def close(self):
        self.end.close()
        self.channel.close(0)


@pytest.fixture
def broker():
    many = PortBroker("127.0.0.1", range(FIRST_PORT, FIRST_PORT + 2000, 2), descriptor_limit=4096, start=0)
    yield many
    many.close()


@pytest.fixture
def media(broker):
    one = Media(broker)
    yield one
    one.close()


def test_a_lease_comes_with_both_sockets(media):
    media.hear()

    media.say(lease="a")

    assert media.hear() == ({"leased": "a", "port": FIRST_PORT}, [FIRST_PORT, FIRST_PORT + 1])


def test_the_first_media_process_inherits_nothing(media):
    assert media.hear() == ({"leases": 0}, [])


def test_the_next_media_process_inherits_every_lease_in_order(broker, media):
    for leg in ("c", "a", "b"):
        broker.lease(leg, now=0)
    successor = Media(broker)

    heard = [successor.hear() for _ in range(4)]
    successor.close()

    assert [message.get("leased") for message, _ in heard] == ["c", "a", "b", None]
    assert heard[0][1] == [FIRST_PORT, FIRST_PORT + 1]
    assert heard[-1][0] == {"leases": 3}


def test_a_refusal_says_why(broker, media):
    media.hear()
    broker.close()
    full = Media(PortBroker("127.0.0.1", range(FIRST_PORT, FIRST_PORT + 2, 2), descriptor_limit=10))
    full.hear()

    full.say(lease="a")
    message, ports = full.hear()
    full.close()

    assert message["refused"] == "a"
    assert "10 descriptors" in message["reason"]
    assert ports == []


def test_a_release_before_a_crash_counts_though_answers_were_never_read(broker):
    crashing = Media(broker)
    crashing.say(lease="a")
    crashing.end.send(b'{"release": "a"}')

    crashing.close()

    assert len(broker) == 0


@pytest.mark.parametrize("packet", [b"{", b"[]", b'{"lease": 1}', b'{"leas": "a"}', b"\xff", b"null"])
def test_what_is_no_request_is_a_complaint_and_no_more(broker, media, packet):
    media.end.send(packet)

    assert media.channel.serve(0)
    assert "no request" in media.channel.complaints[0]
    assert len(broker) == 0


def test_a_media_process_that_does_not_read_is_not_waited_for_and_loses_nothing(broker, media):
    for number in range(500):
        broker.lease(str(number), now=0)
    slow = Media(broker)
    assert slow.channel.writing

    heard = []
    while len(heard) < 501:
        heard.append(slow.hear())
        slow.channel.flush(0)
    slow.close()

    assert [message.get("leased") for message, _ in heard] == [*map(str, range(500)), None]


def test_requests_are_left_unread_while_many_answers_wait(broker):
    for number in range(900):
        broker.lease(str(number), now=0)
    slow = Media(broker)

    slow.say(lease="one more")
    assert len(broker) == 900
    for _ in range(900):
        slow.hear()
        slow.channel.serve(0)

    assert len(broker) == 901
    slow.close()


def test_a_lease_that_was_released_while_it_waited_is_not_sent(broker, media):
    for number in range(500):
        broker.lease(str(number), now=0)
    slow = Media(broker)
    broker.release("499", now=0)

    heard = []
    while len(heard) < 500:
        heard.append(slow.hear()[0])
        slow.channel.flush(0)
    slow.close()

    assert {"leased": "499", "port": FIRST_PORT + 998} not in heard
    assert heard[-1] == {"leases": 500}


def test_the_death_of_the_media_process_is_seen(media):
    media.end.close()

    assert not media.channel.serve(0)


def test_a_restarted_media_process_reads_the_packet_that_came_while_there_was_none(supervise):
    house = supervise(media=child(LEASING_MEDIA, "a", "b"), switch=child(WELL_BEHAVED))
    leases = [house.wait_for("media.answered") for _ in range(2)]
    pid = next(one["pid"] for one in house.heard if one.get("child") == "media")
    os.kill(pid, signal.SIGSTOP)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone:
        phone.connect(("127.0.0.1", leases[1]["port"]))
        phone.send(b"speech")

        os.kill(pid, signal.SIGKILL)
        inherited = house.wait_for("media.inherited", leases=2)

    assert [one["leased"] for one in inherited["held"]] == ["a", "b"]
    assert [one["bound"] for one in inherited["held"]] == [one["port"] for one in leases]
    assert [one["queued"] for one in inherited["held"]] == [None, "speech"]
