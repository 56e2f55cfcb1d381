"""Session timers: a session that nobody refreshes ends by itself (RFC 4028).

Without them a call whose other end has lost power stays up, and is billed, until somebody looks.  Both ends
agree in INVITE and 2xx on an interval and on who refreshes; the refresher speaks up at half of it, and both
hang up shortly before it is over if nothing was heard.  Each leg of a call has its own.

We ask for a timer in every INVITE and prefer to be the refresher in those that we answer.  An interval under
the minimum is refused with 422 when the peer says that it knows timers, and quietly raised when a proxy put
it there or when the session is on already: a call is worth more than a rule.  Here is only the arithmetic of
who, when and which header; what a refresh is sent as stands in `session_refresh`.
"""

from __future__ import annotations

from typing import Final

from gateway.errors import PeerError
from gateway.sip.abilities import Abilities
from gateway.sip.grammar import find_parameter, parse_parameters_untrusted
from gateway.sip.message import Request, Response
from gateway.sip.refresh_table import RefreshState
from gateway.sip.registrar import parse_seconds_untrusted
from gateway.sip.session import Session, SessionTimer
from gateway.sip.wire import Alarm, Wire

__all__ = ["LEAST_S", "LONGEST_S", "SessionTimers", "parse_session_expires_untrusted"]

LEAST_S: Final = 90
"""No interval is shorter, whoever asks (RFC 4028 section 4)."""
_MARGIN_S: Final = 32
LONGEST_S: Final = 86_400


def parse_session_expires_untrusted(text: str | None) -> tuple[int, str | None] | None:
    """Read a Session-Expires header: seconds, and the refresher if it names one; None if it is absent.

    Raises:
        BadMessage: what should be parameters are none.
    """
    if text is None:
        return None
    number, semicolon, tail = text.partition(";")
    interval_s = parse_seconds_untrusted(number.strip())
    if interval_s is None:
        return None
    refresher = find_parameter(parse_parameters_untrusted(semicolon + tail), "refresher")
    return min(interval_s, LONGEST_S), refresher.lower() if refresher else None


class SessionTimers:
    """The terms of each session's timer."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    def ask(self) -> list[tuple[str, str]]:
        """Return the headers of an INVITE that ask for a timer."""
        interval_s = self._wire.config.session_expires_s
        if not interval_s:
            return []
        return [("Session-Expires", str(interval_s)), ("Min-SE", str(max(LEAST_S, self._least_s)))]

    def ask_again(self, session: Session) -> list[tuple[str, str]]:
        """Return the headers of a refresh or re-INVITE: the roles stay as they are."""
        timer = session.timer
        if timer is None:
            return []
        role = "uac" if timer.ours else "uas"
        return [("Session-Expires", f"{timer.interval_s};refresher={role}"), ("Min-SE", str(self._least_s))]

    def check(self, request: Request) -> None:
        """Refuse an INVITE whose interval is too short.  Raises `PeerError` 422."""
        asked = parse_session_expires_untrusted(request.headers.get("Session-Expires"))
        knows_timers = "timer" in Abilities().heard(request).tags
        if asked is not None and knows_timers and asked[0] < self._least_s:
            raise PeerError("the session interval is too short", status=422)

    def accept(self, session: Session, request: Request, now: float) -> list[tuple[str, str]]:
        """Settle the timer that their INVITE or UPDATE asks for; return the headers of our 2xx."""
        asked = parse_session_expires_untrusted(request.headers.get("Session-Expires"))
        knows_timers = "timer" in session.confirmed.abilities.tags
        interval_s, refresher = asked or (self._wire.config.session_expires_s, None)
        if (asked is None and not knows_timers) or not interval_s:
            self._set(session, None, now)
            return []
        if not knows_timers:
            ours = True  # a proxy asked, and the phone behind it could not
        elif refresher is None:
            ours = session.timer is None or session.timer.ours
        else:
            ours = refresher != "uac"
        interval_s = max(interval_s, self._least_s)
        self._set(session, SessionTimer(interval_s, _whose(ours=ours)), now)
        role = "uas" if ours else "uac"
        headers = [("Session-Expires", f"{interval_s};refresher={role}")]
        return headers if ours else [*headers, ("Require", "timer")]

    def agreed(self, session: Session, response: Response, now: float) -> None:
        """Take what the 2xx to our INVITE or UPDATE says; one that says nothing knows no timers."""
        said = parse_session_expires_untrusted(response.headers.get("Session-Expires"))
        if said is None:
            self._set(session, None, now)
        else:
            self._set(session, SessionTimer(max(said[0], LEAST_S), _whose(ours=said[1] != "uas")), now)

    def lengthen(self, session: Session, refusal: Response) -> bool:
        """Take the Min-SE of a 422; False if it does not ask for more than we said."""
        least_s = parse_seconds_untrusted(refusal.headers.get("Min-SE")) or 0
        if (
            refusal.status != 422
            or session.timer is None
            or not session.timer.interval_s < least_s <= LONGEST_S
        ):
            return False
        session.timer.interval_s = least_s
        return True

    def keep(self, session: Session, now: float) -> None:
        """Start the interval anew on the terms that there are."""
        if session.timer is not None:
            self._set(session, SessionTimer(session.timer.interval_s, session.timer.state), now)

    def resume(
        self, session: Session, interval_s: int, state: RefreshState, ends_at: float, now: float
    ) -> None:
        """Go on with an interval that began in a process before us: a refresh of ours is due at half of it."""
        session.timer = timer = SessionTimer(interval_s, state, ends_at)
        began = ends_at + min(_MARGIN_S, interval_s / 3) - interval_s
        due = began + interval_s / 2 if timer.ours else ends_at
        self._wire.alarms.set((Alarm.SESSION, session.id), max(now, due))

    def wait_for_end(self, session: Session) -> None:
        """The refresh is under way: from now on only the end of the interval counts."""
        if session.timer is not None:
            self._wire.alarms.set((Alarm.SESSION, session.id), session.timer.ends_at)

    @property
    def _least_s(self) -> int:
        return self._wire.config.min_session_expires_s

    def _set(self, session: Session, timer: SessionTimer | None, now: float) -> None:
        """Start the interval anew; the refresher wakes at half of it, the other end just before its end."""
        session.timer = timer
        if timer is None:
            self._wire.alarms.clear((Alarm.SESSION, session.id))
            return
        timer.ends_at = now + timer.interval_s - min(_MARGIN_S, timer.interval_s / 3)
        at = now + timer.interval_s / 2 if timer.ours else timer.ends_at
        self._wire.alarms.set((Alarm.SESSION, session.id), at)


def _whose(*, ours: bool) -> RefreshState:
    return RefreshState.OURS if ours else RefreshState.THEIRS
