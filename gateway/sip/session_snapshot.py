"""A session in plain values, and the way back: what a process needs to go on with a session of one before it.

For RFC 3261 a dialog is a memory and nothing else (section 12): who has its tags, its route set, its target and its
two counters can say BYE in it, take a re-INVITE and refresh it.  So a session that is on goes on as if nothing had
been.  What was only begun is restored as far as its end needs:

- an INVITE of theirs gets its server transaction back, so that it can be refused, and its ACK absorbed
- an INVITE of ours is sent again on its own branch, which to the peer is a repetition (section 17.2.1); the response
  to that allows a CANCEL, and a 2xx that comes all the same gets its ACK and its BYE (section 13.2.2.4)

The CSeq of our requests jumps ahead (section 12.2.2 allows it), since some may have left after the snapshot.  A
connection ends with its process: such a session waits until its user registers anew (`stranded`), or speaks.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Final

from gateway.errors import BadMessage
from gateway.sip.abilities import Abilities
from gateway.sip.authentication import ClientAuthentication, Credentials
from gateway.sip.dialog import Dialog
from gateway.sip.events import SessionId
from gateway.sip.flow import Flow
from gateway.sip.headers import parse_name_addr_untrusted
from gateway.sip.message import Request, parse_message_untrusted
from gateway.sip.offer_table import OfferState
from gateway.sip.offers import Offers
from gateway.sip.refresh_table import RefreshState
from gateway.sip.session import Incoming, Outgoing, Session, Sessions
from gateway.sip.session_table import SessionState
from gateway.sip.session_timer import SessionTimers
from gateway.sip.stranded import Stranded
from gateway.sip.transaction import RequestArrived, TransactionKey
from gateway.sip.transaction_messages import client_key, server_key
from gateway.sip.uri import parse_uri_untrusted
from gateway.sip.wire import Alarm, Arrival, Errand, Numbers, Purpose, Wire

__all__ = ["Adoption", "DialogSnapshot", "SessionSnapshot", "snapshot_of"]

_CSEQ_JUMP: Final = 100
_NO_CONNECTION: Final = 0
"""A number that no connection has."""
_RESTORED: Final = {
    SessionState.CALLING: SessionState.CALLING,
    SessionState.CANCELLED: SessionState.CALLING,
    SessionState.OFFERED: SessionState.OFFERED,
}
"""Into which state a session comes back; one that has a dialog is on."""


@dataclass(frozen=True, slots=True)
class DialogSnapshot:
    """A `Dialog` in plain values."""

    local: str
    remote: str
    route_set: tuple[str, ...]
    target: str
    local_cseq: int
    remote_cseq: int | None
    owns_call_id: bool
    methods: tuple[str, ...]
    tags: tuple[str, ...]
    said: bytes
    heard: bytes | None


@dataclass(frozen=True, slots=True)
class SessionSnapshot:
    """A `Session` in plain values."""

    id: SessionId
    state: str
    """Name of its `SessionState`."""
    flow: Flow
    local_tag: str
    invite: bytes
    """The INVITE that began it, with the Via by which its transaction is known."""
    ours: bool
    """We sent that INVITE."""
    user: str | None = None
    """Who sent it, if that was proven."""
    dialog: DialogSnapshot | None = None
    interval_s: int | None = None
    """Of its session timer (RFC 4028); None = it has none."""
    refreshes: bool = False
    """We refresh it."""
    ends_at: float = 0.0
    """Monotonic seconds, which mean the same to every process of this machine until it is started anew."""
    credentials: Credentials | None = field(default=None, repr=False)
    names: tuple[str, str] | None = None
    """The UUIDs of its two ends (RFC 7989)."""

    @property
    def on(self) -> bool:
        """Whether it will be on when it is taken up."""
        return self.dialog is not None and self.state in ("ANSWERED", "ESTABLISHED")


def snapshot_of(session: Session, wire: Wire) -> SessionSnapshot | None:
    """Return a session in plain values; None if it has ended."""
    if session.state is SessionState.ENDED:
        return None
    side, timer, authentication = session.side, session.timer, session.authentication
    if isinstance(side, Outgoing):
        invite = wire.transactions.with_branch(side.invite, session.flow, side.key.branch)
    else:
        invite = side.arrival.request
    return SessionSnapshot(
        id=session.id,
        state=session.state.name,
        flow=session.flow,
        local_tag=session.local_tag,
        invite=invite.to_bytes(),
        ours=isinstance(side, Outgoing),
        user=side.user if isinstance(side, Incoming) else None,
        dialog=None if session.dialog is None else _dialog_snapshot(session.dialog),
        interval_s=None if timer is None else timer.interval_s,
        refreshes=timer is not None and timer.ours,
        ends_at=0.0 if timer is None else timer.ends_at,
        credentials=None if authentication is None else authentication.proven,
        names=wire.names.of(session.call_id),
    )


def _dialog_snapshot(dialog: Dialog) -> DialogSnapshot:
    return DialogSnapshot(
        local=str(dialog.local),
        remote=str(dialog.remote),
        route_set=dialog.route_set,
        target=str(dialog.target),
        local_cseq=dialog.local_cseq,
        remote_cseq=dialog.remote_cseq,
        owns_call_id=dialog.owns_call_id,
        methods=tuple(sorted(dialog.abilities.methods)),
        tags=tuple(sorted(dialog.abilities.tags)),
        said=dialog.offers.said,
        heard=dialog.offers.heard,
    )


class Adoption:
    """Takes sessions up."""

    def __init__(self, wire: Wire, sessions: Sessions, timers: SessionTimers, stranded: Stranded) -> None:
        self._wire: Final = wire
        self._sessions: Final = sessions
        self._timers: Final = timers
        self._stranded: Final = stranded

    def adopt(self, snapshot: SessionSnapshot, now: float) -> None:
        """Go on with a session.

        Raises:
            BadMessage: it is no snapshot of ours.
            LocalError: it is here already.
        """
        invite = parse_message_untrusted(snapshot.invite)
        if not isinstance(invite, Request) or snapshot.state not in SessionState.__members__:
            raise BadMessage("what began the session is no request")
        state = _RESTORED.get(SessionState[snapshot.state], SessionState.ESTABLISHED)
        dialog = None if snapshot.dialog is None else _dialog_of(snapshot.dialog, invite.call_id)
        if dialog is None and state is not SessionState.CALLING:
            raise BadMessage(f"a session that is {snapshot.state} has a dialog")
        flow = _without_connection(snapshot.flow)
        known = snapshot.credentials
        authentication = None if known is None else ClientAuthentication(known, self._wire.ids)
        if snapshot.names is not None:
            self._wire.names.resume(invite.call_id, *snapshot.names, caller=not snapshot.ours)
        side = self._side(snapshot, invite, state, flow, authentication, now)
        session = Session(snapshot.id, side, state, flow, snapshot.local_tag, authentication, dialog=dialog)
        self._sessions.add(session)
        if dialog is not None:
            self._sessions.add_dialog(session, dialog)
        self._set_alarms(session, snapshot, now)
        if flow.connection is not None:
            self._stranded.flow_closed(flow)

    def _side(
        self,
        snapshot: SessionSnapshot,
        invite: Request,
        state: SessionState,
        flow: Flow,
        authentication: ClientAuthentication | None,
        now: float,
    ) -> Outgoing | Incoming:
        if snapshot.ours:
            key = client_key(invite)
            if state is SessionState.CALLING:
                numbers = Numbers(invite.cseq.number)
                errand = Errand(Purpose.INVITE, snapshot.id, invite, flow, numbers, authentication)
                key = self._wire.start(errand, now)
            return Outgoing(invite, key, invite.call_id, late=not invite.body, heard=True)
        key = server_key(invite)
        if state is SessionState.OFFERED:
            key = self._begun_again(invite, flow, now)
        return Incoming(Arrival(key, invite, flow), snapshot.user, late=False)

    def _begun_again(self, invite: Request, flow: Flow, now: float) -> TransactionKey:
        """Give an INVITE of theirs its transaction back, and keep it from being taken for a new one."""
        self._wire.transactions.receive_request(invite, flow, now)
        for event in self._wire.transactions.events():
            if isinstance(event, RequestArrived):
                return event.key
        raise BadMessage("the INVITE is here already")

    def _set_alarms(self, session: Session, snapshot: SessionSnapshot, now: float) -> None:
        if session.state is SessionState.CALLING:
            limits = self._wire.config.limits
            self._wire.alarms.set((Alarm.RING, session.id), now + limits.ring_timeout_s)
        elif session.state is SessionState.OFFERED:
            limits = self._wire.config.limits
            self._wire.alarms.set((Alarm.RING, session.id), now + limits.answer_timeout_s)
        elif snapshot.interval_s is not None:
            whose = RefreshState.OURS if snapshot.refreshes else RefreshState.THEIRS
            self._timers.resume(session, snapshot.interval_s, whose, snapshot.ends_at, now)


def _dialog_of(snapshot: DialogSnapshot, call_id: str) -> Dialog:
    return Dialog(
        call_id=call_id,
        local=parse_name_addr_untrusted(snapshot.local),
        remote=parse_name_addr_untrusted(snapshot.remote),
        route_set=snapshot.route_set,
        target=parse_uri_untrusted(snapshot.target),
        local_cseq=snapshot.local_cseq + _CSEQ_JUMP,
        remote_cseq=snapshot.remote_cseq,
        owns_call_id=snapshot.owns_call_id,
        offers=Offers(OfferState.IDLE, said=snapshot.said, heard=snapshot.heard),
        abilities=Abilities(frozenset(snapshot.methods), frozenset(snapshot.tags)),
    )


def _without_connection(flow: Flow) -> Flow:
    return flow if flow.connection is None else replace(flow, connection=_NO_CONNECTION)
