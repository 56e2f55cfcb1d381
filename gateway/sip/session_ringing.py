"""What a callee says before it answers: provisional responses, sent once or until their PRACK (RFC 3262).

A provisional response goes reliably if the caller requires it, or if the caller is able and it carries our
description: early media that only one side knows of is the classic of one-way ringback.  The description in
a reliable response *is* the answer (or, to an INVITE without one, the offer), so it is said once, and a 200
that would overtake it waits for its PRACK.  `reliable_table.RELIABLE` says the rest.
"""

from __future__ import annotations

from typing import Final

from gateway.errors import LocalError, PeerError
from gateway.sip.abilities import ALLOW, SUPPORTED, requires
from gateway.sip.bodies import session_description
from gateway.sip.dialog import Dialog
from gateway.sip.events import EndCause, OfferAnswered
from gateway.sip.grammar import LWS
from gateway.sip.headers import MAX_CSEQ
from gateway.sip.message import Request
from gateway.sip.offer_table import OfferState
from gateway.sip.registrar import parse_seconds_untrusted
from gateway.sip.reliable_table import RELIABLE, ReliableInput, ReliableReaction
from gateway.sip.session import Happening, Incoming, SaidEarly, Session, SessionMachine
from gateway.sip.session_offers import Offerer
from gateway.sip.session_table import SessionInput, SessionState
from gateway.sip.wire import Alarm, Arrival, Wire

__all__ = ["Ringer", "parse_rack_untrusted"]

_T1_S: Final = 0.5
_GIVE_UP_S: Final = 64 * _T1_S
_REMIND_S: Final = 60.0
_RSEQ_BELOW: Final = 2**31 - 10_000
"""The first RSeq is chosen below this, so that none of a session reaches 2^31 (RFC 3262 section 3)."""


def parse_rack_untrusted(request: Request) -> tuple[int, int, str]:
    """Return RSeq, CSeq number and method that a PRACK names.  Raises `PeerError` 400."""
    words = (request.headers.get("RAck") or "").replace("\t", " ").split(" ")
    words = [word for word in words if word]
    numbers = [parse_seconds_untrusted(word) for word in words[:2]]
    if len(words) != 3 or numbers[0] is None or numbers[1] is None or numbers[1] > MAX_CSEQ:
        raise PeerError("the RAck names no response", status=400)
    return numbers[0], numbers[1], words[2].strip(LWS)


class Ringer:
    """Says 101-199."""

    def __init__(self, wire: Wire, machine: SessionMachine, offerer: Offerer) -> None:
        self._wire = wire
        self._machine = machine
        self._offerer = offerer

    def ring(self, session: Session, status: int, sdp: bytes | None, now: float) -> None:
        """Say it, reliably where that is wanted.

        Raises `LocalError` unless it is provisional, an INVITE waits, and an offer of ours could be answered.
        """
        if session.state is not SessionState.OFFERED or not 100 < status < 200:
            raise LocalError("only a waiting INVITE can be answered with 101-199")
        side, offers = _incoming(session), session.confirmed.offers
        if offers.answered or offers.state is OfferState.OURS:
            sdp = None  # the description was said, and counts until an UPDATE
        must = requires(side.arrival.request, "100rel")
        may = "100rel" in session.confirmed.abilities.tags
        if side.late and sdp is not None and not (must or may):
            raise LocalError("an offer in a provisional response needs a caller with 100rel")
        if must or (may and sdp is not None):
            self._happened(session, ReliableInput.SAY, now, saying=(status, sdp))
        else:
            self._say(session, status, sdp, now)

    def remind(self, session: Session, now: float) -> None:
        """Say again that it rings, lest a proxy gives up (RFC 3261 section 13.3.1.1)."""
        side = _incoming(session)
        if session.state is not SessionState.OFFERED or side.ringing is None:
            return
        status, response = side.ringing
        if requires(response, "100rel"):
            self.ring(session, status, None, now)
        else:
            self._wire.transactions.send_response(side.arrival.key, response, now)
            self._wire.alarms.set((Alarm.REMIND, session.id), now + _REMIND_S)

    def pracked(self, session: Session, dialog: Dialog, arrival: Arrival, now: float) -> None:
        """Take a PRACK; one for nothing that waits gets 481.  Raises `PeerError` with how to refuse it."""
        side = session.side
        if not isinstance(side, Incoming):
            raise PeerError("we sent no provisional response", status=481)
        rseq, cseq, method = parse_rack_untrusted(arrival.request)
        sdp = session_description(arrival.request)
        invite = side.arrival.request.cseq
        said = side.said
        fits = said is not None and (rseq, cseq, method) == (said.rseq, invite.number, "INVITE")
        self._happened(session, ReliableInput.PRACK if fits else ReliableInput.STRAY, now)
        if said is not None:
            self._answer_prack(session, dialog, said, arrival, sdp, now)
            self._say_next(session, now)

    def repeat(self, session: Session, now: float) -> None:
        """The alarm: say it again, or give up."""
        said = _incoming(session).said
        if said is not None:
            overdue = now >= said.until
            self._happened(session, ReliableInput.OVERDUE if overdue else ReliableInput.AGAIN, now)

    def stop(self, session: Session, now: float) -> None:
        """The INVITE has its final response: nothing is said any more."""
        self._happened(session, ReliableInput.FINAL, now)

    def _happened(
        self,
        session: Session,
        happened: ReliableInput,
        now: float,
        *,
        saying: tuple[int, bytes | None] = (180, None),
    ) -> None:
        side = _incoming(session)
        side.reliable, reaction = RELIABLE[side.reliable, happened]
        match reaction:
            case ReliableReaction.SEND:
                self._say_reliably(session, *saying, now)
            case ReliableReaction.QUEUE:
                side.unsaid.append(saying)
            case ReliableReaction.REFUSE:
                raise PeerError("the PRACK acknowledges nothing that waits", status=481)
            case ReliableReaction.REPEAT:
                self._repeat(session, now)
            case ReliableReaction.GIVE_UP:
                self._forget_said(session)
                cause = EndCause(504, "our provisional response was never acknowledged", "timeout")
                self._machine.step(session, SessionInput.RING_TIMEOUT, Happening(now, cause, refusal=504))
            case ReliableReaction.ACKNOWLEDGED | ReliableReaction.STOP:
                self._forget_said(session)
            case _:
                pass

    def _say(self, session: Session, status: int, sdp: bytes | None, now: float) -> None:
        side = _incoming(session)
        headers = [self._wire.contact(session.flow), ("Allow", ALLOW)]
        response = self._wire.answer(
            side.arrival, status, now, to_tag=session.local_tag, headers=headers, body=sdp or b""
        )
        side.ringing = (status, response)
        self._wire.alarms.set((Alarm.REMIND, session.id), now + _REMIND_S)

    def _say_reliably(self, session: Session, status: int, sdp: bytes | None, now: float) -> None:
        side, offers = _incoming(session), session.confirmed.offers
        rseq = side.next_rseq or 1 + self._wire.ids.number(_RSEQ_BELOW)
        side.next_rseq = rseq + 1
        headers = [
            self._wire.contact(session.flow),
            ("Allow", ALLOW),
            ("Supported", SUPPORTED),
            ("Require", "100rel"),
            ("RSeq", str(rseq)),
        ]
        response = self._wire.answer(
            side.arrival, status, now, to_tag=session.local_tag, headers=headers, body=sdp or b""
        )
        if sdp is not None:
            offers.state = OfferState.OURS if side.late else OfferState.UNACKED
            offers.said = sdp
        side.ringing = (status, response)
        side.said = SaidEarly(response, rseq, sdp, _T1_S, now + _GIVE_UP_S)
        self._wire.alarms.set((Alarm.REPEAT_PROGRESS, session.id), now + _T1_S)
        self._wire.alarms.set((Alarm.REMIND, session.id), now + _REMIND_S)

    def _repeat(self, session: Session, now: float) -> None:
        side = _incoming(session)
        assert side.said is not None  # only what waits is repeated
        self._wire.transactions.send_response(side.arrival.key, side.said.response, now)
        side.said.interval_s *= 2
        at = min(now + side.said.interval_s, side.said.until)
        self._wire.alarms.set((Alarm.REPEAT_PROGRESS, session.id), at)

    def _answer_prack(
        self,
        session: Session,
        dialog: Dialog,
        said: SaidEarly,
        arrival: Arrival,
        sdp: bytes | None,
        now: float,
    ) -> None:
        """Answer the PRACK, whose body is an answer to our offer, or else an offer of its own."""
        side, offers = _incoming(session), dialog.offers
        settled = said.sdp is not None and not offers.answered
        if settled:
            offers.answered = True
            self._offerer.settled(dialog, session, now)
        if sdp is not None and not (settled and side.late):
            self._offerer.arrived(session, dialog, arrival, now)
            return
        self._wire.answer(arrival, 200, now)
        if settled and side.late:
            offers.heard = sdp
            self._wire.emit(OfferAnswered(session.id, sdp))

    def _say_next(self, session: Session, now: float) -> None:
        side = _incoming(session)
        if side.unsaid and session.state is SessionState.OFFERED:
            status, sdp = side.unsaid.popleft()
            self.ring(session, status, sdp, now)

    def _forget_said(self, session: Session) -> None:
        side = _incoming(session)
        side.said = None
        self._wire.alarms.clear((Alarm.REPEAT_PROGRESS, session.id))


def _incoming(session: Session) -> Incoming:
    assert isinstance(session.side, Incoming)  # only INVITEs of theirs lead here
    return session.side
