"""The registrar's memory: which contacts each user can be reached at (RFC 3261 section 10.3).

Who may register is settled before anything here is asked.  A binding remembers the *flow* its REGISTER came
by; calls go back by that flow whatever the Contact says, since half of all Contacts name private or invented
hosts. That is also why a Contact that names the switch itself cannot make a loop: no one ever sends to its
address.

A binding is known by its Contact URI (RFC 3261 section 19.1.4), or by instance and reg-id where the phone
speaks RFC 5626, so that a phone which reconnects from a new port replaces its own ghost.  Each REGISTER is
applied in full or not at all.  The Contact is given back to the phone as the very text that it sent: several
phones compare text.

A `Path` (RFC 3327) that proxies put on the way here is kept with the binding and becomes the route of what
is sent there; the flow is the last proxy's then, so no address in it is ever looked up.  A phone that does
not say that it knows of Path is refused with 420 (section 5.3), for it could not tell who sits in between.
Many phones do not say so: whoever has a proxy of their own in front may take them (`path_unasked`).

Not done: GRUUs (RFC 5627), because clients then use them as Contact everywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from gateway.errors import Overload, PeerError
from gateway.sip.alarms import Alarms
from gateway.sip.flow import Flow
from gateway.sip.grammar import write_parameters
from gateway.sip.headers import NameAddr, parse_name_addr_untrusted
from gateway.sip.message import Request
from gateway.sip.uri import Uri

__all__ = [
    "Binding",
    "BindingChange",
    "Registrar",
    "RegistrarLimits",
    "Registration",
    "parse_seconds_untrusted",
]

_DEFAULT_EXPIRES_S: Final = 3600
_FLOW_TIMER_S: Final = 90
_MAX_PATH: Final = 8


@dataclass(frozen=True, slots=True)
class RegistrarLimits:
    """What a registrar grants; expiries in seconds."""

    min_expires_s: int = 60
    max_expires_s: int = 7200
    nat_expires_s: int = 180
    """The most that is granted to a phone behind a NAT on UDP, whose mapping would not live longer."""
    nat_ping_s: float = 27.0
    """How often such a phone is asked whether it is there (`gateway.sip.mappings`); 0 = never."""
    contacts_per_user: int = 10
    """When one more comes, the binding that was refreshed longest ago goes."""
    bindings: int = 100_000
    """In all; beyond it new contacts get 503."""
    path_unasked: bool = False
    """Take a Path to a phone that does not say that it knows of it."""


@dataclass(frozen=True, slots=True)
class Binding:
    """One place where a user can be reached."""

    contact: Uri
    flow: Flow
    expires_at: float
    """Monotonic seconds."""
    text: str
    """The Contact as it was sent, without its `expires` parameter."""
    call_id: str
    cseq: int
    instance: tuple[str, str] | None = None
    """`+sip.instance` and `reg-id` of a phone that speaks RFC 5626."""
    path: tuple[str, ...] = ()
    """The Route values of requests to it, in order (RFC 3327)."""


@dataclass(frozen=True, slots=True)
class BindingChange:
    """A binding made, refreshed or (0 seconds) removed."""

    user: str
    contact: Uri
    flow: Flow
    expires_s: int
    behind_nat: bool = False
    """Whoever is there is to be asked now and then, lest the way to it closes."""


@dataclass(frozen=True, slots=True)
class Registration:
    """The outcome of a REGISTER: the headers of its 200, and what changed."""

    headers: tuple[tuple[str, str], ...]
    changes: tuple[BindingChange, ...]


@dataclass(frozen=True, slots=True)
class _Wish:
    """One Contact of a REGISTER, read and clamped."""

    contact: Uri
    text: str
    expires_s: int
    instance: tuple[str, str] | None


class Registrar:
    """Bindings by user."""

    def __init__(self, limits: RegistrarLimits | None = None) -> None:
        self._limits = limits or RegistrarLimits()
        self._bindings: dict[str, list[Binding]] = {}
        self._count = 0
        self._users_by_flow: dict[Flow, set[str]] = {}
        self._alarms: Alarms[str] = Alarms()

    def bindings(self, user: str) -> tuple[Binding, ...]:
        """Return the bindings of `user`, the one refreshed last first."""
        return tuple(reversed(self._bindings.get(user, ())))

    def knows(self, flow: Flow) -> bool:
        """Tell whether somebody can be reached by `flow`."""
        return flow in self._users_by_flow

    def __len__(self) -> int:
        return self._count

    def register(self, user: str, request: Request, flow: Flow, now: float) -> Registration:
        """Apply a REGISTER of the authenticated `user`.

        Raises `PeerError`: 400 for contradictory contacts, 423 for an expiry that is too short, 500 for a
        request that is older than the binding; and `Overload` when the table is full.  Then nothing has
        changed.
        """
        path = _path(request, unasked=self._limits.path_unasked)
        wishes = self._wishes(request, flow)
        held = list(self._bindings.get(user, ()))
        changes: list[BindingChange] = []
        for wish in wishes if wishes is not None else _farewell(held):
            self._apply(wish, user, request, flow, now, held, changes, path)
        if len(held) > len(self._bindings.get(user, ())) and self._count >= self._limits.bindings:
            raise Overload("the registrar is full")
        self._store(user, held)
        changes = _last_of_each(changes)
        return Registration(self._answer(request, wishes or [], held, now), tuple(changes))

    def flow_closed(self, flow: Flow) -> list[BindingChange]:
        """Drop the bindings that live on a connection that has ended."""
        return self._drop(lambda binding: binding.flow == flow, sorted(self._users_by_flow.get(flow, ())))

    def next_deadline(self) -> float | None:
        """Return when the next binding expires."""
        return self._alarms.next()

    def deadline_reached(self, now: float) -> list[BindingChange]:
        """Drop what has expired at `now`."""
        due = list(self._alarms.due(now))
        return self._drop(lambda binding: binding.expires_at <= now, due)

    def _wishes(self, request: Request, flow: Flow) -> list[_Wish] | None:
        """Read every Contact; None stands for `*`, the wish to be forgotten everywhere."""
        contacts = request.headers.all("Contact")
        default = parse_seconds_untrusted(request.headers.get("Expires"))
        if any(contact.strip() == "*" for contact in contacts):
            if len(contacts) != 1 or default != 0:
                raise PeerError("Contact * stands alone and with Expires 0", status=400)
            return None
        longest = self._limits.nat_expires_s if _behind_nat(request, flow) else self._limits.max_expires_s
        outbound = "outbound" in _options(request, "Supported") and (
            len(request.headers.all("Via")) == 1 or _ob_on_path(request)
        )
        return [self._wish(text, default, longest, outbound=outbound) for text in contacts]

    def _wish(self, text: str, default: int | None, longest: int, *, outbound: bool) -> _Wish:
        contact = parse_name_addr_untrusted(text)
        asked = parse_seconds_untrusted(contact.parameter("expires"))
        expires_s = next(s for s in (asked, default, _DEFAULT_EXPIRES_S) if s is not None)
        if 0 < expires_s < self._limits.min_expires_s:
            raise PeerError("the expiry is too short", status=423)
        instance, reg_id = contact.parameter("+sip.instance"), contact.parameter("reg-id")
        key = (instance, reg_id) if outbound and instance and reg_id else None
        return _Wish(contact.uri, _text_as_sent(text, contact), min(expires_s, longest), key)

    def _apply(
        self,
        wish: _Wish,
        user: str,
        request: Request,
        flow: Flow,
        now: float,
        held: list[Binding],
        changes: list[BindingChange],
        path: tuple[str, ...],
    ) -> None:
        for old in [binding for binding in held if _same(binding, wish)]:
            same_call = old.call_id == request.call_id and old.flow == flow
            # The flow is part of the rule for phones that restart with the same Call-ID and a tiny CSeq.
            if same_call and request.cseq.number <= old.cseq:
                raise PeerError("an older REGISTER than the one that made the binding", status=500)
            held.remove(old)
            if wish.expires_s == 0 or not old.contact.same_as(wish.contact):
                changes.append(BindingChange(user, old.contact, old.flow, 0))
        if wish.expires_s == 0:
            return
        call_id, cseq = request.call_id, request.cseq.number
        held.append(
            Binding(wish.contact, flow, now + wish.expires_s, wish.text, call_id, cseq, wish.instance, path)
        )
        changes.append(
            BindingChange(user, wish.contact, flow, wish.expires_s, behind_nat=_behind_nat(request, flow))
        )
        while len(held) > self._limits.contacts_per_user:
            oldest = held.pop(0)
            changes.append(BindingChange(user, oldest.contact, oldest.flow, 0))

    def _answer(
        self, request: Request, wishes: list[_Wish], held: list[Binding], now: float
    ) -> tuple[tuple[str, str], ...]:
        """List the bindings, the asker's own first: some phones look no further than the first."""
        texts = {wish.text for wish in wishes}
        ordered = sorted(held, key=lambda binding: binding.text not in texts)
        headers = [("Contact", f"{b.text};expires={max(0, round(b.expires_at - now))}") for b in ordered]
        if any(wish.instance for wish in wishes):
            headers += [("Require", "outbound"), ("Flow-Timer", str(_FLOW_TIMER_S))]
        headers += [("Path", value) for value in request.headers.all("Path")]
        return tuple(headers)

    def _store(self, user: str, held: list[Binding]) -> None:
        before = self._bindings.get(user, ())
        self._count += len(held) - len(before)
        for flow in {binding.flow for binding in before}:
            users = self._users_by_flow[flow]
            users.discard(user)
            if not users:
                del self._users_by_flow[flow]
        for binding in held:
            self._users_by_flow.setdefault(binding.flow, set()).add(user)
        if held:
            self._bindings[user] = held
            self._alarms.set(user, min(binding.expires_at for binding in held))
        else:
            self._bindings.pop(user, None)
            self._alarms.clear(user)

    def _drop(self, is_gone: Callable[[Binding], bool], users: Iterable[str]) -> list[BindingChange]:
        changes: list[BindingChange] = []
        for user in users:
            held = self._bindings.get(user, [])
            gone = [binding for binding in held if is_gone(binding)]
            changes += [BindingChange(user, binding.contact, binding.flow, 0) for binding in gone]
            self._store(user, [binding for binding in held if binding not in gone])
        return changes


def parse_seconds_untrusted(text: str | None) -> int | None:
    """Read delta-seconds; None when absent or malformed, which RFC 3261 section 20.19 treats alike."""
    if text is None or not text.isascii() or not text.strip().isdigit() or len(text) > 10:
        return None
    return int(text)


def _farewell(held: list[Binding]) -> list[_Wish]:
    return [_Wish(binding.contact, binding.text, 0, binding.instance) for binding in held]


def _same(binding: Binding, wish: _Wish) -> bool:
    """Tell whether `wish` speaks of `binding`: by instance where both have one, else by URI."""
    if binding.instance is not None and wish.instance is not None:
        return binding.instance == wish.instance
    return binding.contact.same_as(wish.contact)


def _last_of_each(changes: list[BindingChange]) -> list[BindingChange]:
    """Keep only the last word on each contact."""
    latest = {str(change.contact): change for change in changes}
    return list(latest.values())


def _path(request: Request, *, unasked: bool) -> tuple[str, ...]:
    """Return the Path, each element known to parse.

    Raises `PeerError`: 420 if the phone does not know of Path, 400 if there are too many.
    """
    path = request.headers.all("Path")
    if path and not unasked and "path" not in _options(request, "Supported"):
        raise PeerError("a Path to a phone that does not know of it", status=420)
    if len(path) > _MAX_PATH:
        raise PeerError("a Path of too many proxies", status=400)
    for element in path:
        parse_name_addr_untrusted(element)
    return path


def _options(request: Request, name: str) -> set[str]:
    return {tag.strip().lower() for tag in request.headers.all(name)}


def _ob_on_path(request: Request) -> bool:
    """Tell whether the first proxy keeps the flow for the phone (RFC 5626 section 6.1)."""
    path = request.headers.all("Path")
    return bool(path) and parse_name_addr_untrusted(path[-1]).uri.parameter("ob") is not None


def _behind_nat(request: Request, flow: Flow) -> bool:
    sent_by = (request.via.host, request.via.port or 5060)
    return not flow.reliable and sent_by != flow.remote


def _text_as_sent(text: str, contact: NameAddr) -> str:
    """Return the Contact with its URI exactly as sent and every parameter but `expires`."""
    others = tuple(pair for pair in contact.parameters if pair[0].lower() != "expires")
    return f"<{_uri_as_sent(text)}>{write_parameters(others)}"


def _uri_as_sent(text: str) -> str:
    quoted = False
    start: int | None = None
    at = 0
    while at < len(text):
        character = text[at]
        if start is not None and character == ">":
            return text[start:at]
        if start is None and character == "\\" and quoted:
            at += 1
        elif start is None and character == '"':
            quoted = not quoted
        elif start is None and character == "<" and not quoted:
            start = at + 1
        at += 1
    # Without angle brackets what follows a semicolon belongs to the header (RFC 3261 section 20.10).
    return text.split(";", 1)[0].strip()
