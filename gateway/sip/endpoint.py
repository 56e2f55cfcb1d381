"""The user-agent engine: one SIP endpoint, sans-IO, that registers, calls, is called and is registered with.

The contract is that of every engine here.  Call one of the verbs with `now`, monotonic seconds; then drain
`transmit` and `events` and arm a timer for `next_deadline`.  Nothing happens in between, and nothing else
is needed:

    endpoint.receive(data, flow, now)
    for datagram in endpoint.transmit(now): ...      # hand to the network
    for event in endpoint.events(): ...              # act, by calling the endpoint again
    deadline = endpoint.next_deadline()              # then endpoint.deadline_reached(now)

The switch is such an endpoint, and so is a phone.  This file holds no behaviour: it hands what happens to
whoever it concerns, and stands between them and the network as the *exception wall*: whatever one message
makes our code do wrong is counted, answered with 500 if it was a request, kept for the log, and over.
"""

from __future__ import annotations

import traceback
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, assert_never

from gateway.errors import BadMessage, LocalError, PeerError
from gateway.ids import IdSource
from gateway.sip.authentication import Authenticator, Credentials
from gateway.sip.dialog import DialogId
from gateway.sip.events import EndCause, Event, RegistrationId, SessionId
from gateway.sip.flow import Datagram, Flow
from gateway.sip.headers import NameAddr
from gateway.sip.message import Request, is_keepalive, parse_message_untrusted
from gateway.sip.reception import Reception
from gateway.sip.refusal import refuse_unparsed
from gateway.sip.registrar import Binding, Registrar
from gateway.sip.registration import ClientRegistrations
from gateway.sip.session import Outgoing, Session, SessionMachine, Sessions
from gateway.sip.session_callee import Callee
from gateway.sip.session_caller import Caller
from gateway.sip.session_offers import Offerer
from gateway.sip.session_requests import SessionRequests
from gateway.sip.session_table import SessionState
from gateway.sip.settings import EndpointConfig, EndpointLimits
from gateway.sip.transaction import (
    AckArrived,
    CancelArrived,
    RequestArrived,
    ResponseArrived,
    StrayAnswer,
    TransactionEnded,
    TransactionEvent,
    TransactionKey,
    TransactionTimedOut,
    TransportFailed,
)
from gateway.sip.uri import Uri
from gateway.sip.wire import Alarm, Arrival, Errand, Outcome, Purpose, Silence, Wire

__all__ = ["Credentials", "Endpoint", "EndpointConfig", "EndpointLimits"]

_TIMED_OUT: Final = Silence(408, "no answer came in time", "timeout")
_FLOW_FAILED: Final = Silence(503, "the connection failed", "transport")
_FAULTS_KEPT: Final = 16


class Endpoint:
    """One user-agent engine."""

    def __init__(self, config: EndpointConfig, ids: IdSource) -> None:
        """Start with nothing under way; `ids` is where every tag, branch and nonce comes from."""
        self._wire = wire = Wire(config, ids)
        self._datagrams: list[Datagram] = []
        self.faults: deque[str] = deque(maxlen=_FAULTS_KEPT)
        """Tracebacks of what the exception wall stopped, for the log; each is a fault of ours."""
        self._sessions = sessions = Sessions()
        self._machine = machine = SessionMachine(wire, sessions)
        self._offerer = Offerer(wire, sessions, machine)
        self._caller = Caller(wire, sessions, machine, self._offerer)
        self._callee = Callee(wire, sessions, machine, self._offerer)
        self._requests = SessionRequests(wire, sessions, machine)
        self._registrar = Registrar(config.limits.registrar)
        self._registrations = ClientRegistrations(wire)
        authenticator = Authenticator(
            realm=config.realm, users=config.users, algorithms=config.digest_algorithms, ids=ids
        )
        self._reception = Reception(
            wire, sessions, authenticator, self._registrar, self._callee, self._offerer, self._requests
        )
        self._outcomes: Mapping[Purpose, Callable[[Errand, Outcome, float], None]] = {
            Purpose.INVITE: self._caller.outcome,
            Purpose.OFFER: self._offerer.outcome,
            Purpose.BYE: self._requests.bye_outcome,
            Purpose.FORK_BYE: self._requests.fork_bye_outcome,
            Purpose.INFO: self._requests.info_outcome,
            Purpose.REGISTER: self._registrations.outcome,
        }

    # the verbs

    @property
    def counters(self) -> Counter[str]:
        """How often what was refused, dropped or went wrong, by kind."""
        return self._wire.counters + self._wire.transactions.counters

    def receive(self, data: bytes, flow: Flow, now: float) -> None:
        """Take one message: a datagram, or what a framer cut out of a stream.  Never raises."""
        if is_keepalive(data):
            self._wire.counters["keepalive"] += 1
            return
        try:
            message = parse_message_untrusted(data)
            if isinstance(message, Request):
                self._wire.transactions.receive_request(message, flow, now)
            else:
                self._wire.transactions.receive_response(message, flow, now)
        except BadMessage as error:
            self._wire.counters["bad_message"] += 1
            refusal = refuse_unparsed(data, error, to_tag=self._wire.ids.token(8))
            if refusal is not None:
                self._datagrams.append(Datagram(refusal, flow))
        except Exception:
            self._fault()
        self._settle(now)

    def transmit(self, now: float) -> list[Datagram]:
        """Return what is to be sent, in order, and forget it."""
        self._settle(now)
        datagrams, self._datagrams = self._datagrams, []
        return datagrams + self._wire.transactions.transmit()

    def next_deadline(self) -> float | None:
        """Return when `deadline_reached` is to be called, in monotonic seconds; None: never."""
        deadlines = (
            self._wire.transactions.next_deadline(),
            self._wire.alarms.next(),
            self._registrar.next_deadline(),
        )
        return min((deadline for deadline in deadlines if deadline is not None), default=None)

    def deadline_reached(self, now: float) -> None:
        """Let happen what is due."""
        try:
            self._wire.transactions.deadline_reached(now)
        except Exception:
            self._fault()
        self._settle(now)
        for alarm, holder in self._wire.alarms.due(now):
            try:
                self._rang(alarm, holder, now)
            except Exception:
                self._fault()
        self._reception.report(self._registrar.deadline_reached(now))
        self._settle(now)

    def events(self) -> Iterator[Event]:
        """Yield what happened, in order, and forget it."""
        while (event := self._wire.next_event()) is not None:
            yield event

    def flow_closed(self, flow: Flow, now: float) -> None:
        """Take it that a connection has ended; sessions that are on stay, for their peer may come back."""
        self._wire.transactions.flow_closed(flow, now)
        self._settle(now)
        cause = EndCause(503, "the connection ended", "transport")
        for session in self._sessions.on_flow(flow):
            self._callee.gone(session, cause, now)
        self._registrations.flow_closed(flow)
        self._reception.report(self._registrar.flow_closed(flow))
        self._settle(now)

    def census(self) -> dict[str, int]:
        """Count what is held; everything is 0 when nothing is under way and nobody is registered."""
        return {
            "transactions": len(self._wire.transactions),
            "errands": len(self._wire.errands),
            "dialogs": self._sessions.n_dialogs,
            "sessions": len(self._sessions),
            "bindings": len(self._registrar),
            "registrations": len(self._registrations),
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
        return self._caller.invite(
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

    def ring(self, session: SessionId, *, status: int = 180, sdp: bytes | None = None, now: float) -> None:
        """Send a provisional response, with early media or not.  Raises `LocalError` if no INVITE waits."""
        self._callee.ring(self._find(session), status, sdp, now)

    def answer(self, session: SessionId, *, sdp: bytes, now: float) -> None:
        """Take the call: 200, repeated until its ACK.  Raises `LocalError` unless an INVITE waits."""
        self._callee.answer(self._find(session), sdp, now)

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
        self._callee.reject(self._find(session), status, reason, headers, now)

    def hang_up(self, session: SessionId, *, cause: EndCause | None = None, now: float) -> None:
        """End a session by CANCEL, BYE or refusal, whichever it needs; nothing happens if it has ended."""
        found = self._sessions.get(session)
        if found is not None:
            self._requests.hang_up(found, cause, now)

    def reoffer(self, session: SessionId, *, sdp: bytes, now: float) -> None:
        """Change a session by re-INVITE, as soon as that is allowed.  Raises `LocalError` unless it is on."""
        self._offerer.reoffer(self._find(session), sdp, now)

    def accept_offer(self, session: SessionId, *, sdp: bytes, now: float) -> None:
        """Answer `OfferReceived`, or a callee's late offer.  Raises `LocalError` if there is none."""
        self._offerer.accept(self._find(session), sdp, now)

    def refuse_offer(self, session: SessionId, *, status: int = 488, now: float) -> None:
        """Refuse `OfferReceived`; the session stays as it was.  Raises `LocalError` if there is none."""
        self._offerer.refuse(self._find(session), status, now)

    def send_info(self, session: SessionId, *, content_type: str, body: bytes, now: float) -> None:
        """Send an INFO (RFC 6086).  Raises `LocalError` unless the session is on."""
        self._requests.send_info(self._find(session), content_type, body, now)

    # registrations

    def register(
        self,
        *,
        registrar: Uri,
        aor: Uri,
        flow: Flow,
        credentials: Credentials,
        expires_s: int = 300,
        now: float,
    ) -> RegistrationId:
        """Register `aor` with `registrar` over `flow` and stay registered until told otherwise."""
        return self._registrations.register(
            registrar=registrar, aor=aor, flow=flow, credentials=credentials, expires_s=expires_s, now=now
        )

    def unregister(self, registration: RegistrationId, *, now: float) -> None:
        """Leave a registrar.  Raises `LocalError` if there is no such registration."""
        self._registrations.unregister(registration, now)

    def bindings(self, user: str) -> tuple[Binding, ...]:
        """Return where `user` can be reached, the place refreshed last first."""
        return self._registrar.bindings(user)

    # what happens inside

    def _find(self, session: SessionId) -> Session:
        found = self._sessions.get(session)
        if found is None:
            raise LocalError("the session is over")
        return found

    def _settle(self, now: float) -> None:
        """Hand out what the transaction layer reports, until it has nothing more to say."""
        while events := self._wire.transactions.events():
            for event in events:
                self._take(event, now)

    def _take(self, event: TransactionEvent, now: float) -> None:
        try:
            self._hand_out(event, now)
        except PeerError as error:
            self._wire.counters[f"peer_error_{error.status}"] += 1
        except Exception:
            self._fault()
            if isinstance(event, RequestArrived):
                self._answer_500(event, now)

    def _hand_out(self, event: TransactionEvent, now: float) -> None:
        match event:
            case RequestArrived(key, request, flow):
                self._reception.take(Arrival(key, request, flow), now)
            case AckArrived(_, request, _):
                self._callee.acknowledged(request, now)
            case CancelArrived():
                self._cancelled(event, now)
            case ResponseArrived(key, response, _):
                self._outcome(key, response, now)
            case StrayAnswer():
                self._stray(event)
            case TransactionTimedOut(key):
                self._silence(key, _TIMED_OUT, now)
            case TransportFailed(key):
                self._silence(key, _FLOW_FAILED, now)
            case TransactionEnded(key):
                self._ended(key)
            case _:
                assert_never(event)

    def _outcome(self, key: TransactionKey, outcome: Outcome, now: float) -> None:
        errand = self._wire.errands.get(key)
        if errand is not None:
            self._outcomes[errand.purpose](errand, outcome, now)

    def _silence(self, key: TransactionKey, silence: Silence, now: float) -> None:
        """Take it that a transaction ended without its answer, theirs or ours."""
        if key.role == "client":
            self._outcome(key, silence, now)
            return
        session = self._sessions.of_invite(key)
        if session is not None and session.state is SessionState.OFFERED:
            self._callee.gone(session, EndCause(silence.status, silence.reason, silence.by), now)
            return
        waiting = self._sessions.of_offer(key)
        if waiting is not None:
            self._offerer.lapsed(waiting, now)

    def _cancelled(self, event: CancelArrived, now: float) -> None:
        session = self._sessions.of_invite(event.key)
        if session is not None:
            self._callee.cancelled(session, event, now)
            return
        waiting = self._sessions.of_offer(event.key)
        if waiting is not None:
            self._offerer.withdrawn(waiting, event.to_tag, now)

    def _stray(self, event: StrayAnswer) -> None:
        """Acknowledge again a 2xx that comes late for a session that is on.

        One for a session that we do not know (any more) is dropped: its sender gives up by itself, and to
        answer it would let anybody make us send requests to a victim.
        """
        response = event.response
        tag = response.to.tag or ""
        found = self._sessions.by_dialog(DialogId(response.call_id, response.from_.tag or "", tag))
        side = found[0].side if found else None
        if found is not None and isinstance(side, Outgoing) and tag in side.acks:
            self._wire.transactions.send_ack(side.acks[tag], found[0].flow)
        else:
            self._wire.counters["stray_answer"] += 1

    def _ended(self, key: TransactionKey) -> None:
        holder = self._wire.ended(key)
        session = self._sessions.get(holder) if holder is not None else None
        if session is not None:
            self._machine.tidy(session)

    def _rang(self, alarm: Alarm, holder: str, now: float) -> None:
        if alarm is Alarm.REFRESH:
            self._registrations.refresh(holder, now)
            return
        session = self._sessions.get(holder)
        assert session is not None  # a session's alarms are cleared when it is forgotten
        match alarm:
            case Alarm.RING if isinstance(session.side, Outgoing):
                self._caller.ring_timeout(session, now)
            case Alarm.RING:
                self._callee.answer_timeout(session, now)
            case Alarm.REMIND:
                self._callee.remind(session, now)
            case Alarm.REPEAT_ANSWER:
                self._callee.repeat_answer(session, now)
            case Alarm.GLARE:
                self._offerer.glare_over(session, now)
            case _:
                assert_never(alarm)

    def _answer_500(self, event: RequestArrived, now: float) -> None:
        try:
            self._wire.answer(Arrival(event.key, event.request, event.flow), 500, now)
        except Exception:
            # It was answered already, or cannot be answered at all; the layer's own timers end it.
            self._wire.counters["internal_error_unanswered"] += 1

    def _fault(self) -> None:
        self._wire.counters["internal_error"] += 1
        self.faults.append(traceback.format_exc())
