"""Where requests of the peer are let in or turned away: one table of methods outside dialogs and one inside.

The order of questions is RFC 3261 section 8.2's: is it for us, do we speak the method and the extensions,
and who is it.  Every method is closed until it is named here, and whatever costs money needs an identity: a
password, or an address that the configuration trusts.  A handler either answers or raises `PeerError` with
the status to answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, TypeAlias

from gateway.errors import Overload, PeerError
from gateway.sip.abilities import ACCEPT, ALLOW, ALLOW_EVENTS, SUPPORTED, unsupported
from gateway.sip.authentication import Authenticator, Identity
from gateway.sip.dialog import Dialog
from gateway.sip.doorman import Knocks
from gateway.sip.events import BindingChanged, SessionId
from gateway.sip.grammar import LWS
from gateway.sip.mappings import Mappings
from gateway.sip.refusal import retry_after
from gateway.sip.registrar import BindingChange, Registrar
from gateway.sip.replaces import parse_replaces_untrusted
from gateway.sip.session import Incoming, Session, Sessions
from gateway.sip.session_callee import Callee
from gateway.sip.session_offers import Offerer
from gateway.sip.session_referrals import Referrals
from gateway.sip.session_requests import SessionRequests
from gateway.sip.session_table import SessionState
from gateway.sip.stranded import Stranded
from gateway.sip.wire import Arrival, Wire

__all__ = ["Reception"]

_SCHEMES: Final = frozenset({"sip", "sips", "tel"})

InDialog: TypeAlias = Callable[[Session, Dialog, Arrival, float], None]


class Reception:
    """Takes every request but ACK and CANCEL, which the transaction layer knows better."""

    def __init__(
        self,
        wire: Wire,
        sessions: Sessions,
        authenticator: Authenticator,
        registrar: Registrar,
        stranded: Stranded,
        callee: Callee,
        offerer: Offerer,
        requests: SessionRequests,
        referrals: Referrals,
        knocks: Knocks,
    ) -> None:
        self._wire = wire
        self._sessions = sessions
        self._authenticator = authenticator
        self._registrar = registrar
        self._stranded = stranded
        self.mappings: Final = Mappings(wire, registrar, self.report)
        self._callee = callee
        self._knocks = knocks
        self._outside: Mapping[str, Callable[[Arrival, float], None]] = {
            "INVITE": self._invite,
            "REGISTER": self._register,
            "OPTIONS": self._options,
            "BYE": _no_dialog,
            "INFO": _no_dialog,
            "UPDATE": _no_dialog,
            "PRACK": _no_dialog,
            "REFER": self._refer,
            "SUBSCRIBE": _no_event,
            "NOTIFY": _no_event,
            "PUBLISH": _no_event,
        }
        self._inside = self._methods_in_dialogs(offerer, requests, referrals)

    def _methods_in_dialogs(
        self, offerer: Offerer, requests: SessionRequests, referrals: Referrals
    ) -> Mapping[str, InDialog]:
        return {
            "INVITE": self._proven(offerer.arrived),
            "UPDATE": self._proven(offerer.arrived),
            "REFER": self._proven(referrals.arrived),
            "NOTIFY": referrals.notified,
            "SUBSCRIBE": lambda _session, _dialog, arrival, now: _no_event(arrival, now),
            "PRACK": self._callee.pracked,
            "BYE": lambda session, _, arrival, now: requests.bye(session, arrival, now),
            "INFO": lambda session, _, arrival, now: requests.info(session, arrival, now),
            "OPTIONS": lambda session, _, arrival, now: self._options(arrival, now),
        }

    def take(self, arrival: Arrival, now: float) -> None:
        """Answer a request, or let in what our user must answer."""
        try:
            self._dispatch(arrival, now)
        except PeerError as error:
            self._wire.counters[f"refused_{error.status}"] += 1
            self._wire.refuse(arrival, error.status, now, headers=self._explain(error.status, arrival))
        except Overload:
            self._wire.counters["refused_503"] += 1
            self._wire.refuse(arrival, 503, now, headers=[retry_after(self._wire.ids)])

    def report(self, changes: Sequence[BindingChange], now: float) -> None:
        """Report what changed in the registrar."""
        self.mappings.changed(changes, now)
        for change in changes:
            if change.expires_s:
                self._stranded.registered(change.user, change.contact, change.flow)
            self._wire.emit(BindingChanged(change.user, change.contact, change.flow, change.expires_s))

    def _dispatch(self, arrival: Arrival, now: float) -> None:
        request = arrival.request
        if unsupported(request):
            raise PeerError("it requires what we do not support", status=420)
        if request.to.tag is None:
            outside = self._outside.get(request.method)
            self._check_outside(arrival)
            if outside is None:
                raise PeerError("we do not speak this method", status=405)
            outside(arrival, now)
            return
        found = self._sessions.of_dialog(request)
        if found is None or found[0].state is SessionState.ENDED:
            raise PeerError("there is no such dialog", status=481)
        session, dialog = found
        inside = self._inside.get(request.method)
        if inside is None:
            raise PeerError("we do not speak this method", status=405)
        dialog.accept_cseq(request)
        inside(session, dialog, arrival, now)

    def _check_outside(self, arrival: Arrival) -> None:
        request = arrival.request
        if request.uri.scheme not in _SCHEMES:
            raise PeerError("a URI of a scheme that we do not know", status=416)
        hops = (request.headers.get("Max-Forwards") or "70").strip(LWS)
        if request.method != "OPTIONS" and hops.strip("0") == "":
            raise PeerError("too many hops", status=483)

    def _invite(self, arrival: Arrival, now: float) -> None:
        # whoever says to be one of our users proves it, from a trunk's address as well
        ours = arrival.request.from_.uri.user in self._wire.config.users
        trusted = self._wire.config.trusts(arrival.flow) and not ours
        user = None if trusted else self._identify(arrival, now)
        if trusted or user is not None:
            replaces = self._replaced(arrival)
            self._callee.offered(arrival, user=user, trusted=trusted, replaces=replaces, now=now)

    def _replaced(self, arrival: Arrival) -> SessionId | None:
        """Return the session that a Replaces names (RFC 3891 section 3); whether it may is our user's say."""
        values = arrival.request.headers.all("Replaces")
        if not values:
            return None
        if len(values) != 1:
            raise PeerError("more than one Replaces", status=400)
        replaces = parse_replaces_untrusted(values[0])
        found = self._sessions.by_dialog(replaces.dialog)
        if found is None:
            raise PeerError("there is no dialog to replace", status=481)
        match found[0].state:
            case SessionState.CLOSING | SessionState.LEAVING | SessionState.CANCELLED | SessionState.ENDED:
                raise PeerError("the dialog to replace has ended", status=603)
            case SessionState.ESTABLISHED if replaces.early_only:
                raise PeerError("the dialog to replace was answered", status=486)
        return found[0].id

    def _refer(self, arrival: Arrival, now: float) -> None:
        """Refuse to call for somebody who has no call with us; strangers are asked for a password first."""
        if self._identify(arrival, now) is not None:
            raise PeerError("calls are transferred from within a call", status=403)

    def _register(self, arrival: Arrival, now: float) -> None:
        user = self._identify(arrival, now)
        if user is None:
            return
        if arrival.request.to.uri.user != user:
            raise PeerError("that is somebody else's name", status=403)
        registration = self._registrar.register(user, arrival.request, arrival.flow, now)
        self._wire.answer(arrival, 200, now, headers=registration.headers)
        self.report(registration.changes, now)

    def _options(self, arrival: Arrival, now: float) -> None:
        headers = [
            ("Allow", ALLOW),
            ("Accept", ACCEPT),
            ("Accept-Encoding", "identity"),
            ("Supported", f"{SUPPORTED}, outbound, path"),
            ("Allow-Events", ALLOW_EVENTS),
        ]
        self._wire.answer(arrival, 200, now, headers=headers)

    def _proven(self, take: InDialog) -> InDialog:
        """Let a request in; from a new address only with the password that its session began with."""

        def prove(session: Session, dialog: Dialog, arrival: Arrival, now: float) -> None:
            side = session.side
            user = side.user if isinstance(side, Incoming) else None
            moved = arrival.flow.remote[0] != session.flow.remote[0]
            if moved and user is None and arrival.request.method == "REFER":
                raise PeerError("a transfer asked for from somewhere else", status=403)
            if moved and user is not None:
                shown = self._identify(arrival, now)
                if shown is None:
                    return
                if shown != user:
                    raise PeerError("the session is somebody else's", status=403)
            take(session, dialog, arrival, now)

        return prove

    def _identify(self, arrival: Arrival, now: float) -> str | None:
        """Return the user's name, or None after having refused or challenged."""
        who = self._authenticator.identify(arrival.request, arrival.flow, now)
        if isinstance(who, Identity):
            self._knocks.give_back(arrival.flow.remote[0])
            return who.user
        self._wire.counters[f"refused_{who.status}"] += 1
        self._wire.refuse(arrival, who.status, now, headers=who.headers)
        return None

    def _explain(self, status: int, arrival: Arrival) -> list[tuple[str, str]]:
        """Return the headers that a refusal must bring."""
        match status:
            case 405:
                return [("Allow", ALLOW)]
            case 415:
                return [("Accept", ACCEPT), ("Accept-Encoding", "identity")]
            case 420:
                return [("Unsupported", ", ".join(unsupported(arrival.request) or ["path"]))]
            case 423:
                return [("Min-Expires", str(self._wire.config.limits.registrar.min_expires_s))]
            case 422:
                return [("Min-SE", str(self._wire.config.min_session_expires_s))]
            case 489:
                return [("Allow-Events", ALLOW_EVENTS)]
            case _:
                return []


def _no_event(arrival: Arrival, now: float) -> None:
    """Refuse an event package: 489 rather than 405, or phones ask for ever (RFC 6665)."""
    raise PeerError("there are no such events here", status=489)


def _no_dialog(arrival: Arrival, now: float) -> None:
    raise PeerError("it needs a dialog", status=481)
