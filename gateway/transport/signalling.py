"""The switch's `SignallingPort` on an endpoint and its rim: the same verbs, with `now` filled in."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Final, Protocol, TypeVar

from gateway.errors import LocalError
from gateway.sip.authentication import Credentials
from gateway.sip.endpoint import Endpoint
from gateway.sip.events import EndCause, Event, PingId, RegistrationId, SessionId
from gateway.sip.flow import Flow
from gateway.sip.headers import NameAddr
from gateway.sip.registrar import Binding
from gateway.sip.session_snapshot import SessionSnapshot
from gateway.sip.uri import Uri

__all__ = ["Rim", "Signalling"]

_Result = TypeVar("_Result")


class Rim(Protocol):
    """What carries an endpoint's messages: sockets (`SipRim`) or a simulated network."""

    @property
    def endpoint(self) -> Endpoint:
        """The endpoint that this rim drives."""
        ...

    def do(self, operation: Callable[[float], _Result]) -> _Result:
        """Call the endpoint and do what follows."""
        ...

    async def flow_to(self, uri: Uri) -> Flow:
        """Return the flow to a host; raises LocalError."""
        ...

    async def flows_to(self, uri: Uri) -> Sequence[Flow]:
        """Return the flows to the servers of a URI, first choice first; raises LocalError."""
        ...

    def events(self) -> AsyncIterator[Event]:
        """Yield what happens."""
        ...


class Signalling:
    """`gateway.switch.ports.SignallingPort`."""

    def __init__(self, rim: Rim) -> None:
        self._rim: Final = rim
        self._endpoint: Final = rim.endpoint
        self.too_late = 0
        """Verbs whose session had just ended, or moved on."""

    def invite(
        self,
        *,
        target: Uri,
        flow: Flow,
        from_: NameAddr,
        to: NameAddr | None = None,
        sdp: bytes | None,
        headers: Sequence[tuple[str, str]] = (),
        credentials: Credentials | None = None,
        max_forwards: int = 70,
    ) -> SessionId:
        """Call somebody."""
        return self._rim.do(
            lambda now: self._endpoint.invite(
                target=target,
                flow=flow,
                from_=from_,
                to=to,
                sdp=sdp,
                headers=headers,
                credentials=credentials,
                max_forwards=max_forwards,
                now=now,
            )
        )

    def ring(self, session: SessionId, *, status: int = 180, sdp: bytes | None = None) -> None:
        """Send a provisional response."""
        self._late(lambda now: self._endpoint.ring(session, status=status, sdp=sdp, now=now))

    def answer(self, session: SessionId, *, sdp: bytes) -> None:
        """Accept the call."""
        self._late(lambda now: self._endpoint.answer(session, sdp=sdp, now=now))

    def reject(
        self,
        session: SessionId,
        *,
        status: int,
        reason: str | None = None,
        headers: Sequence[tuple[str, str]] = (),
    ) -> None:
        """Refuse the call."""
        self._late(
            lambda now: self._endpoint.reject(session, status=status, reason=reason, headers=headers, now=now)
        )

    def hang_up(self, session: SessionId, *, cause: EndCause | None = None) -> None:
        """End the session."""
        self._late(lambda now: self._endpoint.hang_up(session, cause=cause, now=now))

    def reoffer(self, session: SessionId, *, sdp: bytes) -> None:
        """Send a re-INVITE."""
        self._late(lambda now: self._endpoint.reoffer(session, sdp=sdp, now=now))

    def accept_offer(self, session: SessionId, *, sdp: bytes) -> None:
        """Answer an offer."""
        self._late(lambda now: self._endpoint.accept_offer(session, sdp=sdp, now=now))

    def refuse_offer(self, session: SessionId, *, status: int = 488) -> None:
        """Refuse an offer."""
        self._late(lambda now: self._endpoint.refuse_offer(session, status=status, now=now))

    def send_info(self, session: SessionId, *, content_type: str, body: bytes) -> None:
        """Send an INFO."""
        self._late(
            lambda now: self._endpoint.send_info(session, content_type=content_type, body=body, now=now)
        )

    def accept_refer(self, session: SessionId) -> None:
        """Say that a transfer is tried."""
        self._late(lambda now: self._endpoint.accept_refer(session, now=now))

    def refuse_refer(self, session: SessionId, *, status: int = 603) -> None:
        """Refuse a transfer."""
        self._late(lambda now: self._endpoint.refuse_refer(session, status=status, now=now))

    def notify_refer(self, session: SessionId, *, status: int, reason: str | None = None) -> None:
        """Tell a transferor how it goes."""
        self._late(lambda now: self._endpoint.notify_refer(session, status=status, reason=reason, now=now))

    def introduce(self, session: SessionId, other: SessionId) -> None:
        """Say to two far ends that they speak with each other."""
        self._late(lambda _: self._endpoint.introduce(session, other))

    def introduction(self, session: SessionId) -> Sequence[tuple[str, str]]:
        """Return the headers of an INVITE for the far end of a session."""
        return self._endpoint.introduction(session)

    def snapshot(self, session: SessionId) -> SessionSnapshot | None:
        """Return a session in plain values."""
        return self._endpoint.snapshot(session)

    def bindings(self, user: str) -> tuple[Binding, ...]:
        """Return where a user's phones are."""
        return self._endpoint.bindings(user)

    async def flows_to(self, uri: Uri) -> Sequence[Flow]:
        """Return the flows to the servers of a URI."""
        return await self._rim.flows_to(uri)

    def heard(self, session: SessionId) -> bool:
        """Tell whether the other end has said anything to our INVITE."""
        return self._endpoint.heard(session)

    def ping(self, *, target: Uri, flow: Flow) -> PingId:
        """Ask by OPTIONS whether somebody is there."""
        return self._rim.do(lambda now: self._endpoint.ping(target=target, flow=flow, now=now))

    def register(
        self, *, registrar: Uri, aor: Uri, flow: Flow, credentials: Credentials, contact_user: str
    ) -> RegistrationId:
        """Register elsewhere."""
        return self._rim.do(
            lambda now: self._endpoint.register(
                registrar=registrar,
                aor=aor,
                flow=flow,
                credentials=credentials,
                contact_user=contact_user,
                now=now,
            )
        )

    def unregister(self, registration: RegistrationId) -> None:
        """Leave."""
        self._late(lambda now: self._endpoint.unregister(registration, now=now))

    def events(self) -> AsyncIterator[Event]:
        """Yield what happens."""
        return self._rim.events()

    def _late(self, verb: Callable[[float], None]) -> None:
        """Do it unless the session is past it: whoever asks has not read yet what ended it."""
        try:
            self._rim.do(verb)
        except LocalError:
            self.too_late += 1
