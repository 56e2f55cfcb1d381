"""Who hears what: what the transaction layer reports and which alarms ring, handed to whoever they concern.

This is also the *exception wall*.  Whatever one message or one alarm makes our code do wrong is counted,
kept for the log, answered with 500 if it was a request, and over: the next one is handled as if nothing had
happened.
"""

from __future__ import annotations

import traceback
from collections import deque
from collections.abc import Callable, Mapping
from typing import Final, assert_never

from gateway.errors import PeerError
from gateway.ids import IdSource
from gateway.sip.authentication import Authenticator
from gateway.sip.dialog import DialogId
from gateway.sip.doorman import Doorman
from gateway.sip.events import EndCause
from gateway.sip.flow import Flow
from gateway.sip.pings import Pings
from gateway.sip.reception import Reception
from gateway.sip.registrar import Registrar
from gateway.sip.registration import ClientRegistrations
from gateway.sip.session import Outgoing, Session, SessionMachine, Sessions
from gateway.sip.session_callee import Callee
from gateway.sip.session_caller import Caller
from gateway.sip.session_early import EarlyDialogs
from gateway.sip.session_offers import Offerer
from gateway.sip.session_referrals import Referrals
from gateway.sip.session_refresh import Refresher
from gateway.sip.session_requests import SessionRequests
from gateway.sip.session_ringing import Ringer
from gateway.sip.session_snapshot import Adoption
from gateway.sip.session_table import SessionState
from gateway.sip.session_timer import SessionTimers
from gateway.sip.settings import EndpointConfig
from gateway.sip.stranded import Stranded
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
from gateway.sip.wire import Alarm, Arrival, Errand, Outcome, Purpose, Silence, Wire

__all__ = ["Dispatcher"]

_TIMED_OUT: Final = Silence(408, "no answer came in time", "timeout")
_FLOW_FAILED: Final = Silence(503, "the connection failed", "transport")
_FAULTS_KEPT: Final = 16


class Dispatcher:
    """The parts of an engine, and what connects them."""

    def __init__(self, config: EndpointConfig, ids: IdSource) -> None:
        self.faults: deque[str] = deque(maxlen=_FAULTS_KEPT)
        """Tracebacks of what the exception wall stopped."""
        self.wire = wire = Wire(config, ids)
        self.sessions = sessions = Sessions()
        self._machine = machine = SessionMachine(wire, sessions)
        timers = SessionTimers(wire)
        self.offerer = Offerer(wire, sessions, machine, timers)
        self._refresher = Refresher(wire, sessions, machine, self.offerer, timers)
        self._early = EarlyDialogs(wire, sessions, machine, self.offerer)
        self.caller = Caller(wire, sessions, machine, self.offerer, self._early, timers)
        self.ringer = Ringer(wire, machine, self.offerer)
        self.callee = Callee(wire, sessions, machine, self.offerer, self.ringer, timers)
        self.requests = SessionRequests(wire, sessions, machine)
        self.referrals = Referrals(wire, sessions, machine)
        machine.on_end = self.referrals.session_ended
        self.registrar = Registrar(config.limits.registrar)
        self._stranded = Stranded(sessions, self.registrar)
        self.adoption = Adoption(wire, sessions, timers, self._stranded)
        self.registrations = ClientRegistrations(wire)
        self.pings = Pings(wire)
        authenticator = Authenticator(
            realm=config.realm,
            users=config.users,
            algorithms=config.digest_algorithms,
            ids=ids,
            bind_nonces=config.bind_nonces,
            user_of=config.user_of,
        )
        self.doorman = Doorman(config, ids, authenticator, wire.counters)
        self.reception = Reception(
            wire,
            sessions,
            authenticator,
            self.registrar,
            self._stranded,
            self.callee,
            self.offerer,
            self.requests,
            self.referrals,
            self.doorman.knocks,
        )
        self._outcomes = self._listeners()

    def _listeners(self) -> Mapping[Purpose, Callable[[Errand, Outcome, float], None]]:
        """Say who hears what came of each kind of errand."""
        return {
            Purpose.INVITE: self.caller.outcome,
            Purpose.OFFER: self.offerer.outcome,
            Purpose.BYE: self.requests.bye_outcome,
            Purpose.FORK_BYE: self.requests.fork_bye_outcome,
            Purpose.PRACK: self._early.outcome,
            Purpose.REFRESH: self._refresher.outcome,
            Purpose.REFER: self.referrals.refer_outcome,
            Purpose.NOTIFY: self.referrals.notify_outcome,
            Purpose.INFO: self.requests.info_outcome,
            Purpose.REGISTER: self.registrations.outcome,
            Purpose.OPTIONS: self.pings.outcome,
            Purpose.MAPPING: self.reception.mappings.outcome,
        }

    def accept_offer(self, session: Session, sdp: bytes, now: float) -> None:
        """Answer their offer, whichever message brought it.  Raises `LocalError` if there is none."""
        side = session.side
        if isinstance(side, Outgoing) and side.owed is not None and session.dialog is None:
            self._early.answer(session, side, sdp, now)
        else:
            self.offerer.accept(session, sdp, now)

    def settle(self, now: float) -> None:
        """Hand out what the transaction layer reports, until it has nothing more to say."""
        while events := self.wire.transactions.events():
            for event in events:
                self._take(event, now)

    def _take(self, event: TransactionEvent, now: float) -> None:
        try:
            self._hand_out(event, now)
        except PeerError as error:
            self.wire.counters[f"peer_error_{error.status}"] += 1
        except Exception:
            self.fault()
            if isinstance(event, RequestArrived):
                self._answer_500(event, now)
            elif isinstance(event, ResponseArrived | TransactionTimedOut | TransportFailed):
                errand = self.wire.errands.get(event.key)
                self._give_up(errand.holder if errand else "", now)

    def _hand_out(self, event: TransactionEvent, now: float) -> None:
        match event:
            case RequestArrived(key, request, flow):
                self.reception.take(Arrival(key, request, flow), now)
            case AckArrived(_, request, _):
                self.callee.acknowledged(request, now)
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
        if outcome.status >= 200:
            self.wire.awaiting.discard(key)
        errand = self.wire.errands.get(key)
        if errand is not None:
            self._outcomes[errand.purpose](errand, outcome, now)

    def _silence(self, key: TransactionKey, silence: Silence, now: float) -> None:
        """Take it that a transaction ended without its answer, theirs or ours."""
        if key.role == "client":
            self._outcome(key, silence, now)
            return
        session = self.sessions.of_invite(key)
        if session is not None and session.state is SessionState.OFFERED:
            self.callee.gone(session, EndCause(silence.status, silence.reason, silence.by), now)
            return
        waiting = self.sessions.of_offer(key)
        if waiting is not None:
            self.offerer.lapsed(waiting, now)

    def _cancelled(self, event: CancelArrived, now: float) -> None:
        session = self.sessions.of_invite(event.key)
        if session is not None:
            self.callee.cancelled(session, event, now)
            return
        waiting = self.sessions.of_offer(event.key)
        if waiting is not None:
            self.offerer.withdrawn(waiting, event.to_tag, now)

    def _stray(self, event: StrayAnswer) -> None:
        """Acknowledge again a 2xx that comes late for a session that is on.

        One for a session that we do not know (any more) is dropped: its sender gives up by itself, and to
        answer it would let anybody make us send requests to a victim.
        """
        response = event.response
        tag = response.to.tag or ""
        found = self.sessions.by_dialog(DialogId(response.call_id, response.from_.tag or "", tag))
        side = found[0].side if found else None
        if found is not None and isinstance(side, Outgoing) and tag in side.acks:
            self.wire.transactions.send_ack(side.acks[tag], found[0].flow)
        else:
            self.wire.counters["stray_answer"] += 1

    def _ended(self, key: TransactionKey) -> None:
        holder = self.wire.ended(key)
        session = self.sessions.get(holder) if holder is not None else None
        if session is not None:
            self._machine.tidy(session)

    def let_ring(self, now: float) -> None:
        """Let every alarm ring that is due; what goes wrong with one costs no other."""
        for alarm, holder in self.wire.alarms.due(now):
            try:
                self._rang(alarm, holder, now)
            except Exception:
                self.fault()
                self._give_up(holder, now)
        self.reception.report(self.registrar.deadline_reached(now), now)
        self.settle(now)

    def flow_closed(self, flow: Flow, now: float) -> None:
        """Tell everybody on a connection that it has ended."""
        self.wire.transactions.flow_closed(flow, now)
        self.settle(now)
        cause = EndCause(503, "the connection ended", "transport")
        for session in self.sessions.on_flow(flow):
            self.callee.gone(session, cause, now)
        self.registrations.flow_closed(flow)
        self.reception.report(self.registrar.flow_closed(flow), now)
        self._stranded.flow_closed(flow)
        self.settle(now)

    def _rang(self, alarm: Alarm, holder: str, now: float) -> None:
        if alarm is Alarm.REFRESH:
            self.registrations.refresh(holder, now)
            return
        if alarm is Alarm.MAPPING:
            self.reception.mappings.rang(holder, now)
            return
        session = self.sessions.get(holder)
        assert session is not None  # a session's alarms are cleared when it is forgotten
        match alarm:
            case Alarm.RING if isinstance(session.side, Outgoing):
                self.caller.ring_timeout(session, now)
            case Alarm.RING:
                self.callee.answer_timeout(session, now)
            case Alarm.REMIND:
                self.ringer.remind(session, now)
            case Alarm.REPEAT_PROGRESS:
                self.ringer.repeat(session, now)
            case Alarm.SESSION:
                self._refresher.rang(session, now)
            case Alarm.REFERRAL:
                self.referrals.overdue(session, now)
            case Alarm.REPEAT_ANSWER:
                self.callee.repeat_answer(session, now)
            case Alarm.GLARE:
                self.offerer.glare_over(session, now)
            case _:
                assert_never(alarm)

    def _give_up(self, holder: str, now: float) -> None:
        """End a session that a fault of ours may have left without a deadline: it dies, we live."""
        session = self.sessions.get(holder)
        if session is None:
            return
        try:
            self.requests.hang_up(session, EndCause(500, "internal error", "local"), now)
        except Exception:
            self.fault()
        if not self.wire.holds(session.id):
            self._machine.abandon(session)

    def _answer_500(self, event: RequestArrived, now: float) -> None:
        try:
            self.wire.answer(Arrival(event.key, event.request, event.flow), 500, now)
        except Exception:
            # It was answered already, or cannot be answered at all; the layer's own timers end it.
            self.wire.counters["internal_error_unanswered"] += 1

    def fault(self) -> None:
        """Count and keep the exception that is being handled."""
        self.wire.counters["internal_error"] += 1
        self.faults.append(traceback.format_exc())
