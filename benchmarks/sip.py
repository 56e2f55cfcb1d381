"""A SIP message: an INVITE as a desk phone sends it, read and written."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.figures import Figure, timed
from gateway.sip.message import Request, parse_message_untrusted, respond

_SDP = (
    b"v=0\r\no=alice 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
    b"m=audio 20000 RTP/AVP 0 8 101\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\na=ptime:20\r\n"
)
_INVITE = (
    b"INVITE sip:bob@192.0.2.9 SIP/2.0\r\n"
    b"Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK776asdhds;rport\r\n"
    b"Max-Forwards: 70\r\n"
    b'From: "Alice" <sip:alice@192.0.2.9>;tag=1928301774\r\n'
    b"To: <sip:bob@192.0.2.9>\r\n"
    b"Call-ID: a84b4c76e66710@192.0.2.1\r\n"
    b"CSeq: 314159 INVITE\r\n"
    b"Contact: <sip:alice@192.0.2.1:5060;transport=udp>\r\n"
    b"Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE\r\n"
    b"Supported: replaces, timer\r\n"
    b"User-Agent: phone/1.0\r\n"
    b"Content-Type: application/sdp\r\n"
    b"Content-Length: %d\r\n\r\n" % len(_SDP)
) + _SDP


def measure() -> Iterator[Figure]:
    """Read it, look at what routing looks at, answer it."""
    yield timed("sip", "an INVITE read", lambda: parse_message_untrusted(_INVITE))

    def looked_at() -> None:
        request = parse_message_untrusted(_INVITE)
        assert isinstance(request, Request)  # it is an INVITE
        _ = request.via, request.from_, request.to, request.cseq, request.call_id

    yield timed("sip", "an INVITE read and looked at", looked_at)
    request = parse_message_untrusted(_INVITE)
    assert isinstance(request, Request)  # it is an INVITE
    yield timed("sip", "its 180 written", lambda: respond(request, 180, to_tag="x").to_bytes())
