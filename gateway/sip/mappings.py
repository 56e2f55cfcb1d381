"""Phones behind a NAT on UDP: the way to them is kept open, and those that have gone are noticed.

A NAT forgets who spoke through it after half a minute or so of silence, and from then on nobody can call the phone
behind it, however long its registration lasts.  Many phones say something often enough; the others are asked by
OPTIONS: their answer is what the NAT sees (RFC 4787 section 4.3: it need not count what comes from outside).

    registered  asked every 27 s, whatever the answer: a phone that refuses is there
    silent      twice in a row, for 32 s each, though it has answered before: its bindings are dropped
    silent      and has never answered: it does not know OPTIONS, and stays until its registration is over
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from gateway.sip.flow import Flow
from gateway.sip.message import Response
from gateway.sip.pings import options_to
from gateway.sip.registrar import BindingChange, Registrar
from gateway.sip.uri import Uri
from gateway.sip.wire import Alarm, Errand, Outcome, Purpose, Silence, Wire

__all__ = ["Mappings"]

_SILENCES: Final = 2


@dataclass(slots=True)
class _Mapping:
    """One way through a NAT."""

    flow: Flow
    contact: Uri
    answers: bool = False
    """It has answered at least once."""
    silences: int = 0
    """In a row."""


class Mappings:
    """Asks whoever is behind a NAT."""

    def __init__(
        self, wire: Wire, registrar: Registrar, report: Callable[[Sequence[BindingChange], float], None]
    ) -> None:
        """`report` is told of bindings that are dropped."""
        self._wire: Final = wire
        self._registrar: Final = registrar
        self._report: Final = report
        self._mappings: dict[str, _Mapping] = {}
        self._names: dict[Flow, str] = {}

    def __len__(self) -> int:
        return len(self._mappings)

    def changed(self, changes: Sequence[BindingChange], now: float) -> None:
        """Take what has changed in the registrar: begin to ask, or ask no longer."""
        for change in changes:
            if change.expires_s and change.behind_nat:
                self._keep(change.flow, change.contact, now)
            elif not self._registrar.knows(change.flow):
                self._forget(change.flow)

    def rang(self, name: str, now: float) -> None:
        """The alarm: ask, unless the phone has registered by another way meanwhile."""
        mapping = self._mappings[name]
        if not self._registrar.knows(mapping.flow):
            self._forget(mapping.flow)
            return
        request, numbers = options_to(self._wire, mapping.contact, mapping.flow)
        self._wire.start(Errand(Purpose.MAPPING, name, request, mapping.flow, numbers), now)

    def outcome(self, errand: Errand, outcome: Outcome, now: float) -> None:
        """Take what came of it."""
        mapping = self._mappings.get(errand.holder)
        if mapping is None or outcome.status < 200:
            return
        mapping.answers |= isinstance(outcome, Response)
        mapping.silences = mapping.silences + 1 if isinstance(outcome, Silence) else 0
        if mapping.answers and mapping.silences >= _SILENCES:
            self._wire.counters["nat_phone_gone"] += 1
            self._forget(mapping.flow)
            self._report(self._registrar.flow_closed(mapping.flow), now)
        else:
            self._wake(errand.holder, now)

    def _keep(self, flow: Flow, contact: Uri, now: float) -> None:
        if not self._wire.config.limits.registrar.nat_ping_s:
            return
        name = self._names.get(flow)
        if name is not None:
            self._mappings[name].contact = contact
            return
        name = self._names[flow] = self._wire.ids.token(8)
        self._mappings[name] = _Mapping(flow, contact)
        self._wake(name, now)

    def _forget(self, flow: Flow) -> None:
        name = self._names.pop(flow, None)
        if name is not None:
            del self._mappings[name]
            self._wire.alarms.clear((Alarm.MAPPING, name))

    def _wake(self, name: str, now: float) -> None:
        self._wire.alarms.set((Alarm.MAPPING, name), now + self._wire.config.limits.registrar.nat_ping_s)
