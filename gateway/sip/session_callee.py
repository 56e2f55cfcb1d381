"""The callee's half of a session: their INVITE until its ACK (RFC 3261 sections 13.3, 9.2 and 14.2).

Our 200 is not made reliable by the transaction but by us: it is sent again after T1, then at twice the
interval up to T2, over TCP too, until the ACK comes or 64*T1 have passed; then the session is ended with
BYE.  The same serves the 200 to a re-INVITE.  What is said before it stands in `session_ringing`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from gateway.errors import LocalError, Overload, PeerError
from gateway.sip.bodies import SDP, media_type, session_description
from gateway.sip.causes import cause_of
from gateway.sip.dialog import Dialog
from gateway.sip.events import EndCause, OfferAnswered, SessionConfirmed, SessionId, SessionOffered
from gateway.sip.message import REASONS, Request
from gateway.sip.session import Happening, Incoming, Session, SessionMachine, Sessions
from gateway.sip.session_offers import Offerer
from gateway.sip.session_ringing import Ringer
from gateway.sip.session_table import Action, SessionInput, SessionState
from gateway.sip.session_timer import SessionTimers
from gateway.sip.transaction import CancelArrived
from gateway.sip.wire import Alarm, Arrival, Wire

__all__ = ["Callee"]

_T2_S: Final = 4.0
_ACCEPTABLE: Final = frozenset({SDP, "application/*", "*/*"})
_BROWSERS: Final = frozenset({"ws", "wss"})


class Callee:
    """Takes calls."""

    def __init__(
        self,
        wire: Wire,
        sessions: Sessions,
        machine: SessionMachine,
        offerer: Offerer,
        ringer: Ringer,
        timers: SessionTimers,
    ) -> None:
        self._wire = wire
        self._timers = timers
        self._ringer = ringer
        self._sessions = sessions
        self._machine = machine
        self._offerer = offerer
        machine.register(
            {
                Action.SEND_ANSWER: self._send_answer,
                Action.SEND_REFUSAL: self._send_refusal,
                Action.REPORT_CONFIRMED: self._report_confirmed,
            }
        )

    def offered(
        self, arrival: Arrival, *, user: str | None, trusted: bool, replaces: SessionId | None, now: float
    ) -> None:
        """Begin a session with an INVITE of somebody whom we know.

        Raises:
            PeerError: 482 for an INVITE of our own, 406 if it takes no SDP, 400 without a Contact, 415 with a body
                that we do not understand, 422 with too short a session interval.
            Overload: there are as many sessions as there may be, in all or of one address.
        """
        wire, request = self._wire, arrival.request
        if self._sessions.is_ours(request):
            raise PeerError("our own INVITE came back", status=482)
        if not _takes_sdp(request):
            raise PeerError("it takes no session description for an answer", status=406)
        sdp = session_description(request)
        self._timers.check(request)
        limits, source = wire.config.limits, arrival.flow.remote[0]
        if len(self._sessions) >= limits.sessions:
            raise Overload("there are as many sessions as there may be")
        if not trusted and self._sessions.n_from(source) >= limits.sessions_per_source:
            raise Overload("this address has as many sessions as it may have")
        tag = wire.ids.token(8)
        dialog = Dialog.of_callee(request, tag, wire.ids.number(10_000))
        session = Session(
            SessionId(wire.ids.token(8)),
            Incoming(arrival, user, late=sdp is None),
            SessionState.OFFERED,
            arrival.flow,
            tag,
            dialog=dialog,
        )
        dialog.offers.heard = sdp
        self._sessions.add(session)
        self._sessions.add_dialog(session, dialog)
        request = wire.names.came(request)
        wire.alarms.set((Alarm.RING, session.id), now + wire.config.limits.answer_timeout_s)
        wire.emit(SessionOffered(session.id, request, arrival.flow, user, trusted, sdp, replaces))

    def answer(self, session: Session, sdp: bytes, now: float) -> None:
        """Send the 200, once a reliable answer before it has arrived (RFC 3262 section 3).

        Raises `LocalError` if their INVITE does not wait for it any more.
        """
        if session.state is not SessionState.OFFERED:
            raise LocalError("the session is not waiting to be answered")
        side = _incoming(session)
        if side.said is not None and side.said.sdp is not None:
            side.held = sdp
        else:
            self._machine.step(session, SessionInput.ANSWER, Happening(now, sdp=sdp))

    def pracked(self, session: Session, dialog: Dialog, arrival: Arrival, now: float) -> None:
        """Take a PRACK, and send the 200 that waited for it.  Raises `PeerError` with how to refuse it."""
        self._ringer.pracked(session, dialog, arrival, now)
        side = _incoming(session)
        if side.held is not None and session.state is SessionState.OFFERED:
            self.answer(session, side.held, now)

    def reject(
        self,
        session: Session,
        status: int,
        reason: str | None,
        headers: Sequence[tuple[str, str]],
        now: float,
    ) -> None:
        """Refuse their INVITE.  Raises `LocalError` if it is answered already, or `status` is no refusal."""
        if session.state is not SessionState.OFFERED or not 300 <= status < 700:
            raise LocalError("only a waiting INVITE can be refused, with 300-699")
        cause = EndCause(status, REASONS.get(status, "") if reason is None else reason, "local")
        happening = Happening(now, cause, refusal=status, headers=tuple(headers))
        self._machine.step(session, SessionInput.HANG_UP, happening)

    def cancelled(self, session: Session, event: CancelArrived, now: float) -> None:
        """Take the CANCEL of their INVITE."""
        if self._machine.allows(session, SessionInput.CANCEL):
            cause = cause_of(event.request, status=487, reason="the caller hung up")
            happening = Happening(now, cause, refusal=487, to_tag=event.to_tag)
            self._machine.step(session, SessionInput.CANCEL, happening)

    def answer_timeout(self, session: Session, now: float) -> None:
        """Nobody here took the call."""
        cause = EndCause(480, "nobody answered in time", "timeout")
        self._machine.step(session, SessionInput.RING_TIMEOUT, Happening(now, cause, refusal=480))

    def gone(self, session: Session, cause: EndCause, now: float) -> None:
        """Take it that their INVITE cannot be answered, or not be acknowledged, any more."""
        if self._machine.allows(session, SessionInput.GONE):
            self._machine.step(session, SessionInput.GONE, Happening(now, cause))

    def acknowledged(self, ack: Request, now: float) -> None:
        """Take the ACK to a 200 of ours; one that fits none is ignored, as ACKs are never answered."""
        found = self._sessions.of_dialog(ack)
        unacked = found[0].unacked if found else None
        if found is None or unacked is None or unacked.arrival.request.cseq.number != ack.cseq.number:
            self._wire.counters["ack_unmatched"] += 1
            return
        session = found[0]
        sdp = self._sdp(ack) if unacked.late else None
        if unacked.late:
            session.confirmed.offers.heard = sdp
        if session.state is SessionState.ESTABLISHED:
            self._stop_repeating(session)
            if unacked.late:
                self._wire.emit(OfferAnswered(session.id, sdp))
        else:
            self._machine.step(session, SessionInput.ACK, Happening(now, sdp=sdp))
        if session.state is SessionState.ESTABLISHED:
            self._offerer.settled(session.confirmed, session, now)
            if unacked.late and sdp is None:
                cause = EndCause(488, "the ACK brought no answer to our offer", "remote", 65)
                self._machine.step(session, SessionInput.HANG_UP, Happening(now, cause))

    def repeat_answer(self, session: Session, now: float) -> None:
        """Send the 200 again, or give up."""
        unacked = session.unacked
        if unacked is None:
            return
        if now >= unacked.until:
            self._stop_repeating(session)
            cause = EndCause(408, "our 200 was never acknowledged", "timeout")
            self._machine.step(session, SessionInput.NO_ACK, Happening(now, cause))
            return
        self._wire.transactions.send_response(unacked.arrival.key, unacked.response, now)
        unacked.interval_s = min(2 * unacked.interval_s, _T2_S)
        at = min(now + unacked.interval_s, unacked.until)
        self._wire.alarms.set((Alarm.REPEAT_ANSWER, session.id), at)

    def _send_answer(self, session: Session, happening: Happening) -> None:
        side = _incoming(session)
        for alarm in (Alarm.RING, Alarm.REMIND):
            self._wire.alarms.clear((alarm, session.id))
        self._ringer.stop(session, happening.now)
        answered = session.confirmed.offers.answered
        # Browsers want the answer in the 200 whatever came before it; all others are told it once.
        sdp = b"" if answered and session.flow.transport not in _BROWSERS else happening.sdp or b""
        late = side.late and not answered
        self._offerer.send_200(session, side.arrival, sdp, happening.now, late=late)

    def _send_refusal(self, session: Session, happening: Happening) -> None:
        cause = happening.cause
        assert cause is not None  # every input that leads here comes with its cause
        self._ringer.stop(session, happening.now)
        reason = cause.reason if cause.by == "local" and cause.status == happening.refusal else None
        self._wire.answer(
            _incoming(session).arrival,
            happening.refusal,
            happening.now,
            reason=reason or None,
            to_tag=happening.to_tag or session.local_tag,
            headers=happening.headers,
        )

    def _report_confirmed(self, session: Session, happening: Happening) -> None:
        self._wire.emit(SessionConfirmed(session.id, happening.sdp))

    def _stop_repeating(self, session: Session) -> None:
        session.unacked = None
        self._wire.alarms.clear((Alarm.REPEAT_ANSWER, session.id))

    def _sdp(self, ack: Request) -> bytes | None:
        try:
            return session_description(ack)
        except PeerError:
            self._wire.counters["ack_body_unusable"] += 1
            return None


def _takes_sdp(request: Request) -> bool:
    """Tell whether an INVITE's Accept allows the only kind of answer that we have (RFC 3261 section 20.1)."""
    accepted = request.headers.all("Accept")
    return not accepted or any(media_type(each) in _ACCEPTABLE for each in accepted)


def _incoming(session: Session) -> Incoming:
    assert isinstance(session.side, Incoming)  # only INVITEs of theirs lead here
    return session.side
