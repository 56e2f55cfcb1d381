"""A SIP message: an INVITE as a desk phone sends it, read and written; and a whole call between two engines."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.figures import Figure, timed
from gateway.ids import SeededIds
from gateway.sip.endpoint import Credentials, Endpoint, EndpointConfig
from gateway.sip.events import SessionOffered
from gateway.sip.flow import Flow
from gateway.sip.headers import NameAddr
from gateway.sip.message import Request, parse_message_untrusted, respond
from gateway.sip.uri import parse_uri_untrusted

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
    engines = _Engines()
    yield timed("sip", "a message of a call between two engines", engines.call, per_call=_MESSAGES)


_MESSAGES = 9
"""INVITE, 401, ACK, INVITE, 180, 200, ACK, BYE, 200."""
_BETWEEN_S = 0.02
"""Virtual seconds from one call to the next: the transactions of the last 32 s are held, as they are in service."""


class _Engines:
    """A phone that calls with a password, and a switch that answers, without a network between them."""

    def __init__(self) -> None:
        phone, switch = ("127.0.0.1", 5060), ("127.0.0.1", 5070)
        self._to_switch, self._to_phone = Flow("udp", phone, switch), Flow("udp", switch, phone)
        self._phone = Endpoint(EndpointConfig(), SeededIds(1))
        self._switch = Endpoint(EndpointConfig(users={"alice": "secret"}), SeededIds(2))
        self._now = 0.0

    def call(self) -> None:
        """Make a call, with digest, and end it."""
        session = self._phone.invite(
            target=parse_uri_untrusted("sip:bob@127.0.0.1:5070"),
            flow=self._to_switch,
            from_=NameAddr("Alice", parse_uri_untrusted("sip:alice@127.0.0.1")),
            sdp=_SDP,
            credentials=Credentials("alice", "secret"),
            now=self._now,
        )
        self._deliver()
        offered = next(event for event in self._switch.events() if isinstance(event, SessionOffered))
        self._switch.ring(offered.session, now=self._now)
        self._deliver()
        self._switch.answer(offered.session, sdp=_SDP, now=self._now)
        self._deliver()
        self._phone.hang_up(session, now=self._now)
        self._deliver()
        for engine in (self._phone, self._switch):
            list(engine.events())
        self._now += _BETWEEN_S
        for engine in (self._phone, self._switch):
            if (deadline := engine.next_deadline()) is not None and deadline <= self._now:
                engine.deadline_reached(self._now)

    def _deliver(self) -> None:
        """Carry messages to and fro until nobody has anything to say."""
        now = self._now
        while True:
            to_switch, to_phone = self._phone.transmit(now), self._switch.transmit(now)
            if not to_switch and not to_phone:
                return
            for datagram in to_switch:
                self._switch.receive(datagram.data, self._to_phone, now)
            for datagram in to_phone:
                self._phone.receive(datagram.data, self._to_switch, now)
