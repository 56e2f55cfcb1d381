"""The trunks as they are now: which come first for a call, how their servers are, and what they carry.

The configuration says what a trunk is (`routing.Trunk`); this remembers what has become of it.  It knows no
socket and no clock: whoever calls, pings or registers says what came of it and when.  What changed in a
server's state is kept in `changes` until somebody logs it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from gateway.ids import IdSource
from gateway.sip.flow import Flow
from gateway.switch.routing import Trunk
from gateway.switch.trunk_health import Health, HealthInput, HealthState
from gateway.switch.trunk_load import Load, Permit

__all__ = ["HealthChange", "Trunks", "server_of"]

_GAUGE: Final[Mapping[HealthState, float]] = MappingProxyType(
    {HealthState.UP: 1.0, HealthState.SUSPECT: 0.5, HealthState.DOWN: 0.0}
)


@dataclass(frozen=True, slots=True)
class HealthChange:
    """A server of a trunk is in another state than before."""

    trunk: str
    server: str
    state: HealthState
    reason: str


class Trunks:
    """What is known of every trunk, by its name; one that was never used is up and carries nothing."""

    def __init__(self) -> None:
        self.counters: Final[Counter[str]] = Counter()
        """How often what happened, by trunk and kind: `carrier silent`."""
        self._servers: dict[str, dict[str, Health]] = {}
        self._loads: dict[str, Load] = {}
        self._contacts: dict[str, str] = {}
        self._registered: dict[str, bool] = {}
        self._changes: list[HealthChange] = []

    # Which, and in what order.

    def in_order(self, trunks: Iterable[Trunk], *, now: float, pick: Callable[[int], int]) -> Iterator[Trunk]:
        """Yield trunks by priority, by weighted chance within one; those that failed lately come last.

        `pick(n)` draws a number below n.
        """
        waiting = sorted(trunks, key=lambda each: (self._avoided(each.name, now), each.priority))
        while waiting:
            first = (self._avoided(waiting[0].name, now), waiting[0].priority)
            group = [each for each in waiting if (self._avoided(each.name, now), each.priority) == first]
            chosen = _by_weight(group, pick)
            yield chosen
            waiting.remove(chosen)

    def usable(self, trunk: str, flows: Sequence[Flow], *, now: float) -> list[Flow]:
        """Return the servers of a trunk that may be asked: in their order, those that failed lately last."""
        known = [(self._health(trunk, flow), flow) for flow in flows]
        allowed = [(health, flow) for health, flow in known if now >= health.forbidden_until]
        return [flow for _, flow in sorted(allowed, key=lambda each: now < each[0].avoid_until)]

    def admit(self, trunk: Trunk, now: float) -> Permit:
        """Take a place for a call, in either direction.

        Raises:
            Overload: the trunk carries what it may; the text says which limit it is.
        """
        return self._load(trunk).admit(now)

    def resume(self, trunk: Trunk) -> Permit:
        """Take a place for a call that a process before us began: it is there, whatever the limits say."""
        return self._load(trunk).resume()

    # What was learnt.

    def learn(
        self,
        trunk: str,
        flow: Flow,
        learnt: HealthInput,
        *,
        now: float,
        reason: str = "",
        retry_after_s: int | None = None,
    ) -> None:
        """Take in what was learnt of one server."""
        if learnt is not HealthInput.ANSWERED:
            self.counters[f"{trunk} {learnt.name.lower()}"] += 1
        health = self._health(trunk, flow)
        if health.learn(learnt, now, retry_after_s=retry_after_s):
            change = HealthChange(trunk, server_of(flow), health.state, reason or learnt.value)
            self._changes.append(change)

    def changes(self) -> list[HealthChange]:
        """Return what changed, in order, and forget it."""
        changes, self._changes = self._changes, []
        return changes

    def state(self, trunk: str) -> HealthState:
        """Return how the best server of a trunk is."""
        states = [health.state for health in self._servers.get(trunk, {}).values()]
        return max(states, key=_GAUGE.__getitem__, default=HealthState.UP)

    # Where carriers that we register with call us.

    def contact(self, trunk: str, ids: IdSource) -> str:
        """Return the user part under which the trunk's registrar shall know us: drawn once."""
        for contact, owner in self._contacts.items():
            if owner == trunk:
                return contact
        contact = ids.token(8)
        self._contacts[contact] = trunk
        return contact

    def registration(self, trunk: str, good: bool) -> None:
        """Take in whether we are registered."""
        self._registered[trunk] = good

    def of_contact(self, contact: str | None) -> str | None:
        """Return the trunk that calls `contact`, if it is one that we registered."""
        return None if contact is None else self._contacts.get(contact)

    # For /metrics.

    def health_gauge(self, names: Iterable[str]) -> dict[str, float]:
        """Return 1 for a trunk that is up, 0.5 for one that is suspect, 0 for one that is down."""
        return {name: _GAUGE[self.state(name)] for name in names}

    def calls_gauge(self) -> dict[str, float]:
        """Return how many calls each trunk carries."""
        return {name: float(load.calls) for name, load in self._loads.items()}

    def registered_gauge(self) -> dict[str, float]:
        """Return 1 for a trunk with which we are registered, 0 for one where that failed."""
        return {name: float(good) for name, good in self._registered.items()}

    def _load(self, trunk: Trunk) -> Load:
        load = self._loads.get(trunk.name)
        if load is None:
            load = Load(trunk.name, max_calls=trunk.max_calls, calls_per_s=trunk.calls_per_s)
            self._loads[trunk.name] = load
        return load

    def _health(self, trunk: str, flow: Flow) -> Health:
        return self._servers.setdefault(trunk, {}).setdefault(server_of(flow), Health())

    def _avoided(self, trunk: str, now: float) -> bool:
        """Tell whether every server that is known of a trunk failed lately."""
        known = self._servers.get(trunk, {}).values()
        return bool(known) and all(now < health.avoid_until for health in known)


def server_of(flow: Flow) -> str:
    """Name a server as logs and tables do."""
    return f"{flow.transport}:{flow.remote[0]}:{flow.remote[1]}"


def _by_weight(group: Sequence[Trunk], pick: Callable[[int], int]) -> Trunk:
    """Draw one: its chance is its share of the weights; those of weight 0 when nobody else is left."""
    total = sum(trunk.weight for trunk in group)
    if total == 0:
        return group[0]
    draw = pick(total)
    for trunk in group:
        draw -= trunk.weight
        if draw < 0:
            return trunk
    raise AssertionError("a draw below the sum of the weights falls on one of them")
