"""Changing a session that is on: re-INVITE in both roles, UPDATE as it arrives (RFC 3261 14, RFC 3311).

`offer_table.OFFERS` decides who may offer; this is what follows from it.  An offer of ours that has to wait
is kept, and the latest one counts: what our user asks for is the state the session shall have, not a list
of steps.  Glare is tried again once after its pause, a refusal leaves the session as it was, and only 481
and 408 end it (RFC 5057).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from gateway.errors import LocalError, PeerError
from gateway.sip.bodies import session_description
from gateway.sip.causes import cause_of
from gateway.sip.dialog import Dialog
from gateway.sip.events import EndCause, OfferAnswered, OfferReceived, OfferRefused, OfferWithdrawn
from gateway.sip.message import Response
from gateway.sip.offer_table import OFFERS, OfferInput, OfferReaction, OfferState
from gateway.sip.registrar import parse_seconds_untrusted
from gateway.sip.session import Happening, Session, SessionMachine, Sessions, Unacked
from gateway.sip.session_table import SessionInput, SessionState
from gateway.sip.wire import ALLOW, Alarm, Arrival, Errand, Outcome, Purpose, Silence, Wire

__all__ = ["Offerer"]

_T1_S: Final = 0.5
_GIVE_UP_S: Final = 64 * _T1_S
_LONGEST_RETRY_S: Final = 10


class Offerer:
    """Offers and answers within sessions."""

    def __init__(self, wire: Wire, sessions: Sessions, machine: SessionMachine) -> None:
        self._wire = wire
        self._sessions = sessions
        self._machine = machine

    def reoffer(self, session: Session, sdp: bytes, now: float) -> None:
        """Offer `sdp` by re-INVITE, now or as soon as that is allowed.

        Raises `LocalError` when the session is over or only just begins.
        """
        if session.state not in (SessionState.ANSWERED, SessionState.ESTABLISHED):
            raise LocalError("only a session that is on can be changed")
        match OFFERS[session.offers.state, OfferInput.WE_OFFER]:
            case OfferReaction.SEND:
                session.offers.retried = False
                self._send(session, sdp, now)
            case _:
                session.offers.queued = sdp

    def arrived(self, session: Session, dialog: Dialog, arrival: Arrival, now: float) -> None:
        """Take a re-INVITE or UPDATE.  Raises `PeerError` with the status to refuse it with."""
        if session.state in (SessionState.CANCELLED, SessionState.LEAVING, SessionState.CLOSING):
            raise PeerError("the session is over", status=481)
        request = arrival.request
        sdp = session_description(request)
        if request.method == "UPDATE" and sdp is None:
            self._accept_refresh(session, dialog, arrival, now)
            return
        offers = session.offers
        match OFFERS[offers.state, OfferInput.THEY_OFFER]:
            case OfferReaction.ASK_USER:
                if offers.state is OfferState.GLARE:
                    offers.queued = offers.queued or offers.ours
                    self._wire.alarms.clear((Alarm.GLARE, session.id))
                offers.state, offers.theirs = OfferState.THEIRS, arrival
                self._wire.emit(OfferReceived(session.id, sdp))
            case OfferReaction.SAY_500:
                retry_after = ("Retry-After", str(self._wire.ids.number(_LONGEST_RETRY_S + 1)))
                self._wire.answer(arrival, 500, now, headers=[retry_after])
            case _:
                self._wire.answer(arrival, 491, now)

    def accept(self, session: Session, sdp: bytes, now: float) -> None:
        """Answer their offer; to an empty re-INVITE, or to their late offer, `sdp` is our offer or answer.

        Raises `LocalError` if there is none (any more).
        """
        if session.state is SessionState.OWING:
            self._machine.step(session, SessionInput.ANSWER, Happening(now, sdp=sdp))
            self._wire.alarms.clear((Alarm.RING, session.id))
            self.settled(session, now)
            return
        arrival = self._take_theirs(session)
        dialog = session.confirmed
        dialog.refresh_target(arrival.request)
        session.flow = arrival.flow
        if arrival.request.method == "INVITE":
            late = session_description(arrival.request) is None
            self.send_200(session, arrival, sdp, now, late=late)
        else:
            self._wire.answer(arrival, 200, now, headers=self._named(session), body=sdp)
            self.settled(session, now)

    def refuse(self, session: Session, status: int, now: float) -> None:
        """Refuse their offer; the session stays as it was.  Raises `LocalError` if there is none."""
        if not 300 <= status < 700:
            raise LocalError("an offer is refused with 300-699")
        self._wire.answer(self._take_theirs(session), status, now)
        self.settled(session, now)

    def send_200(self, session: Session, arrival: Arrival, sdp: bytes, now: float, *, late: bool) -> None:
        """Send the 200 to an INVITE or re-INVITE, again and again until its ACK."""
        response = self._wire.answer(
            arrival, 200, now, to_tag=session.local_tag, headers=self._named(session), body=sdp
        )
        session.offers.state = OfferState.UNACKED
        session.unacked = Unacked(arrival, response, late, _T1_S, now + _GIVE_UP_S)
        self._wire.alarms.set((Alarm.REPEAT_ANSWER, session.id), now + _T1_S)

    def settled(self, session: Session, now: float) -> None:
        """Note that no offer is open any more, and send the one that waits."""
        offers = session.offers
        offers.state, offers.theirs = OfferState.IDLE, None
        if offers.queued is not None and session.state is SessionState.ESTABLISHED:
            sdp, offers.queued = offers.queued, None
            offers.retried = False
            self._send(session, sdp, now)

    def withdrawn(self, session: Session, arrival_tag: str, now: float) -> None:
        """Take the CANCEL of their re-INVITE."""
        arrival = self._take_theirs(session)
        self._wire.answer(arrival, 487, now, to_tag=arrival_tag)
        self._wire.emit(OfferWithdrawn(session.id))
        self.settled(session, now)

    def lapsed(self, session: Session, now: float) -> None:
        """Note that their re-INVITE ended without an answer of ours."""
        self._take_theirs(session)
        self._wire.emit(OfferWithdrawn(session.id))
        self.settled(session, now)

    def glare_over(self, session: Session, now: float) -> None:
        """Try again after the pause: with the latest wish, if there is one."""
        offers = session.offers
        if offers.state is OfferState.GLARE and session.state is SessionState.ESTABLISHED:
            sdp, offers.queued = offers.queued or offers.ours, None
            self._send(session, sdp, now)

    def outcome(self, errand: Errand, outcome: Outcome, now: float) -> None:
        """Take a response to a re-INVITE of ours, or that there was none."""
        session = self._sessions.get(errand.holder)
        if session is None:
            return  # it was abandoned after a fault of ours
        if isinstance(outcome, Response) and outcome.status < 300:
            if outcome.status >= 200:
                self._succeeded(session, errand, outcome, now)
            return
        if session.state is not SessionState.ESTABLISHED:
            return
        if self._wire.retry(errand, outcome, now) is None:
            self._failed(session, outcome, now)

    def _succeeded(self, session: Session, errand: Errand, response: Response, now: float) -> None:
        """Acknowledge a 2xx, in every state: even when we are hanging up, the peer waits for its ACK."""
        if session.last_ack is not None and session.last_ack[0] == errand.number:
            self._wire.transactions.send_ack(session.last_ack[1], session.flow)
            return
        dialog = session.confirmed
        dialog.refresh_target(response)
        ack = dialog.acknowledge(errand.request)
        session.last_ack = (errand.number, ack)
        self._wire.transactions.send_ack(ack, session.flow)
        if session.state is SessionState.ESTABLISHED:
            self._wire.emit(OfferAnswered(session.id, self._sdp(response)))
            self.settled(session, now)

    def _failed(self, session: Session, outcome: Outcome, now: float) -> None:
        offers = session.offers
        status = outcome.status
        pause_s = None if offers.retried else self._pause_s(session, outcome)
        if status in (408, 481):
            cause = self._cause(outcome)
            self._machine.step(session, SessionInput.LOST, Happening(now, cause))
        elif pause_s is not None:
            offers.state, offers.retried = OfferState.GLARE, True
            self._wire.alarms.set((Alarm.GLARE, session.id), now + pause_s)
        else:
            self._wire.emit(OfferRefused(session.id, status))
            self.settled(session, now)

    def _pause_s(self, session: Session, outcome: Outcome) -> float | None:
        """Return how long to wait before a second try; None if the refusal is not about timing."""
        if isinstance(outcome, Silence) or outcome.status not in (491, 500):
            return None
        ids = self._wire.ids
        # Section 14.1: two bands that do not meet, in steps of 10 ms.
        band_s = 2.1 + 0.01 * ids.number(191) if session.confirmed.owns_call_id else 0.01 * ids.number(201)
        if outcome.status == 491:
            return band_s
        asked_s = parse_seconds_untrusted(outcome.headers.get("Retry-After"))
        return None if asked_s is None or asked_s > _LONGEST_RETRY_S else asked_s + band_s

    def _cause(self, outcome: Outcome) -> EndCause:
        if isinstance(outcome, Silence):
            return EndCause(outcome.status, outcome.reason, outcome.by)
        return cause_of(outcome, status=outcome.status, reason=outcome.reason)

    def _send(self, session: Session, sdp: bytes, now: float) -> None:
        dialog = session.confirmed
        request = dialog.request("INVITE")
        headers = request.headers
        for name, value in (*self._named(session), ("Content-Type", "application/sdp")):
            headers = headers.plus(name, value)
        errand = Errand(
            Purpose.OFFER,
            session.id,
            replace(request, headers=headers, body=sdp),
            session.flow,
            dialog,
            session.authentication,
        )
        session.offers.state, session.offers.ours = OfferState.OURS, sdp
        self._wire.start(errand, now)

    def _accept_refresh(self, session: Session, dialog: Dialog, arrival: Arrival, now: float) -> None:
        dialog.refresh_target(arrival.request)
        session.flow = arrival.flow
        self._wire.answer(arrival, 200, now, headers=self._named(session))

    def _take_theirs(self, session: Session) -> Arrival:
        arrival = session.offers.theirs
        if arrival is None or session.state not in (SessionState.ESTABLISHED, SessionState.ANSWERED):
            raise LocalError("no offer of the peer is waiting")
        session.offers.theirs = None
        return arrival

    def _named(self, session: Session) -> list[tuple[str, str]]:
        return [self._wire.contact(session.flow), ("Allow", ALLOW)]

    def _sdp(self, response: Response) -> bytes | None:
        try:
            return session_description(response)
        except PeerError:
            self._wire.counters["response_body_unusable"] += 1
            return None
