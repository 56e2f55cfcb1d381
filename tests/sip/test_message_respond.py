import pytest

from gateway.errors import BadMessage
from gateway.sip.message import Request, parse_message_untrusted, respond
from gateway.sip.refusal import refuse_unparsed

INVITE = "\r\n".join(
    [
        "INVITE sip:bob@h SIP/2.0",
        "Via: SIP/2.0/UDP  proxy;branch=z9hG4bK2 , SIP/2.0/UDP phone ;  branch=z9hG4bK1",
        "Record-Route: <sip:proxy;lr;x=Y>",
        "From:   Alice   <sip:alice@h>;tag=a1",
        "To: Bob<sip:bob@h>",
        "Call-ID: c1",
        "CSeq: 00001   INVITE",
        "Timestamp: 54",
        "Subject: private",
        "",
        "",
    ]
).encode()


def invite() -> Request:
    request = parse_message_untrusted(INVITE)
    assert isinstance(request, Request)
    return request


def test_a_response_copies_the_text_of_what_it_answers():
    """RFC 3261 section 8.2.6.2."""
    response = respond(invite(), 180, to_tag="b1", headers=[("Contact", "<sip:bob@h>")])

    assert response.to_bytes().decode().split("\r\n") == [
        "SIP/2.0 180 Ringing",
        "Via: SIP/2.0/UDP  proxy;branch=z9hG4bK2 , SIP/2.0/UDP phone ;  branch=z9hG4bK1",
        "From: Alice   <sip:alice@h>;tag=a1",
        "To: Bob<sip:bob@h>;tag=b1",
        "Call-ID: c1",
        "CSeq: 00001   INVITE",
        "Record-Route: <sip:proxy;lr;x=Y>",
        "Contact: <sip:bob@h>",
        "Content-Length: 0",
        "",
        "",
    ]


def test_100_has_no_tag_and_repeats_the_timestamp():
    response = respond(invite(), 100, to_tag="b1")

    assert response.to.tag is None
    assert response.headers.get("Timestamp") == "54"


def test_a_refusal_makes_no_dialog_and_needs_no_record_route():
    assert "Record-Route" not in respond(invite(), 486, to_tag="b1").headers


def test_a_to_that_has_a_tag_keeps_it():
    request = invite()
    request = Request("INVITE", request.uri, request.headers.with_("To", "<sip:bob@h>;TAG=x"))

    assert respond(request, 200, to_tag="b1").headers.get("To") == "<sip:bob@h>;TAG=x"


def refusal_of(data: bytes) -> bytes | None:
    with pytest.raises(BadMessage) as refused:
        parse_message_untrusted(data)
    return refuse_unparsed(data, refused.value, to_tag="b1")


def test_a_broken_request_is_told_what_is_broken():
    answer = refusal_of(INVITE.replace(b"Subject:", b"Sub ject:"))

    assert answer is not None
    response = parse_message_untrusted(answer)
    assert answer.startswith(b"SIP/2.0 400 Bad Request (a header line")
    assert (response.via.host, response.to.tag) == ("proxy", "b1")


def test_an_unknown_version_is_told_so():
    answer = refusal_of(INVITE.replace(b"SIP/2.0\r\n", b"SIP/7.0\r\n", 1))

    assert answer is not None
    assert answer.startswith(b"SIP/2.0 505 ")


@pytest.mark.parametrize(
    "data",
    [
        INVITE.replace(b"Call-ID: c1\r\n", b""),
        INVITE.replace(b"INVITE sip", b"ACK sip"),
        INVITE.replace(b"INVITE sip:bob@h SIP/2.0", b"SIP/2.0 999 no"),
        b"\xff\xfe\r\n\r\n",
        b"",
    ],
)
def test_silence_where_nobody_could_use_an_answer(data: bytes):
    assert refusal_of(data) is None
