"""One SIP connection over TCP, TLS, WS or WSS: limited until it shows who it is, and reaped.

A connection belongs to whoever opened it until it shows who it is.  Until then it counts against its address,
has to finish each message within 30 seconds and may be silent for two minutes; afterwards (a registration, an
authenticated call, or opened by ourselves) only a keepalive decides that it is dead, because closing it would
end the calls on it: the kernel's, and on a WebSocket its own pings too (RFC 5626, RFC 5923, RFC 7118).
"""

from __future__ import annotations

import asyncio
import socket
from collections import Counter, deque
from dataclasses import dataclass
from typing import Final, Protocol

from gateway.sip.flow import Flow
from gateway.transport.sip_wires import Wire

__all__ = ["KEEPALIVE", "Connection", "ConnectionOwner", "StreamLimits", "prepare_tcp"]

_PENDING_BYTES: Final = 256 << 10
"""What a connection may hold unsent; a peer that reads slower than that is cut off."""
KEEPALIVE: Final = {"TCP_KEEPIDLE": 20, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 3}
"""The kernel's own pings, in seconds and a number: a half-open connection is found in less than a minute."""
_NOWHERE: Final = ("", 0)


@dataclass(frozen=True, slots=True)
class StreamLimits:
    """What a connection may cost."""

    per_address: int = 50
    total: int = 10_000
    finish_message_s: float = 30.0
    idle_s: float = 120.0
    ping_s: float = 15.0
    """How often a WebSocket is asked; one that is silent for three times as long is dead."""


class ConnectionOwner(Protocol):
    """Who keeps the table of connections."""

    @property
    def limits(self) -> StreamLimits:
        """What an unproved connection may cost."""
        ...

    @property
    def counters(self) -> Counter[str]:
        """Where mishaps are counted."""
        ...

    def opened(self, connection: Connection) -> bool:
        """Take the connection in; False = there are too many."""
        ...

    def received(self, messages: list[bytes], flow: Flow) -> None:
        """Take complete messages."""
        ...

    def closed(self, connection: Connection) -> None:
        """Forget the connection."""
        ...


class Connection(asyncio.Protocol):
    """One connection, incoming or outgoing; before it is connected, what is sent waits."""

    def __init__(
        self, owner: ConnectionOwner, number: int, wire: Wire, transport: str, *, flow: Flow | None = None
    ) -> None:
        """`flow` is given for a connection of our own making: it is known before it is connected."""
        self.number: Final = number
        self.outgoing: Final = flow is not None
        self.flow = flow or Flow(transport, _NOWHERE, _NOWHERE, number)
        self._proved = self.outgoing
        self._owner = owner
        self._wire = wire
        self._transport: asyncio.Transport | None = None
        self._waiting: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._loop = asyncio.get_running_loop()
        self._last_heard = self._loop.time()
        self._half_since: float | None = None
        self._watch: asyncio.TimerHandle | None = None
        self._over = False

    @property
    def connected(self) -> bool:
        """The connection is up, or has been."""
        return self._transport is not None

    @property
    def proved(self) -> bool:
        """Whoever is at the other end has shown who it is."""
        return self._proved

    def prove(self) -> None:
        """From now on only its keepalive ends the connection."""
        self._proved = True
        self._check()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection into the table and send what waited for it."""
        assert isinstance(transport, asyncio.Transport)  # asyncio gives stream protocols a stream transport
        self._transport = transport
        _keep_alive(transport.get_extra_info("socket"))
        if not self.outgoing:
            local, remote = transport.get_extra_info("sockname"), transport.get_extra_info("peername")
            if remote is None:  # reset before we looked
                transport.abort()
                return
            self.flow = Flow(self.flow.transport, local[:2], remote[:2], self.number)
            if not self._owner.opened(self):
                transport.abort()
                return
        while self._waiting:
            transport.write(self._waiting.popleft())
        self._check()

    def data_received(self, data: bytes) -> None:
        """Pass on the messages that are whole; a wire at fault is answered and closed."""
        assert self._transport is not None  # data comes after connection_made
        self._last_heard = self._loop.time()
        messages = self._wire.received(data)
        self._transport.write(self._wire.replies())
        self._note_half_message()
        self._owner.received(messages, self.flow)
        if self._wire.fault is not None:
            self._count(self._wire.fault)
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the owner."""
        del exc
        self.fail()

    def send(self, message: bytes) -> None:
        """Write now, or when connected; never waits."""
        data = self._wire.written(message)
        if self._transport is None:
            self._waiting.append(data)
            self._waiting_bytes += len(data)
            if self._waiting_bytes > _PENDING_BYTES:
                self._give_up("slow_peer")
            return
        self._transport.write(data)
        if self._transport.get_write_buffer_size() > _PENDING_BYTES:
            self._give_up("slow_peer")

    def abort(self) -> None:
        """End the connection at once; `connection_lost` tells the owner."""
        if self._transport is not None:
            self._transport.abort()
        else:
            self._loop.call_soon(self.fail)

    def fail(self) -> None:
        """The connection is over, or never was."""
        if self._over:
            return
        self._over = True
        if self._watch is not None:
            self._watch.cancel()
        self._owner.closed(self)

    def _give_up(self, why: str) -> None:
        self._count(why)
        self.abort()

    def _count(self, what: str) -> None:
        self._owner.counters[f"{self.flow.transport}.{what}"] += 1

    def _note_half_message(self) -> None:
        """Start the time that a begun message has to be finished in."""
        if self._wire.pending == 0:
            self._half_since = None
        elif self._half_since is None:
            self._half_since = self._last_heard
            self._check()

    def _check(self) -> None:
        """Close a connection that is idle, dribbles or is dead, and look again when that could be next."""
        if self._over or self._transport is None:
            return
        now = self._loop.time()
        fault = self._overdue(now)
        if fault is not None:
            self._give_up(fault)
        elif not self._proved:
            self._watch_until(self._due())
        elif self._wire.pings:
            self._transport.write(self._wire.ping())
            self._watch_until(now + self._owner.limits.ping_s)

    def _overdue(self, now: float) -> str | None:
        """Return what the peer has failed to do in time, as a counter's name."""
        limits = self._owner.limits
        if self._proved:
            return "dead" if self._wire.pings and now >= self._last_heard + 3 * limits.ping_s else None
        if now >= self._last_heard + limits.idle_s:
            return "idle"
        if self._half_since is not None and now >= self._half_since + limits.finish_message_s:
            return "dribble"
        return None

    def _due(self) -> float:
        idle = self._last_heard + self._owner.limits.idle_s
        if self._half_since is None:
            return idle
        return min(idle, self._half_since + self._owner.limits.finish_message_s)

    def _watch_until(self, when: float) -> None:
        if self._watch is not None:
            self._watch.cancel()
        self._watch = self._loop.call_at(when, self._check)


def prepare_tcp(local_host: str, remote: tuple[str, int]) -> socket.socket:
    """Return a socket bound to an ephemeral port, so that our address is known before connecting."""
    prepared = socket.socket(socket.AF_INET6 if ":" in remote[0] else socket.AF_INET, socket.SOCK_STREAM)
    try:
        prepared.setblocking(False)
        prepared.bind((local_host, 0))
    except OSError:
        prepared.close()
        raise
    return prepared


def _keep_alive(connected: socket.socket) -> None:
    """Have the kernel find a half-open connection within a minute."""
    connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in KEEPALIVE.items():
        if hasattr(socket, option):  # macOS names the first one otherwise
            connected.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)
