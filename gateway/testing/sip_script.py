"""Write SIP messages by hand: short requests with every header that the RFC wants, and what a test changes.

`sip_request` makes a request as a stranger's software would, from scratch and not by the code under test,
so tests can say anything that a peer may say, including nonsense.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Self

from gateway.ids import SeededIds
from gateway.sip.endpoint import Credentials, Endpoint, EndpointConfig
from gateway.sip.events import Event, SessionAnswered, SessionId, SessionOffered
from gateway.sip.flow import Flow
from gateway.sip.headers import NameAddr
from gateway.sip.message import Request, Response, parse_message_untrusted, respond
from gateway.sip.uri import parse_uri_untrusted

__all__ = ["Stranger", "parse_request", "parse_response", "sip_request"]


def sip_request(
    method: str,
    uri: str = "sip:100@switch.example",
    *,
    branch: str = "z9hG4bK-1",
    via: str = "SIP/2.0/UDP 192.0.2.7:5060",
    from_: str = "<sip:carol@switch.example>;tag=bob-1",
    to: str | None = None,
    call_id: str = "call-1",
    cseq: int = 1,
    headers: Mapping[str, str] | None = None,
    contact: str | None = "<sip:bob@192.0.2.7:5060>",
    body: str = "",
    content_type: str = "application/sdp",
) -> bytes:
    """Return a request as bytes; `headers` are added last, `contact=None` leaves the Contact out."""
    lines = [
        f"{method} {uri} SIP/2.0",
        f"Via: {via};rport;branch={branch}",
        "Max-Forwards: 70",
        f"From: {from_}",
        f"To: {to or f'<{uri}>'}",
        f"Call-ID: {call_id}",
        f"CSeq: {cseq} {method}",
    ]
    if contact is not None:
        lines.append(f"Contact: {contact}")
    replaced = {name.lower() for name in headers or {}}
    lines = [line for line in lines if line.partition(":")[0].lower() not in replaced]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    if body:
        lines.append(f"Content-Type: {content_type}")
    lines += [f"Content-Length: {len(body.encode())}", "", ""]
    return "\r\n".join(lines).encode() + body.encode()


def parse_request(data: bytes) -> Request:
    """Read bytes that must be a request."""
    message = parse_message_untrusted(data)
    assert isinstance(message, Request), f"not a request: {data[:60]!r}"
    return message


def parse_response(data: bytes) -> Response:
    """Read bytes that must be a response."""
    message = parse_message_untrusted(data)
    assert isinstance(message, Response), f"not a response: {data[:60]!r}"
    return message


class Stranger:
    """A peer whose every message is written by the test, facing one engine over one flow in virtual time."""

    def __init__(self, config: EndpointConfig, *, flow: Flow | None = None, seed: int = 7) -> None:
        self.endpoint = Endpoint(config, SeededIds(seed))
        self.flow = flow or Flow("udp", ("198.51.100.1", 5060), ("192.0.2.7", 5060))
        self.now = 0.0
        self.heard: list[bytes] = []
        """Everything that the engine ever sent."""
        self.events: list[Event] = []
        self.calls: list[SessionId] = []
        """The sessions that the engine began."""

    def say(self, *messages: bytes, flow: Flow | None = None) -> list[bytes]:
        """Send messages to the engine; return what it sends at once."""
        for data in messages:
            self.endpoint.receive(data, flow or self.flow, self.now)
        return self.listen()

    def ask(self, data: bytes, *, flow: Flow | None = None) -> Response:
        """Send a request and return the one answer that it must get at once."""
        (answer,) = self.say(data, flow=flow)
        return parse_response(answer)

    def listen(self) -> list[bytes]:
        """Return what the engine wants sent now, for instance after its user did something."""
        said = [datagram.data for datagram in self.endpoint.transmit(self.now)]
        self.events += self.endpoint.events()
        self.heard += said
        return said

    def wait(self, seconds: float) -> list[bytes]:
        """Let time pass; return all that the engine sends meanwhile."""
        said: list[bytes] = []
        end = self.now + seconds
        while (deadline := self.endpoint.next_deadline()) is not None and deadline <= end:
            self.now = max(self.now, deadline)
            self.endpoint.deadline_reached(self.now)
            said += self.listen()
        self.now = end
        return said

    def reply(
        self,
        request: bytes,
        status: int,
        *,
        tag: str = "bob-1",
        body: str = "",
        contact: str | None = "<sip:bob@192.0.2.7>",
        headers: Mapping[str, str] | None = None,
    ) -> list[bytes]:
        """Answer a request of the engine; return what it sends at once."""
        extra = list((headers or {}).items())
        if contact is not None:
            extra.append(("Contact", contact))
        if body:
            extra.append(("Content-Type", "application/sdp"))
        response = respond(parse_request(request), status, to_tag=tag, headers=extra, body=body.encode())
        return self.say(response.to_bytes())

    @property
    def session(self) -> SessionId:
        """Return the session that the engine spoke of last."""
        spoken = [
            event.session for event in self.events if isinstance(event, SessionOffered | SessionAnswered)
        ]
        return spoken[-1]

    def be_called(
        self,
        sdp: bytes,
        *,
        credentials: Credentials | None = None,
        headers: Sequence[tuple[str, str]] = (),
    ) -> bytes:
        """Let the engine call the stranger; return its INVITE."""
        self.calls.append(
            self.endpoint.invite(
                target=parse_uri_untrusted("sip:bob@192.0.2.7"),
                flow=self.flow,
                from_=NameAddr(None, parse_uri_untrusted("sip:switch@198.51.100.1")),
                sdp=sdp,
                headers=headers,
                credentials=credentials,
                now=self.now,
            )
        )
        (invite,) = self.listen()
        return invite

    def calling(self, sdp: bytes) -> Self:
        """Let the engine call and the stranger answer at once."""
        self.reply(self.be_called(sdp), 200, body="v=0")
        return self

    def in_dialog(
        self,
        method: str,
        *,
        cseq: int,
        body: str = "",
        content_type: str = "application/sdp",
        branch: str | None = None,
        contact: str = "<sip:bob@192.0.2.7:5060>",
    ) -> bytes:
        """Write a request of the stranger in the dialog that its first INVITE began."""
        starts = (b"SIP/2.0 200", b"SIP/2.0 18")
        answer = next(parse_response(data) for data in self.heard if data.startswith(starts))
        return sip_request(
            method,
            to=answer.headers.get("To"),
            cseq=cseq,
            body=body,
            content_type=content_type,
            branch=branch or f"z9hG4bK-{method}-{cseq}",
            contact=contact,
        )

    def called(self, sdp: bytes) -> Self:
        """Let the stranger, who must be trusted, call and the engine answer at once."""
        self.say(sip_request("INVITE", body="v=0"))
        self.endpoint.answer(self.session, sdp=sdp, now=self.now)
        (answer,) = self.listen()
        to = parse_response(answer).headers.get("To")
        self.say(sip_request("ACK", to=to, branch="z9hG4bK-ack-1"))
        return self

    def assert_quiet(self) -> None:
        """Assert that, after all timers, nothing is held and no fault of ours was met."""
        self.wait(3600.0)
        assert not self.endpoint.faults, "\n".join(self.endpoint.faults)
        census = self.endpoint.census()
        assert not any(census.values()), f"it still holds {census}"
