"""What else is said within a dialog: BYE in both roles, INFO in both roles (RFC 3261 section 15, RFC 6086).

A BYE is answered 200 first and acted on second, so the peer is content whatever our side does with the end.
INFO is taken in its old form, without info packages, because that is how phones send digits.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from gateway.errors import LocalError, PeerError
from gateway.sip.bodies import media_type
from gateway.sip.causes import cause_of, cause_of_outcome
from gateway.sip.events import EndCause, InfoReceived
from gateway.sip.message import Response
from gateway.sip.session import Happening, Session, SessionMachine, Sessions, with_headers
from gateway.sip.session_table import SessionInput, SessionState
from gateway.sip.wire import Arrival, Errand, Outcome, Purpose, Wire

__all__ = ["SessionRequests"]

_INFO_TYPES: Final = frozenset(
    {"application/dtmf-relay", "application/dtmf", "application/media_control+xml"}
)
_ON: Final = (SessionState.CALLING, SessionState.OFFERED, SessionState.ANSWERED, SessionState.ESTABLISHED)
"""The states in which our user has not been told of an end."""
_DEFAULT_CAUSE: Final = EndCause(None, "hung up", "local")


class SessionRequests:
    """BYE and INFO."""

    def __init__(self, wire: Wire, sessions: Sessions, machine: SessionMachine) -> None:
        self._wire = wire
        self._sessions = sessions
        self._machine = machine

    def hang_up(self, session: Session, cause: EndCause | None, now: float) -> None:
        """End a session from our side, in whatever way its state needs; one that has ended stays so."""
        if not self._machine.allows(session, SessionInput.HANG_UP):
            return
        cause = cause or _DEFAULT_CAUSE
        refusal = cause.status if cause.status is not None and 300 <= cause.status < 700 else 480
        self._machine.step(session, SessionInput.HANG_UP, Happening(now, cause, refusal=refusal))

    def bye(self, session: Session, arrival: Arrival, now: float) -> None:
        """Take a BYE.  Raises `PeerError` 481 in a state where there is nothing that it could end."""
        if not self._machine.allows(session, SessionInput.BYE):
            raise PeerError("there is nothing to end", status=481)
        self._wire.answer(arrival, 200, now)
        cause = cause_of(arrival.request, status=None, reason="hung up")
        self._machine.step(session, SessionInput.BYE, Happening(now, cause, refusal=487))

    def info(self, session: Session, arrival: Arrival, now: float) -> None:
        """Take an INFO; an empty one is a keepalive.  Raises `PeerError` 415 for a body unknown to us."""
        request = arrival.request
        kind = media_type(request.headers.get("Content-Type"))
        if request.body and kind not in _INFO_TYPES:
            raise PeerError("an INFO with a body that we do not understand", status=415)
        self._wire.answer(arrival, 200, now)
        if request.body and session.state in _ON:
            self._wire.emit(InfoReceived(session.id, kind, request.body))

    def send_info(self, session: Session, content_type: str, body: bytes, now: float) -> None:
        """Send an INFO.  Raises `LocalError` unless the session is on."""
        if session.state is not SessionState.ESTABLISHED:
            raise LocalError("only a session that is on can carry INFO")
        request = with_headers(session.confirmed.request("INFO"), [("Content-Type", content_type)])
        errand = Errand(
            Purpose.INFO,
            session.id,
            replace(request, body=body),
            session.flow,
            session.confirmed,
            session.authentication,
        )
        self._wire.start(errand, now)

    def bye_outcome(self, errand: Errand, outcome: Outcome, now: float) -> None:
        """Take what came of our BYE: whatever it is, the session is over."""
        session = self._sessions.get(errand.holder)
        if session is None:
            return  # it was abandoned after a fault of ours
        if isinstance(outcome, Response) and outcome.status < 200:
            return
        if self._wire.retry(errand, outcome, now) is not None:
            return
        if self._machine.allows(session, SessionInput.BYE_DONE):
            self._machine.step(session, SessionInput.BYE_DONE, Happening(now))

    def fork_bye_outcome(self, errand: Errand, outcome: Outcome, now: float) -> None:
        """Take what came of a BYE to another branch of a fork."""
        self._wire.retry(errand, outcome, now)

    def info_outcome(self, errand: Errand, outcome: Outcome, now: float) -> None:
        """Take what came of our INFO: the session ends if the peer does not know it, or is silent."""
        session = self._sessions.get(errand.holder)
        if session is None:
            return  # it was abandoned after a fault of ours
        if self._wire.retry(errand, outcome, now) is not None or outcome.status not in (408, 481):
            return
        if self._machine.allows(session, SessionInput.LOST):
            self._machine.step(session, SessionInput.LOST, Happening(now, cause_of_outcome(outcome)))
