"""Who is on the phone: the calls of one phone, and what it does with each event of the SIP engine.

It answers everything that comes while the phone takes calls, follows every re-INVITE, and hangs up when
offer and answer come to nothing.  It never decides to end a good call: that is its user's.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Final, TypeAlias

from gateway.errors import GatewayError, LocalError, PeerError
from gateway.lab.phone.call import PhoneCall
from gateway.lab.phone.keys import KEYS, KeySeen
from gateway.sdp.negotiation import NegotiatedMedia
from gateway.sip.endpoint import Endpoint
from gateway.sip.events import (
    EndCause,
    Event,
    InfoReceived,
    OfferAnswered,
    OfferReceived,
    ReferReceived,
    Registered,
    RegistrationFailed,
    RegistrationId,
    SessionAnswered,
    SessionConfirmed,
    SessionEnded,
    SessionId,
    SessionOffered,
    SessionProgressed,
)
from gateway.transport.sip_rim import SipRim

__all__ = ["Desk"]

_INFO_KEYS: Final = "application/dtmf-relay"
_Outcome: TypeAlias = int | EndCause


class Desk:
    """The calls and registrations of one phone."""

    def __init__(self, endpoint: Endpoint, rim: SipRim, new_call: Callable[[str], PhoneCall | None]) -> None:
        """`new_call` makes the call for an INVITE from that address, or None: we are busy."""
        self.calls: list[PhoneCall] = []
        """Every call, ended ones too."""
        self.incoming: asyncio.Queue[PhoneCall] = asyncio.Queue()
        self.counters: Counter[str] = Counter()
        """Exceptions that one event raised, by class: the call may suffer, the phone does not."""
        self._endpoint, self._rim, self._new_call = endpoint, rim, new_call
        self._by_session: dict[SessionId, PhoneCall] = {}
        self._registrations: dict[RegistrationId, asyncio.Future[_Outcome]] = {}

    async def run(self) -> None:
        """Serve the engine's events until cancelled."""
        async for event in self._rim.events():
            try:
                self._on(event)
            except GatewayError as error:
                self.counters[type(error).__name__] += 1

    def add(self, call: PhoneCall) -> None:
        """Take in a call that has its session."""
        assert call.session is not None
        self.calls.append(call)
        self._by_session[call.session] = call

    async def registered(self, registration: RegistrationId) -> _Outcome:
        """Wait for the first outcome of a registration: seconds, or why not."""
        future: asyncio.Future[_Outcome] = asyncio.get_running_loop().create_future()
        self._registrations[registration] = future
        return await future

    def hang_up(self, call: PhoneCall) -> None:
        """End a call in whatever state it is."""
        session = call.session
        if session is not None and call.cause is None:
            self._rim.do(lambda now: self._endpoint.hang_up(session, now=now))

    def leave(self) -> None:
        """Hang up everything and unregister."""
        for call in self.calls:
            self.hang_up(call)
        for registration in self._registrations:
            self._unregister(registration)

    def _unregister(self, registration: RegistrationId) -> None:
        try:
            self._rim.do(lambda now: self._endpoint.unregister(registration, now=now))
        except LocalError:  # its connection ended, and the registration with it
            self.counters["unregistered"] += 1

    def _on(self, event: Event) -> None:
        match event:
            case SessionOffered():
                self._take(event)
            case Registered(registration=registration, expires_s=expires_s):
                self._tell(registration, expires_s)
            case RegistrationFailed(registration=registration, status=status, reason=reason):
                self._tell(registration, EndCause(status, reason, "remote"))
            case (
                SessionProgressed(session=session)
                | SessionAnswered(session=session)
                | SessionConfirmed(session=session)
                | OfferReceived(session=session)
                | OfferAnswered(session=session)
                | InfoReceived(session=session)
                | SessionEnded(session=session)
            ):
                call = self._by_session.get(session)
                if call is not None:
                    self._on_call(call, session, event)
            case ReferReceived(session=session):
                self._rim.do(lambda now: self._endpoint.refuse_refer(session, now=now))
            case _:
                pass

    def _on_call(self, call: PhoneCall, session: SessionId, event: Event) -> None:
        now = self._now()
        match event:
            case SessionProgressed(sdp=sdp):
                call.ringing_s = call.ringing_s or now
                self._answered(call, sdp)
            case SessionAnswered(sdp=sdp) | SessionConfirmed(sdp=sdp):
                if self._answered(call, sdp, must=True):
                    call.answer(now)
            case OfferAnswered(sdp=sdp):
                self._answered(call, sdp)
            case OfferReceived(sdp=sdp):
                self._offered(call, session, sdp)
            case InfoReceived(content_type=content_type, body=body):
                if content_type == _INFO_KEYS:
                    call.keys += _keys_of_info(body)
            case SessionEnded(cause=cause):
                call.end(cause, now)
            case _:
                pass

    def _take(self, event: SessionOffered) -> None:
        session = event.session
        call = self._new_call(str(event.request.from_.uri))
        if call is None:
            self._rim.do(lambda now: self._endpoint.reject(session, status=486, now=now))
            return
        call.session = session
        self.add(call)
        try:
            sdp, agreed = self._reply(call, event.sdp)
        except PeerError as error:
            status, reason = error.status, str(error)
            self._rim.do(lambda now: self._endpoint.reject(session, status=status, now=now))
            self.counters[reason] += 1
            return
        self._rim.do(lambda now: self._endpoint.ring(session, now=now))
        self._rim.do(lambda now: self._endpoint.answer(session, sdp=sdp, now=now))
        self._talk(call, agreed)
        call.ringing_s = self._now()
        self.incoming.put_nowait(call)

    def _reply(self, call: PhoneCall, offer: bytes | None) -> tuple[bytes, NegotiatedMedia | None]:
        """Answer an offer, or make one when they ask for ours.  Raise PeerError."""
        if offer is None:
            call.media.listener.expect(call.negotiation.local.codecs)
            return call.negotiation.offer(), None
        return call.negotiation.offered(offer)

    def _offered(self, call: PhoneCall, session: SessionId, offer: bytes | None) -> None:
        try:
            sdp, agreed = self._reply(call, offer)
        except PeerError as error:
            status = error.status
            self._rim.do(lambda now: self._endpoint.refuse_offer(session, status=status, now=now))
            return
        self._rim.do(lambda now: self._endpoint.accept_offer(session, sdp=sdp, now=now))
        self._talk(call, agreed)

    def _talk(self, call: PhoneCall, agreed: NegotiatedMedia | None) -> None:
        """Speak as agreed, now that the other end was told."""
        if agreed is not None:
            call.talk(agreed, self._now())

    def _answered(self, call: PhoneCall, sdp: bytes | None, *, must: bool = False) -> bool:
        """Read an answer to our offer, if it is one; hang up if there `must` be an agreement and is none."""
        try:
            if sdp and call.negotiation.expects_answer:
                call.talk(call.negotiation.answered(sdp), self._now())
        except PeerError as error:
            self.counters[str(error)] += 1
            call.negotiation.agreed = None
        if must and call.negotiation.agreed is None:
            self.hang_up(call)
            return False
        return True

    def _tell(self, registration: RegistrationId, outcome: _Outcome) -> None:
        future = self._registrations.get(registration)
        if future is not None and not future.done():
            future.set_result(outcome)

    def _now(self) -> float:
        return asyncio.get_running_loop().time()


def _keys_of_info(body: bytes) -> list[KeySeen]:
    """Read `Signal=5` and `Duration=160` of a dtmf-relay body; nothing if it is none."""
    fields = dict(
        line.replace(" ", "").partition("=")[::2] for line in body.decode("ascii", "replace").splitlines()
    )
    signal, duration = fields.get("Signal", ""), fields.get("Duration", "")
    key = {"10": "*", "11": "#"}.get(signal, signal)
    if len(key) != 1 or key not in KEYS:
        return []
    return [KeySeen(key, int(duration) if duration.isascii() and duration.isdigit() else 0)]
