"""Changing a session: re-INVITE and UPDATE in both roles (RFC 3261 section 14, RFC 3311).

`offer_table.OFFERS` decides who may offer; this is what follows from it.  Before the INVITE has its final
response an offer travels by UPDATE and only after the INVITE's own offer was answered reliably; afterwards
by re-INVITE, which may ask a person.  An offer of ours that has to wait is kept, and the latest one counts:
what our user asks for is the state the session shall have, not a list of steps.  Glare is tried again once
after its pause, a refusal leaves the session as it was, and only 481 and 408 end it (RFC 5057).
"""

from __future__ import annotations

from typing import Final

from gateway.errors import LocalError, PeerError
from gateway.sip.abilities import ALLOW, SUPPORTED
from gateway.sip.bodies import session_description
from gateway.sip.causes import cause_of_outcome
from gateway.sip.dialog import Dialog
from gateway.sip.events import OfferAnswered, OfferReceived, OfferRefused, OfferWithdrawn
from gateway.sip.message import Request, Response
from gateway.sip.offer_table import OFFERS, OfferInput, OfferReaction, OfferState
from gateway.sip.registrar import parse_seconds_untrusted
from gateway.sip.session import Happening, Session, SessionMachine, Sessions, Unacked, with_headers
from gateway.sip.session_table import SessionInput, SessionState
from gateway.sip.session_timer import SessionTimers
from gateway.sip.wire import Alarm, Arrival, Errand, Outcome, Purpose, Silence, Wire

__all__ = ["Offerer"]

_T1_S: Final = 0.5
_GIVE_UP_S: Final = 64 * _T1_S
_LONGEST_RETRY_S: Final = 10
_OVER: Final = (SessionState.CANCELLED, SessionState.LEAVING, SessionState.CLOSING, SessionState.ENDED)
_ON: Final = (SessionState.ANSWERED, SessionState.ESTABLISHED)
_EARLY: Final = (SessionState.CALLING, SessionState.OFFERED)


class Offerer:
    """Offers and answers within sessions."""

    def __init__(
        self, wire: Wire, sessions: Sessions, machine: SessionMachine, timers: SessionTimers
    ) -> None:
        self._wire = wire
        self._sessions = sessions
        self._machine = machine
        self._timers = timers

    # what our user does

    def reoffer(self, session: Session, sdp: bytes, now: float) -> None:
        """Offer `sdp`, now or as soon as that is allowed.

        Raises `LocalError` when the session is over, or has no first agreement that could be changed.
        """
        dialog = _changeable(session)
        reaction = OFFERS[dialog.offers.state, OfferInput.WE_OFFER]
        if reaction is OfferReaction.SEND and _may_offer(session, dialog):
            dialog.offers.retried = False
            self._send(session, dialog, sdp, now)
        else:
            dialog.offers.queued = sdp

    def repeat(self, session: Session, now: float) -> None:
        """Refresh the session by offering to the letter what the peer knows already."""
        dialog = session.confirmed
        self._send(session, dialog, dialog.offers.said, now, purpose=Purpose.REFRESH)

    def accept(self, session: Session, sdp: bytes, now: float) -> None:
        """Answer their offer; to an empty re-INVITE, or to their late offer, `sdp` is our offer or answer.

        Raises `LocalError` if there is none (any more).
        """
        if session.state is SessionState.OWING:
            session.confirmed.offers.said = sdp
            self._machine.step(session, SessionInput.ANSWER, Happening(now, sdp=sdp))
            self._wire.alarms.clear((Alarm.RING, session.id))
            self.settled(session.confirmed, session, now)
            return
        dialog = _with_their_offer(session)
        arrival = self._take_theirs(dialog)
        session.flow = arrival.flow
        offers = dialog.offers
        offers.heard = session_description(arrival.request)
        if arrival.request.method == "INVITE":
            dialog.refresh_target(arrival.request)
            self.send_200(session, arrival, sdp, now, late=offers.heard is None)
            return
        headers = self.named(session)
        if arrival.request.method == "UPDATE":
            dialog.refresh_target(arrival.request)
            headers += self._timer(session, arrival, now)
        self._wire.answer(arrival, 200, now, headers=headers, body=sdp)
        offers.said, offers.revised = sdp, True
        self.settled(dialog, session, now)

    def refuse(self, session: Session, status: int, now: float) -> None:
        """Refuse their offer; the session stays as it was.  Raises `LocalError` if there is none."""
        if not 300 <= status < 700:
            raise LocalError("an offer is refused with 300-699")
        dialog = _with_their_offer(session)
        self._wire.answer(self._take_theirs(dialog), status, now)
        self.settled(dialog, session, now)

    # what the peer does

    def arrived(self, session: Session, dialog: Dialog, arrival: Arrival, now: float) -> None:
        """Take a re-INVITE, an UPDATE, or a PRACK with an offer.

        Raises `PeerError` with the status to refuse it with.
        """
        if session.state in _OVER:
            raise PeerError("the session is over", status=481)
        request = arrival.request
        sdp = session_description(request)
        if request.method == "UPDATE" and sdp is None:
            self._accept_refresh(session, dialog, arrival, now)
            return
        offers = dialog.offers
        match _reaction(session, request, offers.state):
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

    def send_200(self, session: Session, arrival: Arrival, sdp: bytes, now: float, *, late: bool) -> None:
        """Send the 200 to an INVITE or re-INVITE, again and again until its ACK."""
        offers = session.confirmed.offers
        headers = self.named(session) + self._timer(session, arrival, now)
        response = self._wire.answer(arrival, 200, now, to_tag=session.local_tag, headers=headers, body=sdp)
        offers.said = sdp or offers.said
        if offers.theirs is None:
            offers.state = OfferState.UNACKED
        session.unacked = Unacked(arrival, response, late, _T1_S, now + _GIVE_UP_S)
        self._wire.alarms.set((Alarm.REPEAT_ANSWER, session.id), now + _T1_S)

    def settled(self, dialog: Dialog, session: Session, now: float) -> None:
        """Note that no offer is open any more, and send the one that waits."""
        offers = dialog.offers
        if offers.theirs is not None:
            return  # an UPDATE of theirs came meanwhile and waits for our user
        offers.state = OfferState.IDLE
        if offers.queued is not None and _may_offer(session, dialog):
            sdp, offers.queued = offers.queued, None
            offers.retried = False
            self._send(session, dialog, sdp, now)

    def withdrawn(self, session: Session, arrival_tag: str, now: float) -> None:
        """Take the CANCEL of their re-INVITE."""
        dialog = _with_their_offer(session)
        self._wire.answer(self._take_theirs(dialog), 487, now, to_tag=arrival_tag)
        self._wire.emit(OfferWithdrawn(session.id))
        self.settled(dialog, session, now)

    def lapsed(self, session: Session, now: float) -> None:
        """Note that their offer ended without an answer of ours."""
        dialog = _with_their_offer(session)
        self._take_theirs(dialog)
        self._wire.emit(OfferWithdrawn(session.id))
        self.settled(dialog, session, now)

    # what comes of our offers

    def glare_over(self, session: Session, now: float) -> None:
        """Try again after the pause: with the latest wish, if there is one."""
        for dialog in session.dialogs.values():
            offers = dialog.offers
            if offers.state is OfferState.GLARE and _may_offer(session, dialog):
                sdp, offers.queued = offers.queued or offers.ours, None
                self._send(session, dialog, sdp, now)

    def outcome(self, errand: Errand, outcome: Outcome, now: float) -> None:
        """Take a response to a re-INVITE or UPDATE of ours, or that there was none."""
        session = self._sessions.get(errand.holder)
        if session is None:
            return  # it was abandoned after a fault of ours
        if isinstance(outcome, Response) and outcome.status < 300:
            if outcome.status >= 200:
                self.succeeded(session, errand, outcome, now)
            return
        if session.state in (*_ON, *_EARLY) and self._wire.retry(errand, outcome, now) is None:
            self._failed(session, _dialog(errand), outcome, now)

    def succeeded(self, session: Session, errand: Errand, response: Response, now: float) -> None:
        """Take a 2xx, and acknowledge it in every state: even a peer that we leave waits for its ACK.

        What a refresh brings is reported only if it is news.
        """
        if errand.request.method == "INVITE":
            if session.last_ack is not None and session.last_ack[0] == errand.number:
                self._wire.transactions.send_ack(session.last_ack[1], session.flow)
                return
            ack = self._wire.names.named(_dialog(errand).acknowledge(errand.request))
            session.last_ack = (errand.number, ack)
            self._wire.transactions.send_ack(ack, session.flow)
        if session.state in (*_ON, *_EARLY):
            self._agreed(session, errand, response, now)

    def _agreed(self, session: Session, errand: Errand, response: Response, now: float) -> None:
        dialog, sdp = _dialog(errand), self._sdp(response)
        dialog.refresh_target(response)
        offers = dialog.offers
        is_news = errand.purpose is Purpose.OFFER or sdp != offers.heard
        offers.said, offers.heard, offers.revised = offers.ours, sdp, True
        if dialog is session.dialog and session.state is SessionState.ESTABLISHED:
            self._timers.agreed(session, response, now)
        if is_news:
            self._wire.emit(OfferAnswered(session.id, sdp))
        self.settled(dialog, session, now)

    def _failed(self, session: Session, dialog: Dialog, outcome: Outcome, now: float) -> None:
        offers = dialog.offers
        status = outcome.status
        pause_s = None if offers.retried else self._pause_s(dialog, outcome)
        if status in (408, 481) and self._machine.allows(session, SessionInput.LOST):
            self._machine.step(session, SessionInput.LOST, Happening(now, cause_of_outcome(outcome)))
        elif pause_s is not None:
            offers.state, offers.retried = OfferState.GLARE, True
            self._wire.alarms.set((Alarm.GLARE, session.id), now + pause_s)
        else:
            self._wire.emit(OfferRefused(session.id, status))
            self.settled(dialog, session, now)

    def _pause_s(self, dialog: Dialog, outcome: Outcome) -> float | None:
        """Return how long to wait before a second try; None if the refusal is not about timing."""
        if isinstance(outcome, Silence) or outcome.status not in (491, 500):
            return None
        ids = self._wire.ids
        # Section 14.1: two bands that do not meet, in steps of 10 ms.
        band_s = 2.1 + 0.01 * ids.number(191) if dialog.owns_call_id else 0.01 * ids.number(201)
        if outcome.status == 491:
            return band_s
        asked_s = parse_seconds_untrusted(outcome.headers.get("Retry-After"))
        return None if asked_s is None or asked_s > _LONGEST_RETRY_S else asked_s + band_s

    def _send(
        self, session: Session, dialog: Dialog, sdp: bytes, now: float, *, purpose: Purpose = Purpose.OFFER
    ) -> None:
        early = session.state in _EARLY
        headers = self.named(session) + ([] if early else self._timers.ask_again(session))
        request = with_headers(dialog.request("UPDATE" if early else "INVITE"), headers, sdp)
        dialog.offers.state, dialog.offers.ours = OfferState.OURS, sdp
        errand = Errand(purpose, session.id, request, session.flow, dialog, session.authentication)
        self._wire.start(errand, now)

    def _accept_refresh(self, session: Session, dialog: Dialog, arrival: Arrival, now: float) -> None:
        dialog.refresh_target(arrival.request)
        session.flow = arrival.flow
        headers = self.named(session) + self._timer(session, arrival, now)
        self._wire.answer(arrival, 200, now, headers=headers)

    def named(self, session: Session) -> list[tuple[str, str]]:
        """Return the headers by which the peer knows where we are and what we can do."""
        return [self._wire.contact(session.flow), ("Allow", ALLOW), ("Supported", SUPPORTED)]

    def _timer(self, session: Session, arrival: Arrival, now: float) -> list[tuple[str, str]]:
        """Return the headers that settle the session timer, where a 2xx of ours settles it."""
        if arrival.request.method == "UPDATE" and session.state in _EARLY:
            return []
        return self._timers.accept(session, arrival.request, now)

    def _take_theirs(self, dialog: Dialog) -> Arrival:
        arrival = dialog.offers.theirs
        assert arrival is not None  # whoever asks has found a dialog with an offer
        dialog.offers.theirs = None
        return arrival

    def _sdp(self, response: Response) -> bytes | None:
        try:
            return session_description(response)
        except PeerError:
            self._wire.counters["response_body_unusable"] += 1
            return None


def _dialog(errand: Errand) -> Dialog:
    assert isinstance(errand.numbers, Dialog)  # offers are made in dialogs only
    return errand.numbers


def _reaction(session: Session, request: Request, state: OfferState) -> OfferReaction:
    """Return what becomes of their offer; a second INVITE before the first is answered has its own rule."""
    if request.method == "INVITE" and session.state in _EARLY:
        return OfferReaction.SAY_491 if session.state is SessionState.CALLING else OfferReaction.SAY_500
    return OFFERS[state, OfferInput.THEY_OFFER]


def _may_offer(session: Session, dialog: Dialog) -> bool:
    """Tell whether an offer can leave now: by re-INVITE, or in an early dialog by UPDATE."""
    if session.state in _EARLY:
        return dialog.offers.answered and "UPDATE" in dialog.abilities.methods
    return session.state is SessionState.ESTABLISHED


def _changeable(session: Session) -> Dialog:
    if session.state in _ON:
        return session.confirmed
    early = [dialog for dialog in session.dialogs.values() if dialog.offers.answered]
    if session.state in _EARLY and early:
        return early[-1]
    raise LocalError("only a session with a first agreement can be changed")


def _with_their_offer(session: Session) -> Dialog:
    waiting = [dialog for dialog in session.dialogs.values() if dialog.offers.theirs is not None]
    if not waiting or session.state in _OVER:
        raise LocalError("no offer of the peer is waiting")
    return waiting[0]
