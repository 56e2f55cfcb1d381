"""Keeping a session alive: the refresh of RFC 4028, and the end of a session that nobody refreshed.

A refresh is an UPDATE without a body where the peer allows that, for it needs no ACK that a NAT could lose
(signalwire/freeswitch#1994).  Else it is a re-INVITE with our description to the letter, `o=` version and
all, and its answer is not reported unless it says something new: media goes on as if nothing had happened.
What is refused by UPDATE is tried by re-INVITE; a peer that refuses both is alive, and keeps its call.
`refresh_table.REFRESH` says all this in rows.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final, assert_never

from gateway.sip.causes import cause_of_outcome
from gateway.sip.events import EndCause
from gateway.sip.message import Response
from gateway.sip.offer_table import OfferState
from gateway.sip.refresh_table import REFRESH, RefreshInput, RefreshReaction
from gateway.sip.session import (
    Happening,
    Session,
    SessionMachine,
    Sessions,
    SessionTimer,
    with_headers,
)
from gateway.sip.session_offers import Offerer
from gateway.sip.session_table import SessionInput, SessionState
from gateway.sip.session_timer import SessionTimers
from gateway.sip.wire import Alarm, Errand, Outcome, Purpose, Wire

__all__ = ["Refresher"]

_BUSY_S: Final = 2.0
"""How long a refresh waits when an offer is open, which refreshes as well if it succeeds."""
_OF_THE_MOMENT: Final = frozenset({480, 491, 500, 503, 504})
"""Refusals that say nothing about the session or its refresh."""


class Refresher:
    """Refreshes sessions, and ends those that were not."""

    def __init__(
        self, wire: Wire, sessions: Sessions, machine: SessionMachine, offerer: Offerer, timers: SessionTimers
    ) -> None:
        self._wire = wire
        self._sessions = sessions
        self._machine = machine
        self._offerer = offerer
        self._timers = timers

    def rang(self, session: Session, now: float) -> None:
        """The alarm: refresh, or take it that the peer is gone."""
        timer = session.timer
        if timer is None or not self._machine.allows(session, SessionInput.LOST):
            return
        if now >= timer.ends_at:
            self._happened(session, timer, RefreshInput.END, now)
        else:
            busy = session.confirmed.offers.state is not OfferState.IDLE
            self._happened(session, timer, RefreshInput.BUSY if busy else RefreshInput.HALF, now)

    def outcome(self, errand: Errand, outcome: Outcome, now: float) -> None:
        """Take what came of a refresh."""
        session = self._sessions.get(errand.holder)
        if session is None:
            return  # it was abandoned after a fault of ours
        if isinstance(outcome, Response) and outcome.status < 300:
            if outcome.status >= 200:
                self._refreshed(session, errand, outcome, now)
        elif session.state is SessionState.ESTABLISHED and self._wire.retry(errand, outcome, now) is None:
            self._failed(session, errand, outcome, now)

    def _refreshed(self, session: Session, errand: Errand, response: Response, now: float) -> None:
        if errand.request.method == "INVITE":
            self._offerer.succeeded(session, errand, response, now)
        elif session.state is SessionState.ESTABLISHED:
            session.confirmed.refresh_target(response)
            self._timers.agreed(session, response, now)

    def _failed(self, session: Session, errand: Errand, outcome: Outcome, now: float) -> None:
        if errand.request.method == "INVITE":
            self._offerer.settled(session.confirmed, session, now)
        timer = session.timer
        if outcome.status in (408, 481):
            self._machine.step(session, SessionInput.LOST, Happening(now, cause_of_outcome(outcome)))
        elif timer is not None:
            self._happened(session, timer, self._refusal(session, errand, outcome), now)

    def _refusal(self, session: Session, errand: Errand, outcome: Outcome) -> RefreshInput:
        if outcome.status in _OF_THE_MOMENT:
            return RefreshInput.MOMENT
        if isinstance(outcome, Response) and self._timers.lengthen(session, outcome):
            return RefreshInput.LONGER
        return RefreshInput.NO_UPDATE if errand.request.method == "UPDATE" else RefreshInput.REFUSED

    def _happened(self, session: Session, timer: SessionTimer, happened: RefreshInput, now: float) -> None:
        found = REFRESH.get((timer.state, happened))
        if found is None:
            return
        timer.state, reaction = found
        match reaction:
            case RefreshReaction.SEND:
                self._timers.wait_for_end(session)
                self._refresh(session, timer, now)
            case RefreshReaction.BY_INVITE:
                known = session.confirmed.abilities
                session.confirmed.abilities = replace(known, methods=known.methods - {"UPDATE"})
                self._refresh(session, timer, now)
            case RefreshReaction.LATER:
                pause_s = _BUSY_S + 0.01 * self._wire.ids.number(200)
                self._wire.alarms.set((Alarm.SESSION, session.id), min(now + pause_s, timer.ends_at))
            case RefreshReaction.KEEP:
                self._timers.keep(session, now)
            case RefreshReaction.HANG_UP:
                cause = EndCause(408, "the session was not refreshed in time", "timeout")
                self._machine.step(session, SessionInput.LOST, Happening(now, cause))
            case _:
                assert_never(reaction)

    def _refresh(self, session: Session, timer: SessionTimer, now: float) -> None:
        dialog = session.confirmed
        if dialog.offers.state is not OfferState.IDLE:
            self._happened(session, timer, RefreshInput.MOMENT, now)
        elif "UPDATE" not in dialog.abilities.methods:
            self._offerer.repeat(session, now)
        else:
            headers = [*self._offerer.named(session), *self._timers.ask_again(session)]
            update = with_headers(dialog.request("UPDATE"), headers)
            authentication = session.authentication
            errand = Errand(Purpose.REFRESH, session.id, update, session.flow, dialog, authentication)
            self._wire.start(errand, now)
