"""Two SIP engines joined in memory, in virtual time.

Tests make one engine say something and hand the bytes to the other; the network between them is a callable
that may lose, repeat or delay each datagram.  Time moves only when nothing else can happen, straight to the
next deadline or arrival, so half a minute of retransmissions takes no time at all and comes out the same on
every run.

    pair = SipPair()
    call = pair.alice.invite(...)
    pair.exchange()                     # all that happens without time passing
    pair.drop(1)                        # the next datagram is lost
    pair.run_until(lambda: pair.alice.has(SessionEnded))

When a test fails, `print(pair.ladder())` shows every message with its time and fate.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeVar

from gateway.ids import SeededIds
from gateway.sip.endpoint import Endpoint, EndpointConfig
from gateway.sip.events import (
    Event,
    SessionId,
    SessionOffered,
)
from gateway.sip.flow import Flow
from gateway.sip.headers import NameAddr
from gateway.sip.uri import parse_uri_untrusted

__all__ = ["ANSWER", "OFFER", "Fate", "Line", "Peer", "SipPair", "bad_network"]

OFFER: Final = b"v=0\r\no=alice 1 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\n"
ANSWER: Final = b"v=0\r\no=bob 1 1 IN IP4 192.0.2.2\r\ns=-\r\nt=0 0\r\n"
_MAX_STEPS: Final = 100_000

E = TypeVar("E", bound=Event)
Fate = tuple[float, ...]
"""After how many seconds each copy of a datagram arrives: () is loss, two entries are a duplicate."""


@dataclass(frozen=True, slots=True)
class Line:
    """One datagram on the ladder."""

    at: float
    sender: str
    data: bytes
    fate: Fate

    @property
    def start(self) -> str:
        """Return its first line: method or status."""
        first = self.data.partition(b"\r\n")[0].decode()
        return first.removeprefix("SIP/2.0 ") if first.startswith("SIP/2.0") else first.partition(" ")[0]


@dataclass(slots=True)
class Peer:
    """One of the two ends: an engine, its flow to the other, and what it reported so far."""

    name: str
    endpoint: Endpoint
    flow: Flow
    events: list[Event] = field(default_factory=list)

    def all(self, kind: type[E]) -> list[E]:
        """Return the events of one kind, in order."""
        return [event for event in self.events if isinstance(event, kind)]

    def last(self, kind: type[E]) -> E:
        """Return the latest event of one kind, which must be there."""
        found = self.all(kind)
        assert found, f"{self.name} has no {kind.__name__}: {self.events}"
        return found[-1]

    def has(self, kind: type[Event]) -> bool:
        """Tell whether an event of this kind came."""
        return any(isinstance(event, kind) for event in self.events)

    @property
    def session(self) -> SessionId:
        """Return the session of the latest call that this end was offered."""
        return self.last(SessionOffered).session


class SipPair:
    """Alice and Bob, who trust each other's address unless they are configured otherwise."""

    def __init__(
        self,
        *,
        transport: str = "udp",
        network: Callable[[Line], Fate] | None = None,
        alice: EndpointConfig | None = None,
        bob: EndpointConfig | None = None,
        seed: int = 1,
    ) -> None:
        connection = None if transport == "udp" else 1
        a, b = ("192.0.2.1", 5060), ("192.0.2.2", 5060)
        trusting_b = EndpointConfig(contact_user="alice", trusted_sources=frozenset({b[0]}))
        trusting_a = EndpointConfig(contact_user="bob", trusted_sources=frozenset({a[0]}))
        self.now = 0.0
        self.alice = Peer(
            "alice",
            Endpoint(alice or trusting_b, SeededIds(2 * seed)),
            Flow(transport, a, b, connection),
        )
        self.bob = Peer(
            "bob",
            Endpoint(bob or trusting_a, SeededIds(2 * seed + 1)),
            Flow(transport, b, a, connection),
        )
        self.lines: list[Line] = []
        self.when: Mapping[type[Event], Callable[[Peer, Event], None]] = {}
        """What the users do as soon as an event is reported."""
        self._network = network or (lambda line: (0.0,))
        self._to_drop: list[Callable[[Line], bool]] = []
        self._underway: list[tuple[float, int, Peer, bytes]] = []
        self._serial = 0

    # what tests say

    def call(self, *, sdp: bytes | None = OFFER, headers: tuple[tuple[str, str], ...] = ()) -> SessionId:
        """Let Alice call Bob; nothing has arrived yet."""
        return self.alice.endpoint.invite(
            target=parse_uri_untrusted("sip:bob@192.0.2.2"),
            flow=self.alice.flow,
            from_=NameAddr("Alice", parse_uri_untrusted("sip:alice@192.0.2.1")),
            sdp=sdp,
            headers=headers,
            now=self.now,
        )

    def talk(self) -> SessionId:
        """Let Alice call Bob and Bob answer, until both are in the call; return Alice's session."""
        call = self.call()
        self.exchange()
        self.bob.endpoint.answer(self.bob.session, sdp=ANSWER, now=self.now)
        self.exchange()
        return call

    def drop(self, n: int = 1, *, start: str = "") -> None:
        """Lose the next `n` datagrams (whose first line starts with `start`, e.g. "ACK" or "200")."""
        for _ in range(n):
            self._to_drop.append(lambda line: line.start.startswith(start))

    def exchange(self) -> None:
        """Deliver everything, and everything that follows from it, without time passing."""
        for _ in range(_MAX_STEPS):
            self._collect()
            if not self._underway or self._underway[0][0] > self.now:
                return
            _, _, peer, data = heapq.heappop(self._underway)
            peer.endpoint.receive(data, peer.flow, self.now)
        raise AssertionError(f"they never stop talking:\n{self.ladder()}")

    def run(self, seconds: float) -> None:
        """Let that much time pass, with all that happens in it."""
        end = self.now + seconds
        for _ in range(_MAX_STEPS):
            self.exchange()
            at = self._next()
            if at is None or at > end:
                self.now = end
                return
            self._jump(at)
        raise AssertionError(f"there is no end to it:\n{self.ladder()}")

    def run_until(self, true: Callable[[], bool], *, at_most: float = 300.0) -> None:
        """Let time pass until `true()`; that it becomes true within `at_most` seconds is asserted."""
        end = self.now + at_most
        self.exchange()
        while not true():
            at = self._next()
            if at is None or at > end:
                raise AssertionError(f"it never became true:\n{self.ladder()}")
            self._jump(at)
            self.exchange()

    def run_quiet(self) -> None:
        """Let time pass until nothing is waited for any more."""
        self.run_until(lambda: self._next() is None, at_most=3600.0)

    def said(self, peer: Peer | None = None) -> list[str]:
        """Return the first lines of what was sent (by one end)."""
        return [line.start for line in self.lines if peer is None or line.sender == peer.name]

    def sent(self, start: str) -> list[bytes]:
        """Return the datagrams whose first line starts with `start`."""
        return [line.data for line in self.lines if line.start.startswith(start)]

    def ladder(self) -> str:
        """Draw what was sent, when, by whom, and what became of it."""
        rows = []
        for line in self.lines:
            arrow = "--->" if line.sender == "alice" else "<---"
            fate = "lost" if not line.fate else "" if line.fate == (0.0,) else f"arrives after {line.fate}"
            rows.append(f"{line.at:9.3f}  alice {arrow} bob  {line.start}  {fate}")
        return "\n".join(rows)

    def assert_quiet(self) -> None:
        """Assert that nothing is held at either end, and that no fault of ours was met."""
        for peer in (self.alice, self.bob):
            assert not peer.endpoint.faults, "\n".join(peer.endpoint.faults)
            census = peer.endpoint.census()
            assert not any(census.values()), f"{peer.name} still holds {census}:\n{self.ladder()}"

    # how time and bytes move

    def _collect(self) -> None:
        """Take what both ends have to say: events to their users, datagrams to the network."""
        for peer, other in ((self.alice, self.bob), (self.bob, self.alice)):
            self._hear(peer)
            for datagram in peer.endpoint.transmit(self.now):
                line = Line(self.now, peer.name, datagram.data, ())
                self._post(other, Line(line.at, line.sender, line.data, self._fate(line)))

    def _hear(self, peer: Peer) -> None:
        for event in peer.endpoint.events():
            peer.events.append(event)
            react = self.when.get(type(event))
            if react is not None:
                react(peer, event)

    def _fate(self, line: Line) -> Fate:
        for index, matches in enumerate(self._to_drop):
            if matches(line):
                del self._to_drop[index]
                return ()
        return self._network(line)

    def _post(self, to: Peer, line: Line) -> None:
        self.lines.append(line)
        for delay_s in line.fate:
            self._serial += 1
            heapq.heappush(self._underway, (self.now + delay_s, self._serial, to, line.data))

    def _next(self) -> float | None:
        deadlines = [self._underway[0][0]] if self._underway else []
        for peer in (self.alice, self.bob):
            deadline = peer.endpoint.next_deadline()
            if deadline is not None:
                deadlines.append(deadline)
        return min(deadlines, default=None)

    def _jump(self, at: float) -> None:
        self.now = max(self.now, at)
        for peer in (self.alice, self.bob):
            peer.endpoint.deadline_reached(self.now)


def bad_network(
    seed: int, *, loss: float, duplicate: float, reorder: float, delay_s: float = 0.02
) -> Callable[[Line], Fate]:
    """Return a network that loses, repeats and delays, the same way for the same seed."""
    chance = random.Random(seed)

    def fate(line: Line) -> Fate:
        if chance.random() < loss:
            return ()
        copies = 2 if chance.random() < duplicate else 1
        late = [chance.random() < reorder for _ in range(copies)]
        return tuple(delay_s * (1 + 10 * chance.random()) if held else delay_s for held in late)

    return fate
