"""The SIP engine as a target: a conversation with a stranger, in virtual time, and then silence.

An input is a conversation: records, each the byte `RECORD`, a byte that says how, and a message.

    bits 0-1   how long to wait first: not at all, 0.1 s, 2 s, 40 s
    bits 2-3   what the user of the engine does with what is reported from now on: answer, ring, refuse, nothing
    bits 4-5   from where it comes: a trusted source, a stranger, a phone over TCP, a browser
    bits 6-7   what the user does before: nothing, call the stranger, hang up, register or change the session

Within a message `~via~ ~from~ ~to~ ~call-id~ ~cseq~` stand for these headers of the engine's last request, `~tag~`
and `~rseq~` for the To tag and the RSeq of its last response that had one, and the answer to its last challenge is
added: so a mutated conversation still meets the dialogs and transactions that it began.

What must hold whatever is said: nothing raises and the exception wall has nothing to stop; after all timers the
census is zero; time comes to an end.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import Final

from gateway.errors import BadMessage, LocalError
from gateway.ids import SeededIds
from gateway.sip.authentication import ClientAuthentication, Credentials
from gateway.sip.endpoint import Endpoint, EndpointConfig
from gateway.sip.events import Event, OfferReceived, RegistrationId, SessionId, SessionOffered
from gateway.sip.flow import Flow
from gateway.sip.headers import NameAddr
from gateway.sip.message import Request, Response, parse_message_untrusted
from gateway.sip.uri import parse_uri_untrusted
from gateway.testing.fuzz.mutation import RECORD
from gateway.testing.sip_pair import ANSWER, OFFER

__all__ = ["Conversation", "converse"]

_CONFIG: Final = EndpointConfig(users={"bob": "secret"}, trusted_sources=frozenset({"192.0.2.7"}))
_OURS: Final = ("198.51.100.1", 5060)
_FLOWS: Final = (
    Flow("udp", _OURS, ("192.0.2.7", 5060)),
    Flow("udp", _OURS, ("203.0.113.9", 61000)),
    Flow("tcp", _OURS, ("203.0.113.9", 40000), connection=1),
    Flow("wss", _OURS, ("203.0.113.10", 443), connection=2),
)
_PAUSES_S: Final = (0.0, 0.1, 2.0, 40.0)
_STRANGER: Final = parse_uri_untrusted("sip:bob@192.0.2.7")
_OURSELVES: Final = parse_uri_untrusted("sip:switch@198.51.100.1")
_CREDENTIALS: Final = Credentials("bob", "secret")
_BLANK: Final = re.compile(rb"~([a-z-]{2,8})~")
_HEADER: Final = re.compile(rb"^(Via|From|To|Call-ID|CSeq): (.*?)\r$", re.MULTILINE)
_TAG: Final = re.compile(rb"^To: .*;tag=([^;\r]*)", re.MULTILINE)
_RSEQ: Final = re.compile(rb"^RSeq: (\d+)", re.MULTILINE)
_MOST_STEPS: Final = 20_000


def converse(conversation: bytes) -> tuple[int, bytes]:
    """Hold one conversation with a new engine; return how many messages it had, and all that the engine said.

    Raises:
        AssertionError: one of the engine's promises was broken.
    """
    told, n_messages = Conversation(), 0
    for record in filter(None, conversation.split(RECORD)):
        told.take(record)
        n_messages += len(record) > 1
    told.fall_silent()
    return n_messages, b"".join(told.heard)


class Conversation:
    """One engine, the user behind it, and the stranger before it."""

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        """Everything that the engine said."""
        self._endpoint = Endpoint(_CONFIG, SeededIds(1))
        self._now = 0.0
        self._sessions: list[SessionId] = []
        self._registrations: list[RegistrationId] = []
        self._known: dict[bytes, bytes] = {}
        self._challenge: Response | None = None
        self._reaction = 0

    def take(self, record: bytes) -> None:
        """Do what one record says."""
        how = record[0]
        self._wait(_PAUSES_S[how & 3])
        self._reaction = how >> 2 & 3
        flow = _FLOWS[how >> 4 & 3]
        self._act(how >> 6, flow)
        self._endpoint.receive(self._filled(record[1:]), flow, self._now)
        self._listen()

    def fall_silent(self) -> None:
        """End everything, let all timers run out, and look at what is left."""
        self._reaction = 2
        for session in self._sessions:
            self._endpoint.hang_up(session, now=self._now)
        for registration in self._registrations:
            self._try(partial(self._endpoint.unregister, registration, now=self._now))
        self._listen()
        self._wait(float("inf"))
        assert not self._endpoint.faults, "\n".join(self._endpoint.faults)
        census = self._endpoint.census()
        assert not any(census.values()), f"after all timers it still holds {census}"

    # the user

    def _act(self, action: int, flow: Flow) -> None:
        match action:
            case 1:
                self._try(lambda: self._sessions.append(self._call(flow)))
            case 2 if self._sessions:
                self._endpoint.hang_up(self._sessions[-1], now=self._now)
            case 3 if self._sessions:
                self._try(lambda: self._endpoint.reoffer(self._sessions[-1], sdp=OFFER, now=self._now))
            case 3 if not self._registrations:
                self._registrations.append(self._register(flow))
        self._listen()

    def _call(self, flow: Flow) -> SessionId:
        return self._endpoint.invite(
            target=_STRANGER,
            flow=flow,
            from_=NameAddr(None, _OURSELVES),
            sdp=OFFER if self._reaction else None,
            credentials=_CREDENTIALS,
            now=self._now,
        )

    def _register(self, flow: Flow) -> RegistrationId:
        return self._endpoint.register(
            registrar=_STRANGER, aor=_OURSELVES, flow=flow, credentials=_CREDENTIALS, now=self._now
        )

    def _try(self, act: Callable[[], None]) -> None:
        """What the user may ask for at a wrong moment is refused to the user."""
        try:
            act()
        except LocalError:
            pass

    def _react(self, event: Event) -> None:
        match event, self._reaction:
            case SessionOffered(session=session), reaction:
                self._sessions.append(session)
                self._try(lambda: self._reply(session, reaction))
            case OfferReceived(session=session), 0 | 1:
                self._try(lambda: self._endpoint.accept_offer(session, sdp=ANSWER, now=self._now))
            case OfferReceived(session=session), 2:
                self._try(lambda: self._endpoint.refuse_offer(session, now=self._now))

    def _reply(self, session: SessionId, reaction: int) -> None:
        match reaction:
            case 0:
                self._endpoint.answer(session, sdp=ANSWER, now=self._now)
            case 1:
                self._endpoint.ring(session, sdp=ANSWER, now=self._now)
            case 2:
                self._endpoint.reject(session, status=486, now=self._now)

    # the stranger

    def _listen(self) -> None:
        for _ in range(_MOST_STEPS):
            events = list(self._endpoint.events())
            for event in events:
                self._react(event)
            said = [datagram.data for datagram in self._endpoint.transmit(self._now)]
            self.heard += said
            for message in said:
                self._remember(message)
            if not events and not said:
                return
        raise AssertionError("it never stops talking")

    def _remember(self, message: bytes) -> None:
        if not message.startswith(b"SIP/2.0"):
            self._known.update((name.lower(), value) for name, value in _HEADER.findall(message))
        else:
            for name, wanted in ((b"tag", _TAG), (b"rseq", _RSEQ)):
                if found := wanted.search(message):
                    self._known[name] = found[1]
        if message.startswith((b"SIP/2.0 401", b"SIP/2.0 407")):
            self._challenge = _response(message)

    def _filled(self, message: bytes) -> bytes:
        if b"~" in message:
            message = _BLANK.sub(lambda blank: self._known.get(blank[1], blank[0]), message)
        if self._challenge is None or message.startswith(b"SIP/2.0"):
            return message
        return _signed(message, self._challenge)

    # time

    def _wait(self, seconds: float) -> None:
        end = self._now + seconds
        for deadline in self._deadlines(end):
            self._now = max(self._now, deadline)
            self._endpoint.deadline_reached(self._now)
            self._listen()
        self._now = max(self._now, end if seconds < float("inf") else self._now)

    def _deadlines(self, end: float) -> Iterator[float]:
        for _ in range(_MOST_STEPS):
            deadline = self._endpoint.next_deadline()
            if deadline is None or deadline > end:
                return
            yield deadline
        raise AssertionError(f"there is no end to its timers: {self._endpoint.census()}")


def _response(data: bytes) -> Response | None:
    message = parse_message_untrusted(data)
    return message if isinstance(message, Response) else None


def _signed(data: bytes, challenge: Response) -> bytes:
    """Answer the engine's challenge, if these bytes are a request that can."""
    try:
        request = parse_message_untrusted(data)
    except BadMessage:
        return data
    if not isinstance(request, Request) or "Authorization" in request.headers:
        return data
    bob = ClientAuthentication(_CREDENTIALS, SeededIds(3))
    try:
        bob.learn(challenge, 0)
        return bob.authorize(request).to_bytes()
    except LocalError:
        return data
