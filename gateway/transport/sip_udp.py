"""SIP over UDP: one non-blocking socket per listening address (RFC 3261 section 18).

The socket is read until it is empty before anything is handled, so that a burst waits in our memory, where
what is urgent goes first, and not in a full kernel buffer; the buffer itself is made large.  The kernel stamps
each datagram with the time at which it came: how old it is when we read it tells how busy we are.  Sending
never waits: a datagram that the kernel has no room for is dropped and counted, because UDP's retransmissions
(timers A, E and G) are the queue.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import sys
import time
from collections import Counter
from collections.abc import Callable
from typing import Final

from gateway.sip.flow import Flow

__all__ = ["UdpSocket", "age_s", "bind_udp", "source_address"]

_RECEIVE_BUFFER_BYTES: Final = 4 << 20
_DRAIN: Final = 256
"""Datagrams read in one go; then the loop gets its turn."""
_KEEPALIVE_BYTES: Final = 4
"""NAT keepalives are CRLFs or NULs of at most this length; no SIP message is."""
_LARGEST: Final = 65_535
_SO_TIMESTAMPNS: Final = 35
"""Have the kernel tell when a datagram came (socket(7)); Linux only, elsewhere all are fresh."""
_STAMP: Final = struct.Struct("@qq")
_STAMP_SPACE: Final = socket.CMSG_SPACE(_STAMP.size)
_OLDEST_S: Final = 2.0
"""No datagram is taken to be older: the stamps are wall time, which somebody may set."""


def bind_udp(host: str, port: int) -> socket.socket:
    """Return a bound, non-blocking socket with a receive buffer as large as the kernel allows."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_DGRAM)
    try:
        if family == socket.AF_INET6:
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER_BYTES)
        if sys.platform == "linux":
            bound.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        bound.setblocking(False)
        bound.bind((host, port))
    except OSError:
        bound.close()
        raise
    return bound


def source_address(remote: tuple[str, int]) -> str:
    """Return the address of ours from which packets to `remote` leave; no packet is sent."""
    family = socket.AF_INET6 if ":" in remote[0] else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((remote[0], remote[1] or 9))
        except OSError:
            return "::1" if family == socket.AF_INET6 else "127.0.0.1"
        return str(probe.getsockname()[0])


class UdpSocket:
    """One bound socket on the running loop.

    `receive` gets each datagram and its age in seconds; `batch_ended` is called when the socket is empty.
    """

    def __init__(
        self,
        bound: socket.socket,
        receive: Callable[[bytes, Flow, float], None],
        batch_ended: Callable[[], None],
        counters: Counter[str],
    ) -> None:
        host, port = bound.getsockname()[:2]
        self.local: Final[tuple[str, int]] = (host, port)
        self._wildcard = host in {"0.0.0.0", "::"}
        self._socket = bound
        self._receive = receive
        self._batch_ended = batch_ended
        self._counters = counters
        self._sources: dict[str, str] = {}
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(bound, self._readable)

    def flow_to(self, remote: tuple[str, int]) -> Flow:
        """Return the path from this socket to `remote`, with a local address that can be told to others."""
        return Flow("udp", (self._source(remote), self.local[1]), remote)

    def send(self, data: bytes, remote: tuple[str, int]) -> None:
        """Send one datagram, or count why not."""
        try:
            self._socket.sendto(data, remote)
        except BlockingIOError:
            self._counters["udp.send_buffer_full"] += 1
        except OSError:
            self._counters["udp.send_failed"] += 1

    def close(self) -> None:
        """Stop reading and give the port back."""
        self._loop.remove_reader(self._socket)
        self._socket.close()

    def _readable(self) -> None:
        read_at = time.time()
        for _ in range(_DRAIN):
            try:
                data, ancillary, _, address = self._socket.recvmsg(_LARGEST, _STAMP_SPACE)
            except BlockingIOError:
                break
            except OSError:  # an ICMP error about something sent before
                self._counters["udp.receive_failed"] += 1
                continue
            if len(data) <= _KEEPALIVE_BYTES:
                self._counters["udp.keepalive"] += 1
                continue
            self._receive(data, self.flow_to((address[0], address[1])), age_s(ancillary, read_at))
        self._batch_ended()

    def _source(self, remote: tuple[str, int]) -> str:
        if not self._wildcard:
            return self.local[0]
        source = self._sources.get(remote[0])
        if source is None:
            if len(self._sources) >= 4096:
                self._sources.clear()
            source = self._sources[remote[0]] = source_address(remote)
        return source


def age_s(ancillary: list[tuple[int, int, bytes]], read_at: float) -> float:
    """Return how long before `read_at`, in wall time, a datagram came; 0 where the kernel does not say."""
    for _, kind, data in ancillary:
        if kind == _SO_TIMESTAMPNS and len(data) >= _STAMP.size:
            seconds, nanoseconds = _STAMP.unpack_from(data)
            age: float = read_at - seconds - 1e-9 * nanoseconds
            return min(max(age, 0.0), _OLDEST_S)
    return 0.0
