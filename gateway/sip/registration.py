"""Registering with somebody else's registrar, and staying registered (RFC 3261 section 10.2).

A registration is renewed a minute before it expires, or half way if it is that short; a refusal or silence
is reported and tried again by itself after a pause that doubles from 30 s to 5 minutes, so a registrar that
comes back finds us; a Retry-After makes the pause longer, and after silence it is spread, or everybody would
come back at once.  423 raises the expiry to what the registrar wants.  What the table shows is all there
is to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

from gateway.errors import BadMessage, LocalError
from gateway.sip.authentication import ClientAuthentication, Credentials
from gateway.sip.events import Registered, RegistrationFailed, RegistrationId
from gateway.sip.flow import Flow
from gateway.sip.headers import Headers, NameAddr, parse_name_addr_untrusted
from gateway.sip.message import Request, Response
from gateway.sip.registrar import parse_seconds_untrusted
from gateway.sip.uri import Uri
from gateway.sip.wire import Alarm, Errand, Numbers, Outcome, Purpose, Silence, Wire

__all__ = ["REGISTRATION", "ClientRegistrations", "RegistrationInput", "RegistrationState"]

_FIRST_PAUSE_S: Final = 30.0
_LONGEST_PAUSE_S: Final = 300.0
_LONGEST_ASKED_S: Final = 3600
_EARLY_S: Final = 60.0


class RegistrationState(Enum):
    """Where a registration of ours is."""

    REGISTERING = "a REGISTER is under way"
    REGISTERED = "registered, and to be renewed in time"
    PAUSING = "refused or unheard, and to be tried again"
    LEAVING = "a REGISTER with Expires 0 is under way"
    LEAVING_NEXT = "to be left as soon as the REGISTER under way is answered"
    GONE = "over"


class RegistrationInput(Enum):
    """What can happen to it."""

    ACCEPTED = "200"
    REFUSED = "any other final response, or silence"
    ALARM = "the time has come"
    UNREGISTER = "our user wants to leave"


_S, _I = RegistrationState, RegistrationInput

REGISTRATION: Final[Mapping[tuple[RegistrationState, RegistrationInput], RegistrationState]] = {
    (_S.REGISTERING, _I.ACCEPTED): _S.REGISTERED,
    (_S.REGISTERING, _I.REFUSED): _S.PAUSING,
    (_S.REGISTERING, _I.UNREGISTER): _S.LEAVING_NEXT,
    (_S.REGISTERED, _I.ALARM): _S.REGISTERING,
    (_S.REGISTERED, _I.UNREGISTER): _S.LEAVING,
    (_S.PAUSING, _I.ALARM): _S.REGISTERING,
    (_S.PAUSING, _I.UNREGISTER): _S.GONE,
    (_S.LEAVING_NEXT, _I.ACCEPTED): _S.LEAVING,
    (_S.LEAVING_NEXT, _I.REFUSED): _S.GONE,
    (_S.LEAVING_NEXT, _I.UNREGISTER): _S.LEAVING_NEXT,
    (_S.LEAVING, _I.ACCEPTED): _S.GONE,
    (_S.LEAVING, _I.REFUSED): _S.GONE,
    (_S.LEAVING, _I.UNREGISTER): _S.LEAVING,
}
"""A missing pair is not legal.  Entering REGISTERING or LEAVING sends a REGISTER."""


@dataclass(slots=True)
class _Registration:
    """One registration of ours."""

    id: RegistrationId
    registrar: Uri
    aor: Uri
    flow: Flow
    call_id: str
    from_tag: str
    expires_s: int
    numbers: Numbers
    authentication: ClientAuthentication
    contact: Uri
    """Where the registrar may call us."""
    state: RegistrationState = RegistrationState.REGISTERING
    pause_s: float = _FIRST_PAUSE_S
    raised: bool = False
    """The expiry was raised once after 423."""


class ClientRegistrations:
    """Our registrations elsewhere."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._registrations: dict[RegistrationId, _Registration] = {}

    def __len__(self) -> int:
        return len(self._registrations)

    def register(
        self,
        *,
        registrar: Uri,
        aor: Uri,
        flow: Flow,
        credentials: Credentials,
        expires_s: int,
        contact_user: str | None,
        now: float,
    ) -> RegistrationId:
        """Register `aor` and keep it registered over `flow` until `unregister` or the flow's end."""
        wire, contact = self._wire, self._wire.config.contact(flow)
        registration = _Registration(
            id=RegistrationId(wire.ids.token(8)),
            registrar=registrar,
            aor=aor,
            flow=flow,
            call_id=wire.ids.token(16),
            from_tag=wire.ids.token(8),
            expires_s=expires_s,
            numbers=Numbers(wire.ids.number(10_000)),
            authentication=ClientAuthentication(credentials, wire.ids),
            contact=replace(contact, user=contact_user or contact.user),
        )
        self._registrations[registration.id] = registration
        self._send(registration, expires_s, now)
        return registration.id

    def unregister(self, registration: RegistrationId, now: float) -> None:
        """Leave.  Raises `LocalError` if there is no such registration."""
        found = self._registrations.get(registration)
        if found is None:
            raise LocalError("no such registration")
        self._step(found, RegistrationInput.UNREGISTER, now)

    def refresh(self, holder: str, now: float) -> None:
        """The alarm: renew, or try again."""
        found = self._registrations.get(RegistrationId(holder))
        if found is not None:
            self._step(found, RegistrationInput.ALARM, now)

    def outcome(self, errand: Errand, outcome: Outcome, now: float) -> None:
        """Take what came of a REGISTER."""
        found = self._registrations.get(RegistrationId(errand.holder))
        if found is None or (isinstance(outcome, Response) and outcome.status < 200):
            return
        if self._wire.retry(errand, outcome, now) is not None or self._raised(found, outcome, now):
            return
        if isinstance(outcome, Response) and outcome.status < 300:
            self._accepted(found, outcome, now)
        else:
            self._refused(found, outcome, now)

    def flow_closed(self, flow: Flow) -> None:
        """Drop what was registered over a connection that has ended; the rim opens another and registers."""
        for registration in [each for each in self._registrations.values() if each.flow == flow]:
            self._forget(registration)
            reason = "the connection to the registrar ended"
            self._wire.emit(RegistrationFailed(registration.id, 503, reason, over=True))

    def _accepted(self, registration: _Registration, response: Response, now: float) -> None:
        was = registration.state
        self._step(registration, RegistrationInput.ACCEPTED, now)
        if was is not RegistrationState.REGISTERING:
            return
        granted_s = self._granted_s(registration, response)
        registration.pause_s, registration.raised = _FIRST_PAUSE_S, False
        at = now + max(granted_s / 2, granted_s - _EARLY_S)
        self._wire.alarms.set((Alarm.REFRESH, registration.id), at)
        self._wire.emit(Registered(registration.id, granted_s))

    def _refused(self, registration: _Registration, outcome: Outcome, now: float) -> None:
        was = registration.state
        self._step(registration, RegistrationInput.REFUSED, now)
        if was is not RegistrationState.REGISTERING:
            return
        self._wire.alarms.set((Alarm.REFRESH, registration.id), now + self._pause_s(registration, outcome))
        registration.pause_s = min(2 * registration.pause_s, _LONGEST_PAUSE_S)
        self._wire.emit(RegistrationFailed(registration.id, outcome.status, outcome.reason))

    def _pause_s(self, registration: _Registration, outcome: Outcome) -> float:
        """Return how long to wait: what the registrar asks for, if that is longer than our own pause."""
        if isinstance(outcome, Silence):
            return registration.pause_s * (1 + 0.01 * self._wire.ids.number(51))
        asked = (outcome.headers.get("Retry-After") or "").partition(";")[0].partition("(")[0]
        asked_s = parse_seconds_untrusted(asked.strip()) or 0
        return max(registration.pause_s, min(asked_s, _LONGEST_ASKED_S))

    def _raised(self, registration: _Registration, outcome: Outcome, now: float) -> bool:
        """Go again with the expiry that a 423 wants; once, and only if it is a sane one."""
        if not isinstance(outcome, Response) or outcome.status != 423 or registration.raised:
            return False
        least_s = parse_seconds_untrusted(outcome.headers.get("Min-Expires"))
        if registration.state is not RegistrationState.REGISTERING or not least_s or least_s > 86_400:
            return False
        registration.raised, registration.expires_s = True, least_s
        self._send(registration, least_s, now)
        return True

    def _granted_s(self, registration: _Registration, response: Response) -> int:
        """Return what was granted to our contact; a 200 lists those of other phones too."""
        for text in response.headers.all("Contact"):
            try:
                contact = parse_name_addr_untrusted(text)
            except BadMessage:
                continue
            granted_s = parse_seconds_untrusted(contact.parameter("expires"))
            if contact.uri.same_as(registration.contact) and granted_s:
                return granted_s
        granted_s = parse_seconds_untrusted(response.headers.get("Expires"))
        return granted_s or registration.expires_s

    def _step(self, registration: _Registration, happened: RegistrationInput, now: float) -> None:
        state = REGISTRATION.get((registration.state, happened))
        if state is None:
            raise LocalError(f"not possible now: {happened.value}; the state: {registration.state.value}")
        was, registration.state = registration.state, state
        self._wire.alarms.clear((Alarm.REFRESH, registration.id))
        match state:
            case RegistrationState.REGISTERING:
                self._send(registration, registration.expires_s, now)
            case RegistrationState.LEAVING if was is not state:
                self._send(registration, 0, now)
            case RegistrationState.GONE:
                self._forget(registration)
            case _:
                pass

    def _forget(self, registration: _Registration) -> None:
        self._wire.alarms.clear((Alarm.REFRESH, registration.id))
        del self._registrations[registration.id]

    def _send(self, registration: _Registration, expires_s: int, now: float) -> None:
        registration.numbers.local_cseq += 1
        headers = Headers(
            [
                ("From", str(NameAddr(None, registration.aor, (("tag", registration.from_tag),)))),
                ("To", str(NameAddr(None, registration.aor))),
                ("Call-ID", registration.call_id),
                ("CSeq", f"{registration.numbers.local_cseq} REGISTER"),
                ("Max-Forwards", "70"),
                ("Contact", f"<{registration.contact}>"),
                ("Expires", str(expires_s)),
            ]
        )
        request = Request("REGISTER", registration.registrar, headers)
        errand = Errand(
            Purpose.REGISTER,
            registration.id,
            request,
            registration.flow,
            registration.numbers,
            registration.authentication,
        )
        self._wire.start(errand, now)
