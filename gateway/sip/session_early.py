"""What a caller hears before it is answered: early dialogs, early media and PRACK (RFC 3261 13.2.2.1, RFC 3262).

A proxy may fork our INVITE, and every callee that answers provisionally makes an early dialog of its own,
told apart by its To-tag: each has its route set, its offers and its count of reliable responses.  A reliable
one is acknowledged if it is the next in order; a repeated one gets no second PRACK, for the first repeats
itself, and one out of order waits for its predecessor to be sent again.

The description in a reliable response is the answer to our offer.  To an INVITE without one it is an offer:
then the PRACK waits for our user's answer and brings it.
"""

from __future__ import annotations

from typing import Final

from gateway.errors import LocalError, PeerError
from gateway.sip.abilities import requires
from gateway.sip.bodies import session_description
from gateway.sip.dialog import Dialog
from gateway.sip.message import Response
from gateway.sip.offer_table import OfferState
from gateway.sip.registrar import parse_seconds_untrusted
from gateway.sip.session import Happening, Outgoing, Session, SessionMachine, Sessions, with_headers
from gateway.sip.session_offers import Offerer
from gateway.sip.session_table import SessionInput
from gateway.sip.wire import Errand, Outcome, Purpose, Wire

__all__ = ["EarlyDialogs"]

_OVER: Final = 199
"""Early Dialog Terminated (RFC 6228): a branch of the fork has failed."""
_MAX_BRANCHES: Final = 32
"""Early dialogs of one INVITE; what rings beyond is heard, but has none."""


class EarlyDialogs:
    """Takes 101-199."""

    def __init__(self, wire: Wire, sessions: Sessions, machine: SessionMachine, offerer: Offerer) -> None:
        self._wire = wire
        self._sessions = sessions
        self._machine = machine
        self._offerer = offerer

    def progress(self, session: Session, side: Outgoing, response: Response, now: float) -> None:
        """Take a provisional response to our INVITE."""
        if response.status == 100 or not self._machine.allows(session, SessionInput.PROVISIONAL):
            return
        dialog, sdp, rseq = self._dialog(session, response), self.sdp(response), None
        if dialog is not None:
            rseq = _rseq(response)
            if rseq is not None and not self._in_order(dialog, rseq):
                return
            sdp = self._heard(dialog, side, sdp, reliable=rseq is not None)
            if rseq is not None and side.owed is not dialog:
                self._prack(session, dialog, side, None, now)
            if response.status == _OVER:
                self._sessions.drop_dialog(session, dialog.id.remote_tag)
        happening = Happening(now, response=response, sdp=sdp, reliable=rseq is not None)
        self._machine.step(session, SessionInput.PROVISIONAL, happening)

    def answer(self, session: Session, side: Outgoing, sdp: bytes, now: float) -> None:
        """Answer a reliable offer of theirs with the PRACK.  Raises `LocalError` if none waits."""
        dialog = side.owed
        if dialog is None or dialog.id.remote_tag not in session.dialogs:
            raise LocalError("no offer of the peer is waiting")
        side.owed = None
        dialog.offers.answered, dialog.offers.said = True, sdp
        self._prack(session, dialog, side, sdp, now)
        self._offerer.settled(dialog, session, now)

    def outcome(self, errand: Errand, outcome: Outcome, now: float) -> None:
        """Take what came of a PRACK; if it failed the INVITE's own end will say so."""
        if self._wire.retry(errand, outcome, now) is None and outcome.status >= 300:
            self._wire.counters["prack_refused"] += 1

    def _dialog(self, session: Session, response: Response) -> Dialog | None:
        tag = response.to.tag
        if tag is None:
            return None
        dialog = session.dialogs.get(tag)
        if dialog is not None:
            dialog.refresh_target(response)
        elif len(session.dialogs) < _MAX_BRANCHES:
            dialog = Dialog.of_caller(response)
            self._sessions.add_dialog(session, dialog)
        return dialog

    def _in_order(self, dialog: Dialog, rseq: int) -> bool:
        """Count a reliable response; False if it was heard before, or its predecessor was not."""
        if dialog.rseq is not None and rseq != dialog.rseq + 1:
            self._wire.counters["progress_repeated" if rseq == dialog.rseq else "progress_disordered"] += 1
            return False
        dialog.rseq = rseq
        return True

    def _heard(self, dialog: Dialog, side: Outgoing, sdp: bytes | None, *, reliable: bool) -> bytes | None:
        """Note a description; None if the session was agreed on already and this one says nothing."""
        offers = dialog.offers
        if sdp is None or offers.answered or side.owed is dialog:
            return None
        offers.heard = sdp
        if side.late:
            side.owed = dialog if reliable else side.owed
            offers.state = OfferState.THEIRS
        elif reliable:
            offers.answered, offers.state, offers.said = True, OfferState.IDLE, side.invite.body
        return sdp

    def _prack(self, session: Session, dialog: Dialog, side: Outgoing, sdp: bytes | None, now: float) -> None:
        rack = f"{dialog.rseq} {side.invite.headers.get('CSeq')}"
        request = with_headers(dialog.request("PRACK"), [("RAck", rack)], sdp or b"")
        errand = Errand(Purpose.PRACK, session.id, request, session.flow, dialog, session.authentication)
        self._wire.start(errand, now)

    def sdp(self, response: Response) -> bytes | None:
        """Return the SDP of a response; a body that we cannot use is as good as none."""
        try:
            return session_description(response)
        except PeerError:
            self._wire.counters["response_body_unusable"] += 1
            return None


def _rseq(response: Response) -> int | None:
    """Return the number of a reliable response; a number without `Require: 100rel` means nothing."""
    number = parse_seconds_untrusted(response.headers.get("RSeq"))
    return number if number and requires(response, "100rel") else None
