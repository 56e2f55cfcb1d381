"""The switch's windows on the world: what it needs, said as Protocols that the rim implements.

The switch awaits, but opens no socket, reads no clock and draws no number of its own.  Whoever composes it
(the service, or a test in virtual time) gives it these.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Protocol

from gateway.ids import LegId
from gateway.media.commands import RoomState, RowState, WebRtcPath
from gateway.media.events import MediaEvent
from gateway.media.statistics import LegStatistics
from gateway.sip.authentication import Credentials
from gateway.sip.events import EndCause, Event, PingId, RegistrationId, SessionId
from gateway.sip.flow import Flow
from gateway.sip.headers import NameAddr
from gateway.sip.registrar import Binding
from gateway.sip.session_snapshot import SessionSnapshot
from gateway.sip.uri import Uri

__all__ = ["CallMemory", "EventLog", "MediaPort", "SignallingPort"]


class MediaPort(Protocol):
    """The media plane, wherever it runs."""

    async def open(self, leg: LegId) -> tuple[str, int]:
        """Lease an RTP port (RTCP is the next one) and return the address and port to write into SDP.

        Raises:
            Overload: no port, no descriptor or no media process.
        """
        ...

    def set(self, row: RowState) -> None:
        """Say what a row shall be: absolute, idempotent, takes effect between two ticks."""
        ...

    def set_room(self, room: RoomState) -> None:
        """Say how a room shall be mixed: absolute, idempotent, before anybody is in it or later."""
        ...

    def press(self, leg: LegId, digit: str, duration_ms: int) -> None:
        """Press a key (0-9, *, #, A-D) for the leg's phone, as events of RTP; lost when media is away."""
        ...

    def close(self, leg: LegId) -> None:
        """Give the row and its port back; a leg that was never opened is no error."""
        ...

    async def listed(self) -> None:
        """Return when it is known which rows there are, or nobody could tell for some seconds."""
        ...

    def path(self, leg: LegId) -> WebRtcPath | None:
        """Return what a browser's checks and handshake have led to; None for everybody else, and before that.

        Whenever it is another one, `AddressLatched` tells.
        """
        ...

    def adopt(self, leg: LegId, address: tuple[str, int], path: WebRtcPath | None = None) -> bool:
        """Go on with a row that a switch before us opened at that address; False if it is there no more.

        `path` is a browser's: nobody can shake hands with it a second time.
        """
        ...

    def disown(self) -> None:
        """Close the rows of a switch before us that nobody went on with."""
        ...

    async def closed(self, leg: LegId) -> LegStatistics:
        """Close the leg at once and return its last counters; zeros when nobody can tell."""
        ...

    def events(self) -> AsyncIterator[MediaEvent]:
        """Yield what media tells, for one reader, for as long as the port lives."""
        ...


class SignallingPort(Protocol):
    """One SIP endpoint and its rim: the verbs of `gateway.sip.endpoint.Endpoint` without `now`.

    A verb that comes too late (the peer has just cancelled or hung up) does nothing: the `SessionEnded` that says
    so is on its way, and whoever used the verb will read it next.
    """

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
        """Call somebody; what comes of it arrives as events."""
        ...

    def ring(self, session: SessionId, *, status: int = 180, sdp: bytes | None = None) -> None:
        """Send a provisional response."""
        ...

    def answer(self, session: SessionId, *, sdp: bytes) -> None:
        """Accept the call."""
        ...

    def reject(
        self,
        session: SessionId,
        *,
        status: int,
        reason: str | None = None,
        headers: Sequence[tuple[str, str]] = (),
    ) -> None:
        """Refuse the call."""
        ...

    def hang_up(self, session: SessionId, *, cause: EndCause | None = None) -> None:
        """End the session, whatever state it is in."""
        ...

    def reoffer(self, session: SessionId, *, sdp: bytes) -> None:
        """Send a re-INVITE."""
        ...

    def accept_offer(self, session: SessionId, *, sdp: bytes) -> None:
        """Answer an `OfferReceived`."""
        ...

    def refuse_offer(self, session: SessionId, *, status: int = 488) -> None:
        """Refuse an `OfferReceived`; the session goes on as before."""
        ...

    def send_info(self, session: SessionId, *, content_type: str, body: bytes) -> None:
        """Send an INFO (RFC 6086)."""
        ...

    def accept_refer(self, session: SessionId) -> None:
        """Say that a transfer is tried."""
        ...

    def refuse_refer(self, session: SessionId, *, status: int = 603) -> None:
        """Refuse a transfer."""
        ...

    def notify_refer(self, session: SessionId, *, status: int, reason: str | None = None) -> None:
        """Tell a transferor how it goes: 101-199, or how it ended."""
        ...

    def introduce(self, session: SessionId, other: SessionId) -> None:
        """Say to two far ends from now on that they speak with each other (RFC 7989)."""
        ...

    def introduction(self, session: SessionId) -> Sequence[tuple[str, str]]:
        """Return the headers of an INVITE that is sent for the far end of a session; none if that is over."""
        ...

    def snapshot(self, session: SessionId) -> SessionSnapshot | None:
        """Return what another process would need to go on with a session; None if it is over."""
        ...

    def bindings(self, user: str) -> tuple[Binding, ...]:
        """Return where a user's phones are."""
        ...

    async def flows_to(self, uri: Uri) -> Sequence[Flow]:
        """Return the flows to the servers of a URI, first choice first (RFC 3263).

        Raises:
            LocalError: there is no way to any.
        """
        ...

    def heard(self, session: SessionId) -> bool:
        """Tell whether the other end has said anything to our INVITE, be it 100."""
        ...

    def ping(self, *, target: Uri, flow: Flow) -> PingId:
        """Ask by OPTIONS whether somebody is there; `PingAnswered` tells."""
        ...

    def register(
        self, *, registrar: Uri, aor: Uri, flow: Flow, credentials: Credentials, contact_user: str
    ) -> RegistrationId:
        """Register elsewhere, to be called at `contact_user`, and stay registered."""
        ...

    def unregister(self, registration: RegistrationId) -> None:
        """Leave; a registration that has ended is no error."""
        ...

    def events(self) -> AsyncIterator[Event]:
        """Yield what happens, for one reader, for as long as the port lives."""
        ...


class CallMemory(Protocol):
    """Notes that outlive this process, but not the machine's start."""

    def keep(self, key: str, note: bytes) -> None:
        """Keep a note in place of the one before it; one that is too long is not kept."""
        ...

    def forget(self, key: str) -> None:
        """Forget a note."""
        ...

    def left(self) -> Mapping[str, bytes]:
        """Return the notes of a process before this one."""
        ...


class EventLog(Protocol):
    """A structured log: an event's name and its facts (structlog's loggers are one)."""

    def info(self, event: str, /, **facts: object) -> object:
        """Note something that happened as it should."""
        ...

    def warning(self, event: str, /, **facts: object) -> object:
        """Note something that a person may want to look at."""
        ...

    def exception(self, event: str, /, **facts: object) -> object:
        """Note a fault of our own, with the traceback of the exception being handled."""
        ...
