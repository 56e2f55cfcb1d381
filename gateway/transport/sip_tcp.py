"""SIP over TCP: framed messages on connections that are reused, limited and reaped.

A connection belongs to whoever opened it until it shows who it is.  Until then it counts against its
address, has to finish each message within 30 seconds and may be silent for two minutes; afterwards (a
registration, an authenticated call, or opened by ourselves) only the kernel's keepalive decides that it is
dead, because closing it would end the calls on it.  RFC 3261 section 18.3 (framing), RFC 5626 (keepalive),
RFC 5923 (reuse).
"""

from __future__ import annotations

import asyncio
import socket
from collections import Counter, deque
from dataclasses import dataclass
from typing import Final, Protocol

from gateway.errors import BadMessage
from gateway.sip.flow import Flow
from gateway.sip.framer import PING, PONG, StreamFramer
from gateway.sip.message import Request, parse_message_untrusted, respond

__all__ = ["Connection", "ConnectionOwner", "StreamLimits", "prepare_tcp"]

_PENDING_BYTES: Final = 256 << 10
"""What a connection may hold unsent; a peer that reads slower than that is cut off."""


@dataclass(frozen=True, slots=True)
class StreamLimits:
    """What an unproved connection may cost."""

    per_address: int = 50
    total: int = 10_000
    finish_message_s: float = 30.0
    idle_s: float = 120.0


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
    """One TCP connection, incoming or outgoing; before it is connected, what is sent waits."""

    def __init__(self, owner: ConnectionOwner, number: int, *, flow: Flow | None = None) -> None:
        """`flow` is given for a connection of our own making: it is known before it is connected."""
        self.number: Final = number
        self.outgoing: Final = flow is not None
        self.proved = self.outgoing
        self.flow = flow or Flow("tcp", ("", 0), ("", 0), number)
        self._owner = owner
        self._framer = StreamFramer()
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
            self.flow = Flow("tcp", local[:2], remote[:2], self.number)
            if not self._owner.opened(self):
                transport.abort()
                return
        while self._waiting:
            transport.write(self._waiting.popleft())
        self._check()

    def data_received(self, data: bytes) -> None:
        """Cut messages out of the stream; one that cannot be framed has no next message and is closed."""
        self._last_heard = self._loop.time()
        try:
            messages = self._framer.feed(data)
        except BadMessage:
            self._owner.counters["tcp.bad_framing"] += 1
            self._refuse(self._framer.rejected)
            return
        self._note_half_message()
        for _ in range(messages.count(PING)):
            self.send(PONG)
        self._owner.received([message for message in messages if message != PING], self.flow)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the owner."""
        del exc
        self.fail()

    def send(self, data: bytes) -> None:
        """Write now, or when connected; never waits."""
        if self._transport is None:
            self._waiting.append(data)
            self._waiting_bytes += len(data)
            if self._waiting_bytes > _PENDING_BYTES:
                self._owner.counters["tcp.slow_peer"] += 1
                self.abort()
            return
        self._transport.write(data)
        if self._transport.get_write_buffer_size() > _PENDING_BYTES:
            self._owner.counters["tcp.slow_peer"] += 1
            self.abort()

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

    def _refuse(self, rest: bytes) -> None:
        """Answer 400 if what lost the framing is a request at all, and close (RFC 3261 section 18.3)."""
        try:
            message = parse_message_untrusted(rest)
            if isinstance(message, Request) and message.method != "ACK" and self._transport is not None:
                self._transport.write(respond(message, 400, "Bad framing").to_bytes())
        except BadMessage:
            pass  # then there is nobody to answer
        if self._transport is not None:
            self._transport.close()

    def _note_half_message(self) -> None:
        """Start the time that a begun message has to be finished in."""
        if self._framer.pending <= len(PING):  # nothing, or a keepalive in the making
            self._half_since = None
        elif self._half_since is None:
            self._half_since = self._last_heard
            self._check()

    def _check(self) -> None:
        """Close an unproved connection that is idle or dribbles, and look again when that could be next."""
        if self._over or self.proved:
            return
        now, limits = self._loop.time(), self._owner.limits
        if now >= self._last_heard + limits.idle_s:
            self._owner.counters["tcp.idle"] += 1
            self.abort()
        elif self._half_since is not None and now >= self._half_since + limits.finish_message_s:
            self._owner.counters["tcp.dribble"] += 1
            self.abort()
        else:
            self._watch_until(self._due())

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
    for option, value in (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 3)):
        if hasattr(socket, option):  # macOS names the first one otherwise
            connected.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)
