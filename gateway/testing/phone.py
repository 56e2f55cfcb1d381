"""A SIP phone with a script: a test tells it what to do, and it says what it saw.

It is an `Endpoint` with a person's hands.  It knows no media: its session descriptions are text, written
here by hand, and what the switch answered is given back as text too.

    alice = Phone("alice", network.attach(endpoint, "192.0.2.10"), server="192.0.2.1")
    await alice.register()
    call = alice.call("bob")
    answered = await call.expect(SessionAnswered)
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Final, TypeVar

from gateway.sip.authentication import Credentials
from gateway.sip.dialog import DialogId
from gateway.sip.endpoint import Endpoint
from gateway.sip.events import (
    BindingChanged,
    EndCause,
    Event,
    OfferReceived,
    PingAnswered,
    Registered,
    RegistrationFailed,
    SessionConfirmed,
    SessionEnded,
    SessionId,
    SessionOffered,
)
from gateway.sip.headers import NameAddr
from gateway.sip.replaces import Replaces
from gateway.sip.uri import Uri, escape, parse_uri_untrusted
from gateway.transport.signalling import Rim

__all__ = ["Phone", "PhoneCall", "direction_in", "formats_in", "port_in", "session_description"]

_Expected = TypeVar("_Expected")
_PATIENCE_S: Final = 400.0
_RTPMAPS: Final = {
    0: "PCMU/8000",
    8: "PCMA/8000",
    9: "G722/8000",
    18: "G729/8000",
    101: "telephone-event/8000",
}


def session_description(
    host: str,
    port: int,
    *,
    formats: Sequence[int] = (0, 8, 101),
    direction: str = "sendrecv",
    version: int = 1,
) -> bytes:
    """Return an SDP text with one audio line."""
    lines = [
        "v=0",
        f"o=- 77 {version} IN IP4 {host}",
        "s=-",
        f"c=IN IP4 {host}",
        "t=0 0",
        f"m=audio {port} RTP/AVP {' '.join(map(str, formats))}",
        *(f"a=rtpmap:{number} {_RTPMAPS[number]}" for number in formats),
        f"a={direction}",
    ]
    return "".join(f"{line}\r\n" for line in lines).encode()


def port_in(sdp: bytes | None) -> int:
    """Return the audio port of an SDP."""
    return int(_line(sdp, "m=audio ").split()[0])


def formats_in(sdp: bytes | None) -> tuple[int, ...]:
    """Return the payload types of the audio line."""
    return tuple(int(number) for number in _line(sdp, "m=audio ").split()[2:])


def direction_in(sdp: bytes | None) -> str:
    """Return the direction of the audio line; absent means sendrecv (RFC 8866 section 6.7)."""
    names = ("sendrecv", "sendonly", "recvonly", "inactive")
    return next((name for name in names if f"a={name}\r\n".encode() in (sdp or b"")), "sendrecv")


def _line(sdp: bytes | None, start: str) -> str:
    lines = (sdp or b"").decode().splitlines()
    return next(line.removeprefix(start) for line in lines if line.startswith(start))


class Phone:
    """One phone; `run` hands events to its calls."""

    def __init__(
        self,
        name: str,
        rim: Rim,
        *,
        server: str,
        host: str,
        password: str | None = "secret",
        formats: Sequence[int] = (0, 8, 101),
        rtp_port: int = 40_000,
    ) -> None:
        """`server` and `host` are addresses; without a password the phone cannot prove who it is."""
        self.name: Final = name
        self.formats = tuple(formats)
        self.host: Final = host
        self.rtp_port: Final = rtp_port
        self._rim = rim
        self.server: Final = parse_uri_untrusted(f"sip:{server}")
        self._credentials = None if password is None else Credentials(name, password)
        self._calls: dict[SessionId, PhoneCall] = {}
        self._offers: asyncio.Queue[PhoneCall] = asyncio.Queue()
        self._registrations: asyncio.Queue[Registered | RegistrationFailed] = asyncio.Queue()

    @property
    def rim(self) -> Rim:
        """What carries the phone's messages."""
        return self._rim

    @property
    def endpoint(self) -> Endpoint:
        """The phone's engine."""
        return self._rim.endpoint

    def sdp(self, *, direction: str = "sendrecv", version: int = 1) -> bytes:
        """Return the phone's own session description."""
        return session_description(
            self.host, self.rtp_port, formats=self.formats, direction=direction, version=version
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Phone]:
        """Keep the phone's ears open while the block runs."""
        async with asyncio.TaskGroup() as tasks:
            ears = tasks.create_task(self._listen())
            yield self
            ears.cancel()

    async def register(self) -> None:
        """Register with the server; an AssertionError if it refuses."""
        assert self._credentials is not None, "a phone without a password cannot register"
        credentials, flow = self._credentials, await self._rim.flow_to(self.server)
        self._rim.do(
            lambda now: self.endpoint.register(
                registrar=self.server, aor=self._me(), flow=flow, credentials=credentials, now=now
            )
        )
        outcome = await self._registrations.get()
        assert isinstance(outcome, Registered), outcome

    async def call(
        self,
        dialled: str,
        *,
        sdp: bytes | None = None,
        late: bool = False,
        to: str | None = None,
        headers: Sequence[tuple[str, str]] = (),
    ) -> PhoneCall:
        """Dial a name or number at the server; `late` sends no offer, `to` stands in To instead."""
        flow = await self._rim.flow_to(self.server)
        offer = None if late else (sdp or self.sdp())
        target = Uri("sip", dialled, self.server.host)
        session = self._rim.do(
            lambda now: self.endpoint.invite(
                target=target,
                flow=flow,
                from_=NameAddr(self.name.title(), self._me()),
                to=NameAddr(None, replace(target, user=to or dialled)),
                sdp=offer,
                headers=headers,
                credentials=self._credentials,
                now=now,
            )
        )
        return self._calls.setdefault(session, PhoneCall(self, session, None))

    async def rung(self) -> PhoneCall:
        """Wait for the next incoming call."""
        async with asyncio.timeout(_PATIENCE_S):
            return await self._offers.get()

    def unanswered(self) -> Iterator[PhoneCall]:
        """Yield incoming calls that nobody asked for."""
        while not self._offers.empty():
            yield self._offers.get_nowait()

    def _me(self) -> Uri:
        return Uri("sip", self.name, self.server.host)

    async def _listen(self) -> None:
        async for event in self._rim.events():
            match event:
                case SessionOffered(session=session):
                    call = self._calls[session] = PhoneCall(self, session, event)
                    self._offers.put_nowait(call)
                case Registered() | RegistrationFailed():
                    self._registrations.put_nowait(event)
                case BindingChanged() | PingAnswered():
                    pass  # a phone is nobody's registrar, and asks nobody
                case _:
                    self._calls[event.session].heard(event)


class PhoneCall:
    """One call as a phone sees it."""

    def __init__(self, phone: Phone, session: SessionId, offered: SessionOffered | None) -> None:
        self.session: Final = session
        self.offered: Final = offered
        """The INVITE, if we were called."""
        self.phone: Final = phone
        self._events: asyncio.Queue[Event] = asyncio.Queue()

    @property
    def offer(self) -> bytes | None:
        """Return the SDP that came with the INVITE."""
        return None if self.offered is None else self.offered.sdp

    def heard(self, event: Event) -> None:
        """Take an event of this call."""
        self._events.put_nowait(event)

    async def expect(self, kind: type[_Expected]) -> _Expected:
        """Wait for an event of a kind, passing over others; an end in its place is an AssertionError."""
        async with asyncio.timeout(_PATIENCE_S):
            while not isinstance(event := await self._events.get(), kind):
                assert not isinstance(event, SessionEnded), f"wanted {kind.__name__}, got {event}"
            return event

    async def ended(self) -> EndCause:
        """Wait for the end and return its cause."""
        return (await self.expect(SessionEnded)).cause

    def unread(self) -> Iterator[Event]:
        """Yield what has happened and was not asked for."""
        while not self._events.empty():
            yield self._events.get_nowait()

    def ring(self, *, status: int = 180, sdp: bytes | None = None) -> None:
        """Say that we ring."""
        self.phone.rim.do(lambda now: self.phone.endpoint.ring(self.session, status=status, sdp=sdp, now=now))

    async def answer(self, *, sdp: bytes | None = None) -> SessionConfirmed:
        """Pick up, and wait for the ACK."""
        said = sdp or self.phone.sdp()
        self.phone.rim.do(lambda now: self.phone.endpoint.answer(self.session, sdp=said, now=now))
        return await self.expect(SessionConfirmed)

    def acknowledge(self, sdp: bytes) -> None:
        """Answer the offer that came in the 200 to an INVITE of ours without one."""
        self.phone.rim.do(lambda now: self.phone.endpoint.accept_offer(self.session, sdp=sdp, now=now))

    def reject(self, status: int) -> None:
        """Refuse."""
        self.phone.rim.do(lambda now: self.phone.endpoint.reject(self.session, status=status, now=now))

    def hang_up(self) -> None:
        """Hang up, in whatever state the call is."""
        self.phone.rim.do(lambda now: self.phone.endpoint.hang_up(self.session, now=now))

    def refer(self, to: str, *, instead_of: PhoneCall | None = None, referred_by: str | None = None) -> None:
        """Ask for a transfer to a name or number, or (attended) to the far end of another call of ours."""
        phone = self.phone
        target = Uri("sip", to, phone.server.host)
        if instead_of is not None:
            dialog = phone.endpoint.dialog_of(instead_of.session)
            theirs = DialogId(dialog.call_id, dialog.remote_tag, dialog.local_tag)
            target = replace(target, headers=f"Replaces={escape(str(Replaces(theirs, early_only=False)))}")
        headers = () if referred_by is None else (("Referred-By", referred_by),)
        phone.rim.do(
            lambda now: phone.endpoint.refer(
                self.session, target=NameAddr(None, target), headers=headers, now=now
            )
        )

    def accept_transfer(self) -> None:
        """Say that we try what a REFER asks for (and do nothing)."""
        self.phone.rim.do(lambda now: self.phone.endpoint.accept_refer(self.session, now=now))

    def reoffer(self, sdp: bytes) -> None:
        """Send a re-INVITE."""
        self.phone.rim.do(lambda now: self.phone.endpoint.reoffer(self.session, sdp=sdp, now=now))

    async def accept_offer(self, sdp: bytes) -> OfferReceived:
        """Wait for a re-INVITE and accept it."""
        offer = await self.expect(OfferReceived)
        self.phone.rim.do(lambda now: self.phone.endpoint.accept_offer(self.session, sdp=sdp, now=now))
        return offer

    def press(self, digit: str, *, duration_ms: int = 160) -> None:
        """Send a digit by INFO."""
        body = f"Signal={digit}\r\nDuration={duration_ms}\r\n".encode()
        self.phone.rim.do(
            lambda now: self.phone.endpoint.send_info(
                self.session, content_type="application/dtmf-relay", body=body, now=now
            )
        )
