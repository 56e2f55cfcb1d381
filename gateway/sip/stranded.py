"""Calls whose connection has ended, and their way back: a browser that lost its WebSocket registers anew.

Whatever we say in such a call would go to a connection that is no more, and nobody may connect to a browser (RFC
7118 section 5).  So when the user registers the contact that the call has, over another connection, the call goes
on there: the flow recovery of RFC 5626 section 4.5, without waiting for the peer to speak first.  Only the user
whose call it is can bring it back, since a REGISTER is authenticated.
"""

from __future__ import annotations

from typing import Final

from gateway.sip.events import SessionId
from gateway.sip.flow import Flow
from gateway.sip.headers import parse_name_addr_untrusted
from gateway.sip.registrar import Registrar
from gateway.sip.session import Incoming, Session, Sessions
from gateway.sip.session_table import SessionState
from gateway.sip.uri import Uri

__all__ = ["Stranded"]


class Stranded:
    """Established sessions without a connection, by the user at their other end."""

    def __init__(self, sessions: Sessions, registrar: Registrar) -> None:
        self._sessions: Final = sessions
        self._registrar: Final = registrar
        self._waiting: dict[str, set[SessionId]] = {}

    def flow_closed(self, flow: Flow) -> None:
        """Remember whose sessions lived on `flow`; a user who has registered anew already takes them at once."""
        for session in self._sessions.on_flow(flow):
            user = _peer(session)
            if user is None or session.state is not SessionState.ESTABLISHED:
                continue
            self._waiting.setdefault(user, set()).add(session.id)
            for binding in self._registrar.bindings(user):
                self.registered(user, binding.contact, binding.flow)

    def registered(self, user: str, contact: Uri, flow: Flow) -> None:
        """Let the sessions of `user` at that contact go on over `flow`."""
        waiting = {each: self._sessions.get(each) for each in self._waiting.pop(user, ())}
        for each, session in waiting.items():
            if session is None or session.dialog is None:
                continue  # it is over
            if _same_place(session.dialog.target, contact):
                session.flow = flow
            else:
                self._waiting.setdefault(user, set()).add(each)


def _peer(session: Session) -> str | None:
    """Return the user at the other end: proven by a password, or whom we called at a contact that was.

    Whom we called stands in our own INVITE; a peer writes what it likes into its answer's To.
    """
    if isinstance(session.side, Incoming):
        return session.side.user
    called = session.side.invite.headers.get("To")
    return parse_name_addr_untrusted(called).uri.user if called else None


def _same_place(target: Uri, contact: Uri) -> bool:
    """Compare what names a browser: within a call its Contact has other parameters (`ob`)."""
    return (target.user, target.host) == (contact.user, contact.host)
