"""The user-agent engine: one SIP endpoint, sans-IO, that registers, calls, is called and is registered with.

The contract is that of every engine here.  Call one of the verbs with `now`, monotonic seconds; then drain
`transmit` and `events` and arm a timer for `next_deadline`.  Nothing happens in between, and nothing else
is needed:

    endpoint.arrive(data, flow, at, now)             # or `receive`, which waits for nobody
    while endpoint.handle_next(now): ...             # as long as there is time
    for datagram in endpoint.transmit(now): ...      # hand to the network
    for event in endpoint.events(): ...              # act, by calling the endpoint again
    deadline = endpoint.next_deadline()              # then endpoint.deadline_reached(now)

The switch is such an endpoint, and so is a phone.  This file holds no behaviour: it is the list of what can
be asked.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator, Sequence

from gateway.errors import BadMessage, LocalError, PeerError
from gateway.ids import IdSource
from gateway.sip.admission import Admission, Episode
from gateway.sip.authentication import Credentials
from gateway.sip.dialog import DialogId
from gateway.sip.dispatch import Dispatcher
from gateway.sip.events import EndCause, Event, PingId, RegistrationId, SessionId
from gateway.sip.flow import Datagram, Flow
from gateway.sip.headers import NameAddr
from gateway.sip.inbox import Inbox
from gateway.sip.message import Request, is_keepalive, parse_message_untrusted
from gateway.sip.refusal import refuse_unparsed
from gateway.sip.registrar import Binding
from gateway.sip.session import Session
from gateway.sip.session_snapshot import SessionSnapshot, snapshot_of
from gateway.sip.settings import EndpointConfig, EndpointLimits
from gateway.sip.uri import Uri

__all__ = ["Credentials", "Endpoint", "EndpointConfig", "EndpointLimits"]


class Endpoint:
    """One user-agent engine."""

    def __init__(self, config: EndpointConfig, ids: IdSource) -> None:
        """Start with nothing under way; `ids` is where every tag, branch and nonce comes from."""
        self._inside = Dispatcher(config, ids)
        self._wire = self._inside.wire
        self._datagrams: list[Datagram] = []
        self._admission = Admission(target_s=config.limits.queue_delay_s)
        self._inbox = Inbox(self._admission, self._inside.registrar.knows, ids, self._wire.counters)

    # the verbs

    @property
    def counters(self) -> Counter[str]:
        """How often what was refused, dropped or went wrong, by kind."""
        return self._wire.counters + self._wire.transactions.counters

    @property
    def faults(self) -> deque[str]:
        """Tracebacks of what the exception wall stopped, for the log; each is a fault of ours."""
        return self._inside.faults

    @property
    def episodes(self) -> deque[Episode]:
        """Overloads that began or were over, for the log."""
        return self._admission.episodes

    def arrive(self, data: bytes, flow: Flow, at: float, now: float) -> None:
        """Let one message wait for its turn that came to our socket at `at`; it may be refused instead."""
        self._inbox.put(data, flow, at, now)

    def handle_next(self, now: float) -> bool:
        """Take the message whose turn it is; False if none waits."""
        arrived = self._inbox.take(now)
        if arrived is None:
            return False
        self.receive(arrived.data, arrived.flow, now)
        return True

    def receive(self, data: bytes, flow: Flow, now: float) -> None:
        """Take one message: a datagram, or what a framer cut out of a stream.  Never raises."""
        try:
            self._receive(data, flow, now)
        except PeerError:
            self._wire.counters["bad_message"] += 1
        except Exception:
            self._inside.fault()
        self._inside.settle(now)

    def transmit(self, now: float) -> list[Datagram]:
        """Return what is to be sent, in order, and forget it."""
        self._inside.settle(now)
        datagrams, self._datagrams = self._datagrams, []
        return datagrams + self._inbox.refusals() + self._wire.transactions.transmit()

    def next_deadline(self) -> float | None:
        """Return when `deadline_reached` is to be called, in monotonic seconds; None: never."""
        deadlines = (
            self._wire.transactions.next_deadline(),
            self._wire.alarms.next(),
            self._inside.registrar.next_deadline(),
            self._admission.next_deadline(),
        )
        return min((deadline for deadline in deadlines if deadline is not None), default=None)

    def deadline_reached(self, now: float) -> None:
        """Let happen what is due."""
        self._admission.settle(now)
        try:
            self._wire.transactions.deadline_reached(now)
        except Exception:
            self._inside.fault()
        self._inside.settle(now)
        self._inside.let_ring(now)

    def events(self) -> Iterator[Event]:
        """Yield what happened, in order, and forget it."""
        while (event := self._wire.next_event()) is not None:
            yield event

    def flow_closed(self, flow: Flow, now: float) -> None:
        """Take it that a connection has ended; sessions that are on stay, for their peer may come back."""
        try:
            self._inside.flow_closed(flow, now)
        except Exception:
            self._inside.fault()

    def census(self) -> dict[str, int]:
        """Count what is held; everything is 0 when nothing is under way and nobody is registered.

        `unanswered` counts the requests of ours that have no final answer yet: when it is 0 after hanging
        up and unregistering, every goodbye was heard.
        """
        return {
            "transactions": len(self._wire.transactions),
            "errands": len(self._wire.errands),
            "unanswered": len(self._wire.awaiting),
            "dialogs": self._inside.sessions.n_dialogs,
            "sessions": len(self._inside.sessions),
            "bindings": len(self._inside.registrar),
            "registrations": len(self._inside.registrations),
            "timers": len(self._wire.alarms),
        }

    # sessions

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
        now: float,
    ) -> SessionId:
        """Call `target` over `flow`; without `sdp` the callee makes the offer.

        Such a session reports `SessionAnswered` with the offer, and `accept_offer` completes it.

        Raises:
            Overload: there are as many sessions as there may be.
            LocalError: a header cannot be written.
        """
        return self._inside.caller.invite(
            target=target,
            flow=flow,
            from_=from_,
            to=to or NameAddr(None, target),
            sdp=sdp,
            headers=headers,
            credentials=credentials,
            max_forwards=max_forwards,
            now=now,
        )

    def heard(self, session: SessionId) -> bool:
        """Tell whether anything has come back to an INVITE of ours; a session that has ended was heard."""
        found = self._inside.sessions.get(session)
        return found is None or self._inside.caller.heard(found)

    def ring(self, session: SessionId, *, status: int = 180, sdp: bytes | None = None, now: float) -> None:
        """Send a provisional response, with early media or not.  Raises `LocalError` if no INVITE waits."""
        self._inside.ringer.ring(self._find(session), status, sdp, now)

    def answer(self, session: SessionId, *, sdp: bytes, now: float) -> None:
        """Take the call: 200, repeated until its ACK.  Raises `LocalError` unless an INVITE waits."""
        self._inside.callee.answer(self._find(session), sdp, now)

    def reject(
        self,
        session: SessionId,
        *,
        status: int,
        reason: str | None = None,
        headers: Sequence[tuple[str, str]] = (),
        now: float,
    ) -> None:
        """Refuse the call with 300-699.  Raises `LocalError` unless an INVITE waits."""
        self._inside.callee.reject(self._find(session), status, reason, headers, now)

    def hang_up(self, session: SessionId, *, cause: EndCause | None = None, now: float) -> None:
        """End a session by CANCEL, BYE or refusal, whichever it needs; nothing happens if it has ended."""
        found = self._inside.sessions.get(session)
        if found is not None:
            self._inside.requests.hang_up(found, cause, now)

    def reoffer(self, session: SessionId, *, sdp: bytes, now: float) -> None:
        """Change a session by re-INVITE, as soon as that is allowed.  Raises `LocalError` unless it is on."""
        self._inside.offerer.reoffer(self._find(session), sdp, now)

    def accept_offer(self, session: SessionId, *, sdp: bytes, now: float) -> None:
        """Answer `OfferReceived`, or a callee's late offer.  Raises `LocalError` if there is none."""
        self._inside.accept_offer(self._find(session), sdp, now)

    def refuse_offer(self, session: SessionId, *, status: int = 488, now: float) -> None:
        """Refuse `OfferReceived`; the session stays as it was.  Raises `LocalError` if there is none."""
        self._inside.offerer.refuse(self._find(session), status, now)

    def send_info(self, session: SessionId, *, content_type: str, body: bytes, now: float) -> None:
        """Send an INFO (RFC 6086).  Raises `LocalError` unless the session is on."""
        self._inside.requests.send_info(self._find(session), content_type, body, now)

    def accept_refer(self, session: SessionId, *, now: float) -> None:
        """Try what `ReferReceived` asks for, and say so.  Raises `LocalError` if nothing was asked."""
        self._inside.referrals.accept(self._find(session), now)

    def refuse_refer(self, session: SessionId, *, status: int = 603, now: float) -> None:
        """Refuse what `ReferReceived` asks for.  Raises `LocalError` if nothing was asked."""
        self._inside.referrals.refuse(self._find(session), status, now)

    def notify_refer(self, session: SessionId, *, status: int, reason: str | None = None, now: float) -> None:
        """Tell the transferor how it goes; it may have hung up long since.

        Raises `LocalError` if no transfer is being tried for it any more.
        """
        self._inside.referrals.notify(self._find(session), status, reason, now)

    def refer(
        self,
        session: SessionId,
        *,
        target: NameAddr,
        headers: Sequence[tuple[str, str]] = (),
        now: float,
    ) -> None:
        """Ask the peer to call `target`, which may carry a Replaces.  Raises `LocalError` unless it is on."""
        self._inside.referrals.refer(self._find(session), target, headers, now)

    def introduce(self, session: SessionId, other: SessionId) -> None:
        """Say to two far ends from now on that they speak with each other (RFC 7989 section 7).

        Raises `LocalError` if one is over.
        """
        self._wire.names.introduce(self._find(session).call_id, self._find(other).call_id)

    def introduction(self, session: SessionId) -> Sequence[tuple[str, str]]:
        """Return what an INVITE says that is sent for the far end of a session; nothing if that is over."""
        found = self._inside.sessions.get(session)
        return [] if found is None else self._wire.names.introduction(found.call_id)

    def dialog_of(self, session: SessionId) -> DialogId:
        """Return what names the session's dialog to others.  Raises `LocalError` before there is one."""
        return self._find(session).confirmed.id

    def snapshot(self, session: SessionId) -> SessionSnapshot | None:
        """Return a session in plain values, with which another process can go on; None if it is over."""
        found = self._inside.sessions.get(session)
        return None if found is None else snapshot_of(found, self._wire)

    def adopt(self, snapshot: SessionSnapshot, now: float) -> None:
        """Go on with a session of a process before us.  Raises `BadMessage` if that cannot be read."""
        self._inside.adoption.adopt(snapshot, now)

    # registrations

    def register(
        self,
        *,
        registrar: Uri,
        aor: Uri,
        flow: Flow,
        credentials: Credentials,
        expires_s: int = 300,
        contact_user: str | None = None,
        now: float,
    ) -> RegistrationId:
        """Register `aor` with `registrar` over `flow` and stay registered until told otherwise.

        `contact_user` tells calls to this registration from others; None = that of every Contact of ours.
        """
        return self._inside.registrations.register(
            registrar=registrar,
            aor=aor,
            flow=flow,
            credentials=credentials,
            expires_s=expires_s,
            contact_user=contact_user,
            now=now,
        )

    def unregister(self, registration: RegistrationId, *, now: float) -> None:
        """Leave a registrar.  Raises `LocalError` if there is no such registration."""
        self._inside.registrations.unregister(registration, now)

    def ping(self, *, target: Uri, flow: Flow, now: float) -> PingId:
        """Ask by OPTIONS whether `target` is there; `PingAnswered` tells."""
        return self._inside.pings.ping(target, flow, now)

    def bindings(self, user: str) -> tuple[Binding, ...]:
        """Return where `user` can be reached, the place refreshed last first."""
        return self._inside.registrar.bindings(user)

    def _find(self, session: SessionId) -> Session:
        found = self._inside.sessions.get(session)
        if found is None:
            raise LocalError("the session is over")
        return found

    def _receive(self, data: bytes, flow: Flow, now: float) -> None:
        if is_keepalive(data):
            self._wire.counters["keepalive"] += 1
            return
        try:
            message = parse_message_untrusted(data)
        except BadMessage as error:
            self._wire.counters["bad_message"] += 1
            refusal = refuse_unparsed(data, error, to_tag=self._wire.ids.token(8))
            if refusal is not None:
                self._datagrams.append(Datagram(refusal, flow))
            return
        if isinstance(message, Request):
            answers = self._inside.doorman.turns_away(message, flow, now)
            if answers is None:
                self._wire.transactions.receive_request(message, flow, now)
            else:
                self._datagrams += answers
        else:
            self._wire.transactions.receive_response(message, flow, now)
