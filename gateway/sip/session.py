"""A session, the memory of all sessions, and the machine that moves one through its table.

`SessionMachine.step` is the only place where a session's state changes: it looks the input up in
`session_table.TRANSITIONS`, moves, and has the actions done by the parts that registered for them.  The
parts are by meaning: the caller's half, the callee's half, offers within a session, and what else is said
in a dialog.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from gateway.errors import LocalError
from gateway.sip.authentication import ClientAuthentication
from gateway.sip.causes import reason_headers
from gateway.sip.dialog import Dialog, DialogId
from gateway.sip.events import EndCause, SessionEnded, SessionId
from gateway.sip.flow import Flow
from gateway.sip.headers import Headers
from gateway.sip.message import Request, Response
from gateway.sip.referral_table import ReferralState
from gateway.sip.refresh_table import RefreshState
from gateway.sip.reliable_table import ReliableState
from gateway.sip.session_table import TRANSITIONS, Action, SessionInput, SessionState
from gateway.sip.transaction import TransactionKey
from gateway.sip.wire import Alarm, Arrival, Errand, Purpose, Wire

__all__ = [
    "Happening",
    "Incoming",
    "Outgoing",
    "Referral",
    "SaidEarly",
    "Session",
    "SessionMachine",
    "SessionTimer",
    "Sessions",
    "Unacked",
    "with_headers",
]


@dataclass(slots=True)
class Outgoing:
    """What the caller's half of a session remembers."""

    invite: Request
    """As it was last sent: with an answer to a challenge, if there was one."""
    key: TransactionKey
    call_id: str
    late: bool
    """The INVITE had no offer, so the 200 makes it."""
    asked_s: int = 0
    """The session interval that we asked for (RFC 4028); 0 for none."""
    heard: bool = False
    """Something came back, be it 100."""
    owed: Dialog | None = None
    """The early dialog whose reliable offer waits for our answer, which its PRACK brings."""
    acks: dict[str, Request] = field(default_factory=dict)
    """The ACK that each branch of a fork got, by To-tag, to be sent again on every repeated 2xx."""


@dataclass(slots=True)
class SaidEarly:
    """A reliable provisional response of ours that waits for its PRACK (RFC 3262 section 3)."""

    response: Response
    rseq: int
    sdp: bytes | None
    interval_s: float
    until: float
    """Monotonic seconds at which we give up."""


@dataclass(slots=True)
class Incoming:
    """What the callee's half of a session remembers."""

    arrival: Arrival
    user: str | None
    late: bool
    """The INVITE had no offer, so our 200 makes it."""
    ringing: tuple[int, Response] | None = None
    """Status and text of the last provisional response, for saying it again."""
    reliable: ReliableState = ReliableState.FREE
    said: SaidEarly | None = None
    """What waits for its PRACK, while `reliable` is WAITING."""
    next_rseq: int = 0
    unsaid: deque[tuple[int, bytes | None]] = field(default_factory=deque)
    """Status and SDP of what shall be said reliably after it."""
    held: bytes | None = None
    """The SDP of a 200 that must wait for the PRACK of our answer."""


@dataclass(slots=True)
class Unacked:
    """A 200 of ours to an INVITE or re-INVITE that waits for its ACK (RFC 3261 section 13.3.1.4)."""

    arrival: Arrival
    response: Response
    late: bool
    """It carries the offer, so the ACK shall bring the answer."""
    interval_s: float
    until: float
    """Monotonic seconds at which we give up."""


@dataclass(slots=True)
class SessionTimer:
    """How long the session lives without a refresh (RFC 4028)."""

    interval_s: int
    state: RefreshState
    ends_at: float = 0.0
    """Monotonic seconds at which we hang up if nothing refreshes it."""

    @property
    def ours(self) -> bool:
        """Whether we are the refresher."""
        return self.state is not RefreshState.THEIRS


@dataclass(slots=True)
class Referral:
    """A REFER of the peer, and what it is still to be told about it (RFC 3515)."""

    arrival: Arrival
    event: str
    """The value of the Event header."""
    silent: bool
    """They want no NOTIFY (RFC 4488)."""
    state: ReferralState = ReferralState.ASKED
    telling: bool = False
    """A NOTIFY is under way; the next waits for its answer, or it might be overtaken."""
    untold: tuple[int, str | None] | None = None
    """The news that waits: status and reason; only the latest counts."""


@dataclass(slots=True)
class Session:
    """One INVITE usage."""

    id: SessionId
    side: Outgoing | Incoming
    state: SessionState
    flow: Flow
    local_tag: str
    authentication: ClientAuthentication | None = None
    dialogs: dict[str, Dialog] = field(default_factory=dict)
    """Early and confirmed dialogs by the peer's tag."""
    dialog: Dialog | None = None
    """The one that the first 2xx chose; for a callee the only one."""
    unacked: Unacked | None = None
    last_ack: tuple[int, Request] | None = None
    """CSeq number and ACK of our last re-INVITE, to be sent again if its 200 is repeated."""
    timer: SessionTimer | None = None
    referral: Referral | None = None
    referrals: int = 0
    """How many REFERs came."""
    referring: bool = False
    """A REFER of ours is not over yet."""

    @property
    def call_id(self) -> str:
        """Return the Call-ID of all its dialogs."""
        return self.side.call_id if isinstance(self.side, Outgoing) else self.side.arrival.request.call_id

    @property
    def confirmed(self) -> Dialog:
        """Return the dialog that the session lives in.  Raises `LocalError` before there is one."""
        if self.dialog is None:
            raise LocalError("the session has no dialog yet")
        return self.dialog


@dataclass(frozen=True, slots=True)
class Happening:
    """What comes with an input of the machine: only what that input has."""

    now: float
    cause: EndCause | None = None
    response: Response | None = None
    sdp: bytes | None = None
    reliable: bool = False
    """The response is one that was acknowledged (RFC 3262)."""
    refusal: int = 480
    """The status to refuse their INVITE with, if that is what the step does."""
    headers: tuple[tuple[str, str], ...] = ()
    """Further headers of that refusal."""
    to_tag: str | None = None
    """The tag that the refusal must carry, where the layer chose it already."""


class Sessions:
    """All sessions, by id, by dialog and by the key of the INVITE's server transaction."""

    def __init__(self) -> None:
        self._by_id: dict[SessionId, Session] = {}
        self._by_dialog: dict[DialogId, tuple[Session, Dialog]] = {}
        self._by_invite: dict[TransactionKey, Session] = {}
        self._from: Counter[str] = Counter()
        """How many incoming sessions each address has."""
        self._ours: set[tuple[str, str]] = set()
        """Call-ID and From-tag of each INVITE of ours."""

    def __len__(self) -> int:
        return len(self._by_id)

    @property
    def n_dialogs(self) -> int:
        """Return how many dialogs there are, early ones included."""
        return len(self._by_dialog)

    def add(self, session: Session) -> None:
        """Take a new session in."""
        self._by_id[session.id] = session
        if isinstance(session.side, Incoming):
            self._by_invite[session.side.arrival.key] = session
            self._from[session.side.arrival.flow.remote[0]] += 1
        else:
            self._ours.add((session.side.call_id, session.local_tag))

    def add_dialog(self, session: Session, dialog: Dialog) -> None:
        """Make `dialog` one of the session's, to be found by requests in it."""
        session.dialogs[dialog.id.remote_tag] = dialog
        self._by_dialog[dialog.id] = (session, dialog)

    def drop_dialog(self, session: Session, remote_tag: str) -> None:
        """Forget one dialog of a session."""
        dialog = session.dialogs.pop(remote_tag, None)
        if dialog is not None:
            self._by_dialog.pop(dialog.id, None)

    def forget(self, session: Session) -> None:
        """Forget the session and its dialogs."""
        for remote_tag in list(session.dialogs):
            self.drop_dialog(session, remote_tag)
        known = self._by_id.pop(session.id, None) is not None
        if isinstance(session.side, Incoming):
            self._by_invite.pop(session.side.arrival.key, None)
            if known:
                self._count_down(session.side.arrival.flow.remote[0])
        else:
            self._ours.discard((session.side.call_id, session.local_tag))

    def n_from(self, address: str) -> int:
        """Return how many sessions an address has begun that are not over."""
        return self._from[address]

    def _count_down(self, address: str) -> None:
        self._from[address] -= 1
        if not self._from[address]:
            del self._from[address]

    def get(self, session: str) -> Session | None:
        """Return the session, or None if it is over and forgotten."""
        return self._by_id.get(SessionId(session))

    def of_dialog(self, request: Request) -> tuple[Session, Dialog] | None:
        """Return whose dialog a request of the peer is in."""
        return self.by_dialog(DialogId(request.call_id, request.to.tag or "", request.from_.tag or ""))

    def by_dialog(self, dialog: DialogId) -> tuple[Session, Dialog] | None:
        """Return whose dialog `dialog` is."""
        return self._by_dialog.get(dialog)

    def of_offer(self, key: TransactionKey) -> Session | None:
        """Return the session whose re-INVITE `key` waits for our user; rarely asked, so found by looking."""
        for session, dialog in self._by_dialog.values():
            if dialog.offers.theirs is not None and dialog.offers.theirs.key == key:
                return session
        return None

    def of_invite(self, key: TransactionKey) -> Session | None:
        """Return the session that began with the server transaction `key`."""
        return self._by_invite.get(key)

    def is_ours(self, invite: Request) -> bool:
        """Tell whether an INVITE that arrived is one that we sent: it came round a loop (RFC 3261 16.3)."""
        return (invite.call_id, invite.from_.tag or "") in self._ours

    def on_flow(self, flow: Flow) -> list[Session]:
        """Return the sessions that use `flow`."""
        return [session for session in self._by_id.values() if session.flow == flow]


def with_headers(request: Request, headers: Iterable[tuple[str, str]], body: bytes = b"") -> Request:
    """Return `request` with further headers at the end, and `body` (of SDP) if there is one."""
    every = list(headers)
    if body:
        every.append(("Content-Type", "application/sdp"))
    if not every:
        return request
    return replace(request, headers=Headers((*request.headers, *every)), body=body)


_WHILE_ON: Final = (Alarm.RING, Alarm.REMIND, Alarm.GLARE, Alarm.SESSION, Alarm.REPEAT_PROGRESS)
"""The alarms that mean nothing to a session of which our user has been told the end."""

Doer = Callable[[Session, Happening], None]


class SessionMachine:
    """Moves sessions through the table."""

    def __init__(self, wire: Wire, sessions: Sessions) -> None:
        self._wire = wire
        self._sessions = sessions
        self.on_end: Callable[[Session, float], None] = lambda session, now: None
        """Ends what hangs on a session besides its offers: transfers."""
        self._doers: dict[Action, Doer] = {
            Action.REPORT_END: self._report_end,
            Action.SEND_BYE: self._send_bye,
            Action.STOP_ANSWER: self._stop_answer,
        }

    def register(self, doers: Mapping[Action, Doer]) -> None:
        """Have `doers` carry out their actions."""
        self._doers.update(doers)

    def allows(self, session: Session, happened: SessionInput) -> bool:
        """Tell whether the table has a step for this input in the session's state."""
        return (session.state, happened) in TRANSITIONS

    def step(self, session: Session, happened: SessionInput, happening: Happening) -> None:
        """Move `session` one step.  Raises `LocalError` if the table has none."""
        step = TRANSITIONS.get((session.state, happened))
        if step is None:
            raise LocalError(
                f"not possible now: {happened.value}; the session's state: {session.state.value}"
            )
        session.state = step.state
        for action in step.actions:
            self._doers[action](session, happening)
        self.tidy(session)

    def tidy(self, session: Session) -> None:
        """Forget a session that has ended, once no request of it is under way."""
        over = session.referral is None or session.referral.state is ReferralState.OVER
        if session.state is SessionState.ENDED and over and not self._wire.holds(session.id):
            self._clear_alarms(session)
            self._forget(session)

    def abandon(self, session: Session) -> None:
        """Forget a session after a fault of ours; its end is reported unless it was before."""
        if (session.state, SessionInput.HANG_UP) in TRANSITIONS:
            self._wire.emit(SessionEnded(session.id, EndCause(500, "internal error", "local")))
        session.state = SessionState.ENDED
        self._clear_alarms(session)
        self._forget(session)

    def _forget(self, session: Session) -> None:
        self._sessions.forget(session)
        self._wire.names.forget(session.call_id)

    def _report_end(self, session: Session, happening: Happening) -> None:
        assert happening.cause is not None  # every input whose steps report the end comes with its cause
        for alarm in _WHILE_ON:
            self._wire.alarms.clear((alarm, session.id))
        self._end_offers(session, happening.now)
        self.on_end(session, happening.now)
        self._wire.emit(SessionEnded(session.id, happening.cause))

    def _end_offers(self, session: Session, now: float) -> None:
        """Answer a re-INVITE that still waits: a dialog ends with its pending requests (section 15.1.2)."""
        for dialog in session.dialogs.values():
            if dialog.offers.theirs is not None:
                self._wire.answer(dialog.offers.theirs, 487, now, to_tag=session.local_tag)
            dialog.offers.theirs = dialog.offers.queued = None

    def _send_bye(self, session: Session, happening: Happening) -> None:
        bye = with_headers(session.confirmed.request("BYE"), reason_headers(happening.cause))
        self._stop_answer(session, happening)
        self._wire.start(
            Errand(Purpose.BYE, session.id, bye, session.flow, session.confirmed, session.authentication),
            happening.now,
        )

    def _stop_answer(self, session: Session, _: Happening) -> None:
        session.unacked = None
        self._wire.alarms.clear((Alarm.REPEAT_ANSWER, session.id))

    def _clear_alarms(self, session: Session) -> None:
        for alarm in Alarm:
            self._wire.alarms.clear((alarm, session.id))
