import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import BadMessage, LocalError
from gateway.sip.headers import Headers
from gateway.sip.message import Request, Response, is_keepalive, parse_message_untrusted
from gateway.sip.uri import Uri

INVITE = (
    b"INVITE sip:bob@example.com SIP/2.0\r\n"
    b"Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK1;rport\r\n"
    b"Max-Forwards: 70\r\n"
    b'From: "Alice" <sip:alice@example.com>;tag=a1\r\n'
    b"To: <sip:bob@example.com>\r\n"
    b"Call-ID: c1@192.0.2.1\r\n"
    b"CSeq: 1 INVITE\r\n"
    b"X-Odd-NAME: kept\r\n"
    b"Content-Type: application/sdp\r\n"
    b"Content-Length: 5\r\n"
    b"\r\n"
    b"v=0\r\n"
)
HEAD, BODY = INVITE.split(b"\r\n\r\n", 1)


def with_line(line: bytes, *, instead_of: bytes = b"X-Odd-NAME") -> bytes:
    """Return the INVITE with one header line exchanged (b"" drops it)."""
    lines = HEAD.split(b"\r\n")
    (at,) = (index for index, old in enumerate(lines) if old.startswith(instead_of))
    lines[at : at + 1] = [line] if line else []
    return b"\r\n".join(lines) + b"\r\n\r\n" + BODY


def test_a_request_is_read_whole():
    request = parse_message_untrusted(INVITE)

    assert isinstance(request, Request)
    assert (request.method, request.uri) == ("INVITE", Uri("sip", "bob", "example.com"))
    assert (request.via.branch, request.call_id, str(request.cseq)) == (
        "z9hG4bK1",
        "c1@192.0.2.1",
        "1 INVITE",
    )
    assert (request.from_.display, request.from_.tag, request.to.tag) == ("Alice", "a1", None)
    assert request.body == b"v=0\r\n"


def test_a_canonical_message_is_written_as_it_was_read():
    assert parse_message_untrusted(INVITE).to_bytes() == INVITE


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"SIP/2.0 200 OK", "OK"),
        (b"sip/2.0 200 ", ""),
        (b"SIP/2.0 200", ""),
        ("SIP/2.0 200 = 2**3 * 5**2 но".encode(), "= 2**3 * 5**2 но"),
    ],
)
def test_a_response_needs_no_reason_phrase(line: bytes, reason: str):
    response = parse_message_untrusted(with_line(line, instead_of=b"INVITE"))

    assert isinstance(response, Response)
    assert (response.status, response.reason) == (200, reason)


def test_compact_odd_and_folded_headers_mean_the_same():
    data = (
        HEAD.replace(b"Via: ", b"v :\t ")
        .replace(b"From: ", b"FROM:\r\n ")
        .replace(b"Call-ID", b"i")
        .replace(b"Content-Length: 5", b"l:\r\n\t  0005")
    )
    message = parse_message_untrusted(data + b"\r\n\r\n" + BODY)

    assert message.to_bytes() == INVITE


def test_line_ends_before_the_start_line_are_noise():
    assert parse_message_untrusted(b"\r\n\r\n\r\n" + INVITE).to_bytes() == INVITE


def test_bytes_that_are_no_utf8_survive():
    data = with_line(b"X-Odd-NAME: \xff\x00\xc3\xa9\x85")

    assert parse_message_untrusted(data).to_bytes() == data


def test_a_datagram_is_cut_at_content_length():
    assert parse_message_untrusted(INVITE + b"surplus").body == BODY


def test_a_datagram_shorter_than_content_length_is_refused():
    with pytest.raises(BadMessage):
        parse_message_untrusted(INVITE[:-1])


def test_without_content_length_the_body_is_the_rest():
    data = with_line(b"", instead_of=b"Content-Length")

    assert parse_message_untrusted(data + b"more").body == BODY + b"more"


@pytest.mark.parametrize("name", [b"Via", b"From", b"To", b"Call-ID", b"CSeq"])
def test_no_message_without(name: bytes):
    with pytest.raises(BadMessage):
        parse_message_untrusted(with_line(b"", instead_of=name))


@pytest.mark.parametrize(
    "line",
    [b"From: <sip:a@b>;tag=2", b"t: <sip:a@b>", b"i: x", b"CSeq: 1 INVITE", b"l: 5", b"Max-Forwards: 1"],
)
def test_no_message_with_two_of_what_there_is_one_of(line: bytes):
    with pytest.raises(BadMessage):
        parse_message_untrusted(with_line(line))


@pytest.mark.parametrize(
    "line",
    [
        b"no colon",
        b": no name",
        b"na me: x",
        b"n\xc3\xa4me: x",
        b"X: " + b"x" * 8192,
        b"X: a\nY: b",
        b"X: a\rY: b",
        b"X: a\n",
    ],
)
def test_a_message_with_such_a_line_is_refused(line: bytes):
    with pytest.raises(BadMessage):
        parse_message_untrusted(with_line(line))


@pytest.mark.parametrize(
    ("line", "status"),
    [
        (b"INVITE sip:bob@example.com", 400),
        (b"INVITE  sip:bob@example.com SIP/2.0", 400),
        (b"INVITE sip:bob@example.com SIP/2.0 ", 400),
        (b"INVITE <sip:bob@example.com> SIP/2.0", 400),
        (b"INV{TE sip:bob@example.com SIP/2.0", 400),
        (b"BYE sip:bob@example.com SIP/2.0", 400),
        (b"INVITE sip:bob@example.com SIP/7.0", 505),
        (b"SIP/2.0 4294967301 better not break the receiver", 400),
        (b"SIP/2.0 099 Less", 400),
        (b"SIP/2.0 2\xc2\xb20 OK", 400),
        (b"", 400),
    ],
)
def test_a_malformed_start_line_is_refused(line: bytes, status: int):
    data = line + INVITE[INVITE.index(b"\r\n") :]
    with pytest.raises(BadMessage) as refused:
        parse_message_untrusted(data)

    assert refused.value.status == status


def test_limits_are_kept():
    for data in (
        INVITE + bytes(65_536),
        with_line(b"\r\n".join([b"X: y"] * 128)),
        with_line(b"\r\n".join([b"Via: SIP/2.0/UDP h"] * 70)),
        with_line(b"Via: " + b", ".join([b"SIP/2.0/UDP h"] * 70)),
        with_line(b"Route: " + b", ".join([b"<sip:h>"] * 33)),
        with_line(b"Content-Length: 99999999999999999999", instead_of=b"Content-Length"),
        with_line(b"Content-Length: " + b"1" * 5000, instead_of=b"Content-Length"),
    ):
        with pytest.raises(BadMessage):
            parse_message_untrusted(data)


@pytest.mark.parametrize("data", [b"", b"\0", b"\r\n", b"\r\n\r\n", b"\0\0\0\0"])
def test_keepalives_are_told_from_messages(data: bytes):
    assert is_keepalive(data)
    assert not is_keepalive(data + INVITE)


def test_a_message_of_our_own_that_cannot_be_written_is_our_error():
    headers = Headers([("Subject", "\ud800")])
    for request in (
        Request("INFO", Uri("sip", "a", "h"), headers),
        Request("INFO", Uri("sip", "a", "h\r\nX: y"), Headers()),
    ):
        with pytest.raises(LocalError):
            request.to_bytes()


@given(st.binary())
def test_any_bytes_are_a_message_or_a_bad_message(data: bytes):
    try:
        parse_message_untrusted(data)
    except BadMessage:
        return


@given(st.data())
def test_a_mutated_message_is_a_message_or_a_bad_message(data: st.DataObject):
    raw = bytearray(INVITE)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(raw)))
        raw[at : at + data.draw(st.integers(0, 4))] = data.draw(
            st.sampled_from(
                [b"\r\n", b":", b";", b'"', b"\\", b",", b" ", b"<", b"\xff", b"\0", b"9" * 99, b"/", b"="]
            )
        )
    try:
        message = parse_message_untrusted(bytes(raw))
    except BadMessage:
        return
    assert parse_message_untrusted(message.to_bytes()) == message


header_value = st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"])).map(
    lambda text: text.strip(" \t")
)


@given(
    header_value,
    st.binary(max_size=100),
    st.lists(st.tuples(st.from_regex(r"X-[A-Za-z0-9-]{1,9}", fullmatch=True), header_value), max_size=5),
)
def test_what_is_written_is_read_the_same(subject: str, body: bytes, others: list[tuple[str, str]]):
    base = parse_message_untrusted(INVITE)
    assert isinstance(base, Request)
    request = Request("INVITE", base.uri, Headers([*base.headers, ("Subject", subject), *others]), body)

    assert parse_message_untrusted(request.to_bytes()) == request
