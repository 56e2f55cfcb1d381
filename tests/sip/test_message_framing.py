import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import BadMessage
from gateway.sip.framer import PING, StreamFramer


def message(body: bytes = b"", length: bytes | None = None) -> bytes:
    length = str(len(body)).encode() if length is None else length
    return b"OPTIONS sip:h SIP/2.0\r\nContent-Length: " + length + b"\r\nX: y\r\n\r\n" + body


def test_a_read_may_hold_many_messages_or_half_of_one():
    framer = StreamFramer()
    one, two = message(b"one"), message(b"two!")

    assert framer.feed(one + two + one[:10]) == [one, two]
    assert framer.pending == 10
    assert framer.feed(one[10:]) == [one]


@given(st.lists(st.integers(1, 200), max_size=20))
def test_where_reads_are_cut_makes_no_difference(cuts: list[int]):
    stream = PING + message(b"\r\n\r\n") + b"\r\n" + message() + PING + message(b"Content-Length: 9\r\n")
    framer, found = StreamFramer(), []
    for cut in [*cuts, len(stream)]:
        found += framer.feed(stream[:cut])
        stream = stream[cut:]

    assert found == [PING, message(b"\r\n\r\n"), message(), PING, message(b"Content-Length: 9\r\n")]
    assert framer.pending == 0


def test_a_lone_line_end_between_messages_is_a_pong():
    framer = StreamFramer()

    assert framer.feed(b"\r\n") == []
    assert framer.feed(message()) == [message()]


def test_a_line_end_inside_a_head_that_arrives_alone_is_not_eaten():
    """emiago/sipgo#357."""
    framer = StreamFramer()
    head, tail = message(b"x").split(b"\r\n", 1)

    assert framer.feed(head) == []
    assert framer.feed(b"\r\n") == []
    assert framer.feed(tail) == [message(b"x")]


@pytest.mark.parametrize("header", [b"l: 3", b"CONTENT-LENGTH:3", b"Content-Length :\r\n 0003 "])
def test_every_spelling_of_content_length_frames(header: bytes):
    data = b"OPTIONS sip:h SIP/2.0\r\n" + header + b"\r\n\r\nabc"

    assert StreamFramer().feed(data + data) == [data, data]


@pytest.mark.parametrize(
    "data",
    [
        b"OPTIONS sip:h SIP/2.0\r\nX: y\r\n\r\n",
        b"OPTIONS sip:h SIP/2.0\r\nl: 3\r\nContent-Length: 4\r\n\r\nabcd",
        message(length=b"-1"),
        message(length=b"1\r\n 2"),
        message(length=b"\xb2"),
        message(length=b"65536"),
        message(length=b"9" * 5000),
        b"GET / HTTP/1.1\r\n\r\n",
        b"x" * 65_537,
    ],
)
def test_a_stream_without_framing_ends(data: bytes):
    framer = StreamFramer()
    for attempt in (data, b""):
        with pytest.raises(BadMessage):
            framer.feed(attempt)

    assert framer.rejected == data


def test_messages_before_the_framing_was_lost_are_not():
    framer = StreamFramer()

    assert framer.feed(message(b"good") + b"bad\r\n\r\n") == [message(b"good")]
    with pytest.raises(BadMessage):
        framer.feed(b"")


@given(st.binary(max_size=300))
def test_any_bytes_are_framed_or_a_bad_message(data: bytes):
    framer = StreamFramer()
    try:
        framer.feed(data)
    except BadMessage:
        return
    assert framer.pending <= len(data)
