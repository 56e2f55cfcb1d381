"""The caller's half of a session: our INVITE and all that comes of it (RFC 3261 sections 13.2 and 9.1).

A proxy may fork our INVITE to many callees (`session_early` hears them ring).  The first 2xx chooses the
session's dialog; every further one is acknowledged and ended at once.  A repeated 2xx means that our ACK was
lost, so it gets the ACK again.  What can be mended is tried once more: a challenge, and a session interval
that was too short.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from gateway.errors import Overload
from gateway.sip.abilities import ALLOW, SUPPORTED
from gateway.sip.authentication import ClientAuthentication, Credentials
from gateway.sip.causes import cause_of_outcome, reason_headers
from gateway.sip.dialog import Dialog
from gateway.sip.events import EndCause, SessionAnswered, SessionId, SessionProgressed
from gateway.sip.flow import Flow
from gateway.sip.headers import Headers, NameAddr
from gateway.sip.message import Request, Response
from gateway.sip.offer_table import OfferState
from gateway.sip.registrar import parse_seconds_untrusted
from gateway.sip.session import Happening, Outgoing, Session, SessionMachine, Sessions, with_headers
from gateway.sip.session_early import EarlyDialogs
from gateway.sip.session_offers import Offerer
from gateway.sip.session_table import Action, SessionInput, SessionState
from gateway.sip.session_timer import LEAST_S, LONGEST_S, SessionTimers
from gateway.sip.transaction import TransactionKey
from gateway.sip.uri import Uri
from gateway.sip.wire import Alarm, Errand, Numbers, Outcome, Purpose, Silence, Wire

__all__ = ["Caller"]

_MAX_ANSWERS: Final = 32
"""Branches of a fork that are acknowledged and ended; nobody makes us send BYEs without end."""
_OWING_S: Final = 32.0
"""How long a late answer may take: the callee gives up waiting for our ACK after 64*T1."""


class Caller:
    """Makes calls."""

    def __init__(
        self,
        wire: Wire,
        sessions: Sessions,
        machine: SessionMachine,
        offerer: Offerer,
        early: EarlyDialogs,
        timers: SessionTimers,
    ) -> None:
        self._wire = wire
        self._early = early
        self._timers = timers
        self._sessions = sessions
        self._machine = machine
        self._offerer = offerer
        machine.register(
            {
                Action.REPORT_PROGRESS: self._report_progress,
                Action.REPORT_ANSWERED: self._report_answered,
                Action.SEND_ACK: self._send_ack,
                Action.SEND_CANCEL: self._send_cancel,
            }
        )

    def invite(
        self,
        *,
        target: Uri,
        flow: Flow,
        from_: NameAddr,
        to: NameAddr,
        sdp: bytes | None,
        headers: Sequence[tuple[str, str]],
        credentials: Credentials | None,
        max_forwards: int,
        now: float,
    ) -> SessionId:
        """Send an INVITE and return the session that it begins.

        Raises:
            Overload: there are as many sessions as there may be.
            LocalError: a header cannot be written.
        """
        wire = self._wire
        if len(self._sessions) >= wire.config.limits.sessions:
            raise Overload("there are as many sessions as there may be")
        tag, call_id, number = wire.ids.token(8), wire.ids.token(16), 1 + wire.ids.number(10_000)
        named = [
            ("From", str(from_.with_tag(tag))),
            ("To", str(to)),
            ("Call-ID", call_id),
            ("CSeq", f"{number} INVITE"),
            ("Max-Forwards", str(max_forwards)),
            wire.contact(flow),
            ("Allow", ALLOW),
            ("Supported", SUPPORTED),
            *self._timers.ask(),
            *headers,
            *([] if sdp is None else [("Content-Type", "application/sdp")]),
        ]
        request = Request("INVITE", target, Headers(named), sdp or b"")
        wire.names.went(request)
        authentication = ClientAuthentication(credentials, wire.ids) if credentials else None
        return self._begin(request, number, call_id, tag, flow, authentication, now)

    def _begin(
        self,
        invite: Request,
        number: int,
        call_id: str,
        tag: str,
        flow: Flow,
        authentication: ClientAuthentication | None,
        now: float,
    ) -> SessionId:
        wire, session_id = self._wire, SessionId(self._wire.ids.token(8))
        numbers = Numbers(number)
        errand = Errand(Purpose.INVITE, session_id, invite, flow, numbers, authentication)
        key = wire.start(errand, now)
        side = Outgoing(wire.errands[key].request, key, call_id, late=not invite.body)
        session = Session(session_id, side, SessionState.CALLING, flow, tag, authentication)
        self._sessions.add(session)
        wire.alarms.set((Alarm.RING, session_id), now + wire.config.limits.ring_timeout_s)
        return session_id

    def outcome(self, errand: Errand, outcome: Outcome, now: float) -> None:
        """Take a response to an INVITE of ours, or that there was none."""
        session = self._sessions.get(errand.holder)
        if session is None:
            return  # it was abandoned after a fault of ours
        _outgoing(session).heard |= isinstance(outcome, Response)
        if isinstance(outcome, Response):
            self._wire.names.heard(outcome)
        if isinstance(outcome, Silence):
            self._fail(session, Happening(now, cause_of_outcome(outcome)))
        elif outcome.call_id != _outgoing(session).call_id or outcome.from_.tag != session.local_tag:
            self._wire.counters["response_of_another_call"] += 1
        elif outcome.status < 200:
            self._early.progress(session, _outgoing(session), outcome, now)
        elif outcome.status < 300:
            self.success(session, outcome, now)
        elif session.state is not SessionState.CALLING or not self._went_again(session, errand, outcome, now):
            self._fail(session, Happening(now, cause_of_outcome(outcome)))

    def success(self, session: Session, response: Response, now: float) -> None:
        """Take a 2xx: the first, a repeated one, or one of another branch of a fork."""
        side = _outgoing(session)
        tag = response.to.tag or ""
        if tag in side.acks:
            self._wire.transactions.send_ack(side.acks[tag], session.flow)
        elif session.dialog is None:
            self._choose(session, response, now)
        elif session.dialog.id.remote_tag != tag and len(side.acks) < _MAX_ANSWERS:
            self._end_fork(session, response, now)

    def heard(self, session: Session) -> bool:
        """Tell whether anything has come back to our INVITE, be it 100."""
        return _outgoing(session).heard

    def ring_timeout(self, session: Session, now: float) -> None:
        """It rang for too long, or our user owes the answer for too long."""
        cause = EndCause(408, "it was not answered in time", "timeout")
        self._machine.step(session, SessionInput.RING_TIMEOUT, Happening(now, cause))

    def _went_again(self, session: Session, errand: Errand, response: Response, now: float) -> bool:
        key = self._wire.retry(errand, response, now) or self._longer(session, errand, response, now)
        if key is None:
            return False
        side = _outgoing(session)
        side.key, side.invite = key, self._wire.errands[key].request
        for tag in list(session.dialogs):
            self._sessions.drop_dialog(session, tag)
        return True

    def _longer(
        self, session: Session, errand: Errand, response: Response, now: float
    ) -> TransactionKey | None:
        """Ask again with the session interval that a 422 wants: once, and only if it is longer (RFC 4028)."""
        side = _outgoing(session)
        least_s = parse_seconds_untrusted(response.headers.get("Min-SE")) or 0
        if response.status != 422 or side.asked_s or not LEAST_S < least_s <= LONGEST_S:
            return None
        side.asked_s = least_s
        headers = errand.request.headers.with_("Session-Expires", str(least_s)).with_("Min-SE", str(least_s))
        return self._wire.again(errand, headers, now)

    def _choose(self, session: Session, response: Response, now: float) -> None:
        """Let the first 2xx choose the session's dialog, with its own route set (section 13.2.2.4)."""
        side, tag = _outgoing(session), response.to.tag or ""
        dialog = session.dialogs.get(tag) or Dialog.of_caller(response)
        for other in [each for each in session.dialogs if each != tag]:
            self._sessions.drop_dialog(session, other)
        dialog.confirm(response)
        session.dialog = dialog
        self._sessions.add_dialog(session, dialog)
        sdp = self._agreed(dialog, side, response)
        happened = SessionInput.SUCCESS
        self._wire.alarms.clear((Alarm.RING, session.id))
        if side.late and sdp and not dialog.offers.answered:
            happened = SessionInput.SUCCESS_WITH_OFFER
            self._wire.alarms.set((Alarm.RING, session.id), now + _OWING_S)
        self._machine.step(session, happened, Happening(now, response=response, sdp=sdp))
        if session.state in (SessionState.ESTABLISHED, SessionState.OWING):
            self._timers.agreed(session, response, now)
        if session.state is SessionState.ESTABLISHED:
            self._settle(session, dialog, now)

    def _agreed(self, dialog: Dialog, side: Outgoing, response: Response) -> bytes | None:
        """Return the answer to our INVITE's offer: what came reliably before stands (RFC 6337 section 3.1)."""
        offers = dialog.offers
        if offers.answered:
            return None if offers.revised or side.late else offers.heard
        offers.heard = self._early.sdp(response) or offers.heard
        offers.said = side.invite.body
        return offers.heard

    def _settle(self, session: Session, dialog: Dialog, now: float) -> None:
        """Close the INVITE's offer; an UPDATE of ours that is under way is another one."""
        if not dialog.offers.answered or dialog.offers.state is OfferState.IDLE:
            self._offerer.settled(dialog, session, now)

    def _end_fork(self, session: Session, response: Response, now: float) -> None:
        """Acknowledge and end what another branch of a fork answered (section 13.2.2.4)."""
        dialog = Dialog.of_caller(response)
        self._acknowledge(session, dialog, None)
        cause = EndCause(200, "Call completed elsewhere", "local")
        bye = with_headers(dialog.request("BYE"), reason_headers(cause))
        errand = Errand(Purpose.FORK_BYE, session.id, bye, session.flow, dialog, session.authentication)
        self._wire.start(errand, now)

    def _fail(self, session: Session, happening: Happening) -> None:
        if self._machine.allows(session, SessionInput.FAILURE):
            self._machine.step(session, SessionInput.FAILURE, happening)

    def _acknowledge(self, session: Session, dialog: Dialog, sdp: bytes | None) -> None:
        side = _outgoing(session)
        ack = self._wire.names.named(dialog.acknowledge(side.invite, sdp))
        side.acks[dialog.id.remote_tag] = ack
        self._wire.transactions.send_ack(ack, session.flow)

    def _send_ack(self, session: Session, happening: Happening) -> None:
        sdp = happening.sdp if _outgoing(session).late and happening.response is None else None
        self._acknowledge(session, session.confirmed, sdp)

    def _send_cancel(self, session: Session, happening: Happening) -> None:
        key = _outgoing(session).key
        self._wire.transactions.cancel(key, happening.now, reason_headers(happening.cause))

    def _report_progress(self, session: Session, happening: Happening) -> None:
        response = happening.response
        assert response is not None  # PROVISIONAL comes with its response
        limit_s = self._wire.config.limits.ring_timeout_s
        self._wire.alarms.set((Alarm.RING, session.id), happening.now + limit_s)
        self._wire.emit(
            SessionProgressed(
                session.id,
                response.status,
                response.reason,
                happening.sdp,
                response.to.tag or "",
                happening.reliable,
            )
        )

    def _report_answered(self, session: Session, happening: Happening) -> None:
        self._wire.emit(SessionAnswered(session.id, happening.sdp, session.confirmed.id.remote_tag))


def _outgoing(session: Session) -> Outgoing:
    assert isinstance(session.side, Outgoing)  # only INVITEs of ours lead here
    return session.side
