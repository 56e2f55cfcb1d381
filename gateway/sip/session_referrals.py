"""REFER in both roles: being asked to transfer, and asking for it (RFC 3515, 3891, 3892, 4488, 5589).

The peer's wish is only reported; whether it is granted is our user's policy, and until then nothing has been
sent to anybody.  What becomes of it goes back in NOTIFYs with a status line as their body, one at a time: a
NOTIFY that was lost and repeated would be refused for its CSeq if the next had overtaken it.  `Refer-Sub:
false` asks for none.  A REFER with a Replaces in its URI names one of *our* sessions: the two far ends are joined
inside, and no INVITE goes out to ourselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from gateway.errors import BadMessage, LocalError, PeerError
from gateway.sip.bodies import media_type
from gateway.sip.dialog import Dialog
from gateway.sip.events import EndCause, ReferProgressed, ReferralOver, ReferReceived
from gateway.sip.grammar import LWS, find_parameter, parse_parameters_untrusted
from gateway.sip.headers import NameAddr, parse_name_addr_untrusted
from gateway.sip.message import REASONS, Request, Response
from gateway.sip.referral_table import REFERRALS, ReferralAction, ReferralInput, ReferralState
from gateway.sip.replaces import embedded_header, parse_replaces_untrusted
from gateway.sip.session import Referral, Session, SessionMachine, Sessions, with_headers
from gateway.sip.session_table import SessionState
from gateway.sip.wire import Alarm, Arrival, Errand, Outcome, Purpose, Silence, Wire

__all__ = ["Referrals"]

_LASTS_S: Final = 180
_SCHEMES: Final = frozenset({"sip", "sips", "tel"})
_MAX_FRAGMENT: Final = 4096
_DEAF: Final = frozenset({403, 405, 408, 481, 489, 501, 603})
"""Answers to a NOTIFY that mean that the next would fare no better (RFC 6665 section 4.2.2)."""


class Referrals:
    """Takes and sends REFER and its NOTIFYs."""

    def __init__(self, wire: Wire, sessions: Sessions, machine: SessionMachine) -> None:
        self._wire = wire
        self._sessions = sessions
        self._machine = machine

    # we are asked

    def arrived(self, session: Session, dialog: Dialog, arrival: Arrival, now: float) -> None:
        """Take a REFER.  Raises `PeerError` with the status to refuse it with."""
        if session.state is not SessionState.ESTABLISHED:
            raise PeerError("only a session that is on can be transferred", status=481)
        if session.referral is not None and session.referral.state is not ReferralState.OVER:
            raise PeerError("another transfer is under way", status=491)
        request = arrival.request
        target = self._target(arrival)
        replaces = embedded_header(target.uri, "Replaces")
        replaced = None
        if replaces is not None:
            found = self._sessions.by_dialog(parse_replaces_untrusted(replaces).dialog)
            replaced = None if found is None or found[0] is session else found[0].id
        session.referrals += 1
        event = "refer" if session.referrals == 1 else f"refer;id={request.cseq.number}"
        silent = (request.headers.get("Refer-Sub") or "").strip(LWS).lower().startswith("false")
        session.referral = Referral(arrival, event, silent)
        self._wire.alarms.set((Alarm.REFERRAL, session.id), now + _LASTS_S)
        by = request.headers.get("Referred-By")
        self._wire.emit(ReferReceived(session.id, target, replaces is not None, replaced, by))

    def accept(self, session: Session, now: float) -> None:
        """Say that we will try.  Raises `LocalError` if no REFER waits."""
        self._happened(session, ReferralInput.ACCEPT, now, status=100)

    def refuse(self, session: Session, status: int, now: float) -> None:
        """Say that we will not.  Raises `LocalError` if no REFER waits, or `status` is no refusal."""
        if not 300 <= status < 700:
            raise LocalError("a transfer is refused with 300-699")
        self._happened(session, ReferralInput.REFUSE, now, status=status)

    def notify(self, session: Session, status: int, reason: str | None, now: float) -> None:
        """Tell how it goes: 101-199 that it rings, 200 and more that it is over.

        Raises `LocalError` if no transfer of this session is being tried.
        """
        happened = ReferralInput.PROGRESS if status < 200 else ReferralInput.DONE
        self._happened(session, happened, now, status=status, reason=reason)

    def overdue(self, session: Session, now: float) -> None:
        """The alarm: it took too long."""
        if session.referral is not None and session.referral.state is not ReferralState.OVER:
            self._happened(session, ReferralInput.OVERDUE, now, status=408)

    def session_ended(self, session: Session, now: float) -> None:
        """Answer a REFER that still waits; one that is being tried goes on."""
        if session.referral is not None and session.referral.state is not ReferralState.OVER:
            self._happened(session, ReferralInput.END, now, status=481)

    def notify_outcome(self, errand: Errand, outcome: Outcome, now: float) -> None:
        """Take what came of a NOTIFY."""
        session = self._sessions.get(errand.holder)
        if session is None or session.referral is None:
            return
        if isinstance(outcome, Response) and outcome.status < 200:
            return
        if self._wire.retry(errand, outcome, now) is not None:
            return
        referral = session.referral
        referral.telling = False
        if outcome.status in _DEAF:
            referral.untold = None
            if referral.state is ReferralState.ACTIVE:
                self._happened(session, ReferralInput.DEAF, now, status=outcome.status)
        if referral.untold is not None:
            self._notify(session, referral, *referral.untold, now)
        elif referral.state is ReferralState.OVER and session.state is SessionState.ESTABLISHED:
            self._wire.emit(ReferralOver(session.id))

    def _target(self, arrival: Arrival) -> NameAddr:
        values = arrival.request.headers.all("Refer-To")
        if len(values) != 1:
            raise PeerError("a REFER names one target", status=400)
        target = parse_name_addr_untrusted(values[0])
        if target.uri.scheme not in _SCHEMES:
            raise PeerError("a target of a scheme that we do not know", status=416)
        if (target.uri.parameter("method") or "INVITE").upper() != "INVITE":
            raise PeerError("we send nothing but INVITE for others", status=403)
        return target

    def _happened(
        self, session: Session, happened: ReferralInput, now: float, *, status: int, reason: str | None = None
    ) -> None:
        referral = session.referral
        found = None if referral is None else REFERRALS.get((referral.state, happened))
        if referral is None or found is None:
            raise LocalError(f"not possible now: {happened.value}")
        referral.state, action = found
        match action:
            case ReferralAction.SAY_202:
                headers = [("Refer-Sub", "false")] if referral.silent else []
                self._wire.answer(
                    referral.arrival, 202, now, headers=[*headers, self._wire.contact(session.flow)]
                )
                self._notify(session, referral, status, None, now)
            case ReferralAction.SAY_NO:
                self._wire.answer(referral.arrival, status, now)
            case ReferralAction.NOTIFY | ReferralAction.NOTIFY_LAST:
                self._notify(session, referral, status, reason, now)
            case _:
                pass
        if referral.state is ReferralState.OVER:
            self._wire.alarms.clear((Alarm.REFERRAL, session.id))
            self._machine.tidy(session)

    def _notify(
        self, session: Session, referral: Referral, status: int, reason: str | None, now: float
    ) -> None:
        over = referral.state is ReferralState.OVER
        if referral.silent:
            if over and session.state is SessionState.ESTABLISHED:
                self._wire.emit(ReferralOver(session.id))
            return
        if referral.telling:
            referral.untold = status, reason
            return
        referral.telling, referral.untold = True, None
        words = " ".join((REASONS.get(status, "") if reason is None else reason).split())
        headers = [
            ("Event", referral.event),
            ("Subscription-State", "terminated;reason=noresource" if over else f"active;expires={_LASTS_S}"),
            ("Content-Type", "message/sipfrag;version=2.0"),
            self._wire.contact(session.flow),
        ]
        request = with_headers(session.confirmed.request("NOTIFY"), headers)
        request = replace(request, body=f"SIP/2.0 {status} {words}\r\n".encode("utf-8", "surrogateescape"))
        self._start(Purpose.NOTIFY, session, request, now)

    # we ask

    def refer(
        self, session: Session, target: NameAddr, headers: Sequence[tuple[str, str]], now: float
    ) -> None:
        """Ask the peer to call `target`.  Raises `LocalError` unless the session is on."""
        if session.state is not SessionState.ESTABLISHED:
            raise LocalError("only a session that is on can be transferred")
        named = [("Refer-To", str(target)), self._wire.contact(session.flow), *headers]
        self._start(Purpose.REFER, session, with_headers(session.confirmed.request("REFER"), named), now)
        session.referring = True

    def refer_outcome(self, errand: Errand, outcome: Outcome, now: float) -> None:
        """Take what came of our REFER: a refusal is the end of it, acceptance the beginning."""
        session = self._sessions.get(errand.holder)
        if session is None or outcome.status < 300 or self._wire.retry(errand, outcome, now) is not None:
            return
        session.referring = False
        if session.state is SessionState.ESTABLISHED:
            by = outcome.by if isinstance(outcome, Silence) else "remote"
            self._wire.emit(
                ReferProgressed(session.id, EndCause(outcome.status, outcome.reason, by), over=True)
            )

    def notified(self, session: Session, dialog: Dialog, arrival: Arrival, now: float) -> None:
        """Take a NOTIFY about our REFER.

        Raises `PeerError`: 489 for another event, 481 without a REFER of ours, 400 for a body that is none.
        """
        headers = arrival.request.headers
        if media_type(headers.get("Event")) != "refer":
            raise PeerError("we subscribed to no such event", status=489)
        if not session.referring:
            raise PeerError("we have asked for nothing", status=481)
        status, reason = _status_line_untrusted(arrival.request.body)
        state, semicolon, tail = (headers.get("Subscription-State") or "").partition(";")
        over = state.strip(LWS).lower() == "terminated"
        find_parameter(parse_parameters_untrusted(semicolon + tail), "reason")  # malformed ones are refused
        self._wire.answer(arrival, 200, now)
        session.referring = not over
        if session.state is SessionState.ESTABLISHED:
            self._wire.emit(ReferProgressed(session.id, EndCause(status, reason, "remote"), over))

    def _start(self, purpose: Purpose, session: Session, request: Request, now: float) -> None:
        errand = Errand(purpose, session.id, request, session.flow, session.confirmed, session.authentication)
        self._wire.start(errand, now)


def _status_line_untrusted(body: bytes) -> tuple[int, str]:
    """Read the first line of a `message/sipfrag` (RFC 3420)."""
    line = body[:_MAX_FRAGMENT].decode("utf-8", "replace").replace("\r", "\n").partition("\n")[0]
    version, _, rest = line.partition(" ")
    status, _, reason = rest.partition(" ")
    if version.upper() != "SIP/2.0" or len(status) != 3 or not status.isascii() or not status.isdigit():
        raise BadMessage("the body of a NOTIFY is no status line")
    return int(status), reason
