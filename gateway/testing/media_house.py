"""A broker and its media workers as a model, for tests of `Placement`: messages wait in queues, processes die.

Nothing happens by itself: `step` lets one thing happen that can (a message arrives, a process starts), chosen by
whoever drives; `settle` lets everything happen until nothing is left.  What a leg is, its *stream*, is a number that a
worker draws when the leg begins and hands on when it moves; a stream that is drawn anew in the middle of a call is
what a phone would hear as a break.  What a process has said before it dies still arrives, as on real sockets.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace
from typing import Any, Final

from gateway.ids import LegId, RoomId
from gateway.media.commands import RowState
from gateway.media.events import MediaEvent
from gateway.transport.media_leg import PortOpened, PortRefused
from gateway.transport.media_placement import SEATS, Placement

__all__ = ["House", "state_of"]


def state_of(leg: str, room: str | None, generation: int = 1) -> RowState:
    """Return the state of an ordinary leg."""
    return RowState(
        leg=LegId(leg),
        generation=generation,
        remote=("192.0.2.9", 4000),
        remote_rtcp=None,
        send_codec="pcmu",
        send_pt=0,
        ptime_ms=20,
        receive={0: "pcmu"},
        event_send_pt=None,
        event_receive_pt=None,
        sending=True,
        receiving=True,
        room=None if room is None else RoomId(room),
    )


@dataclass(frozen=True)
class _Lease:
    port: int
    holder: int
    luggage: int | None = None
    """The stream, while the leg is on its way."""


@dataclass
class _Process:
    """A media worker: what lies in its ledger outlives its process."""

    alive: bool = False
    ledger: dict[str, int] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)
    """Stream by leg, of the process that lives."""
    rooms: dict[str, str | None] = field(default_factory=dict)
    from_switch: deque[dict[str, Any]] = field(default_factory=deque)
    to_switch: deque[dict[str, Any]] = field(default_factory=deque)
    to_broker: deque[tuple[Any, ...]] = field(default_factory=deque)
    from_broker: deque[tuple[str, _Lease]] = field(default_factory=deque)


class House:
    """`workers` media workers, a broker, and the placement that is tested."""

    def __init__(self, workers: int, *, seats: int = SEATS) -> None:
        self.placement: Final = Placement(workers, seats=seats)
        self.now = 0.0
        self.events: Final[list[MediaEvent | PortOpened | PortRefused]] = []
        self.workers: Final = [_Process() for _ in range(workers)]
        self.leases: Final[dict[str, _Lease]] = {}
        self.begun: Final[list[str]] = []
        """The leg of each stream, by its number."""
        self.remotes: Final[dict[str, tuple[str, int]]] = {}
        """Where each leg was last told to send."""
        for number in range(workers):
            self.start(number)

    # What the switch does.

    def open(self, leg: str) -> None:
        """Ask for a port."""
        self.placement.open(LegId(leg), self.now)
        self._take()

    def join(self, leg: str, room: str | None) -> None:
        """Put a leg into a room."""
        self.placement.set(state_of(leg, room))
        self._take()

    def close(self, leg: str) -> None:
        """Close a leg."""
        self.placement.close(LegId(leg))
        self._take()

    # What can happen.

    def choices(self) -> list[tuple[str, int]]:
        """Return everything that can happen next."""
        found = []
        for number, worker in enumerate(self.workers):
            found += [("hear", number)] * bool(worker.to_switch) + [("ask", number)] * bool(worker.to_broker)
            if worker.alive:
                found += [("lease", number)] * bool(worker.from_broker)
                found += [("obey", number)] * bool(worker.from_switch)
            elif not worker.to_broker and not worker.to_switch:
                found += [("start", number)]
        return found

    def step(self, deed: str, number: int) -> None:
        """Let one of the choices happen."""
        worker = self.workers[number]
        match deed:
            case "hear":
                self._hear(number, worker.to_switch.popleft())
            case "ask":
                self._ask(number, *worker.to_broker.popleft())
            case "lease":
                self._leased(worker, *worker.from_broker.popleft())
            case "obey":
                self._obey(worker, worker.from_switch.popleft())
            case "start":
                self.start(number)
        self._take()

    def settle(self) -> None:
        """Let everything happen; where nothing can, time goes on until nobody waits any more."""
        for _ in range(10_000):
            if choices := self.choices():
                self.step(*choices[0])
            elif (deadline := self.placement.next_deadline()) is not None:
                self.now = deadline
                self.placement.deadline_reached(self.now)
                self._take()
            else:
                return
        raise AssertionError(f"it never ends: {self.leases}")

    def kill(self, number: int) -> None:
        """Kill a worker's process; its rows stay in the ledger, what it has said is on its way."""
        worker = self.workers[number]
        if worker.alive:
            worker.alive = False
            worker.ledger = dict(worker.rows)
            worker.rows, worker.rooms = {}, {}
            worker.from_switch.clear()
            worker.from_broker.clear()
            self.placement.lost(number)
            self._take()

    def start(self, number: int) -> None:
        """Start a worker's next process: it inherits its leases and greets the switch."""
        worker = self.workers[number]
        worker.alive = True
        for leg, lease in self.leases.items():
            if lease.holder == number:
                self._leased(worker, leg, lease)
        worker.ledger = {}
        worker.to_switch.clear()
        legs = frozenset(LegId(leg) for leg in worker.rows)
        self.placement.joined(number, legs, self.now, inherited=False)
        self._take()

    # How they do it.

    def _take(self) -> None:
        for number, message in self.placement.transmit():
            if self.workers[number].alive:
                self.workers[number].from_switch.append(dict(message))
        self.events.extend(self.placement.events())

    def _hear(self, number: int, message: dict[str, Any]) -> None:
        if self.workers[number].alive:
            self.placement.receive(number, message, self.now)

    def _ask(self, number: int, wish: str, leg: str, *more: Any) -> None:
        lease = self.leases.get(leg)
        if wish == "lease":
            lease = replace(lease, holder=number) if lease else _Lease(10_000 + 2 * len(self.begun), number)
            self._hand_over(leg, lease)
        elif lease is not None and lease.holder == number:
            match wish:
                case "move":
                    to, stream = more
                    self._hand_over(leg, replace(lease, holder=to, luggage=stream))
                case "arrived":
                    self.leases[leg] = replace(lease, luggage=None)
                case "release":
                    del self.leases[leg]

    def _hand_over(self, leg: str, lease: _Lease) -> None:
        self.leases[leg] = lease
        if self.workers[lease.holder].alive:
            self.workers[lease.holder].from_broker.append((leg, lease))

    def _leased(self, worker: _Process, leg: str, lease: _Lease) -> None:
        if leg not in self.leases:  # closed meanwhile: its descriptors were not sent
            return
        if leg not in worker.rows:
            known = worker.ledger.pop(leg, lease.luggage)
            worker.rows[leg] = self._begin(leg) if known is None else known
            worker.rooms[leg] = None
        worker.to_broker.append(("arrived", leg))
        worker.to_switch.append({"opened": leg, "port": lease.port, "address": "192.0.2.1"})

    def _begin(self, leg: str) -> int:
        self.begun.append(leg)
        return len(self.begun) - 1

    def _obey(self, worker: _Process, message: dict[str, Any]) -> None:
        match message:
            case {"open": leg} | {"reopen": leg}:
                if leg in worker.rows:
                    port = self.leases[leg].port
                    worker.to_switch.append({"opened": leg, "port": port, "address": "192.0.2.1"})
                else:
                    worker.to_broker.append(("lease", leg))
            case {"move": leg, "to": to}:
                if leg in worker.rows:
                    worker.to_broker.append(("move", leg, to, worker.rows.pop(leg)))
                    del worker.rooms[leg]
                else:
                    worker.to_switch.append({"absent": leg})
            case {"set": fields}:
                if fields["leg"] in worker.rows:
                    worker.rooms[fields["leg"]] = fields["room"]
                    self.remotes[fields["leg"]] = tuple(fields["remote"])
            case {"close": leg}:
                if worker.rows.pop(leg, None) is not None:
                    del worker.rooms[leg]
                    worker.to_broker.append(("release", leg))
