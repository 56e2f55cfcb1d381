"""The port broker: who holds which RTP port, and why it outlives the process that speaks on it.

What does it do?  It binds the RTP and RTCP sockets of every leg (an even port and the odd one above it, RFC
3550 section 11) and keeps a copy of both descriptors.  The media process gets another copy and does all the
talking.

Why so?  A socket lives as long as any copy of its descriptor.  When the media process is killed, packets go
on queueing in the kernel, no phone sees an ICMP error, and the next media process reads on where the last
one stopped.

Rules:
- A port belongs to one leg; asking again for a leg returns the lease that it has.
- A released port rests 5 s: late packets of the old call must not be heard in a new one.
- Ports are handed out in turn from a start that an attacker cannot guess, so each is reused as late as
possible.
- At the limit of descriptors or ports a lease is refused with a reason; nothing fails half way.

`now` is monotonic seconds.  The wire side of the broker is `gateway.supervisor.channel`.
"""

from __future__ import annotations

import errno
import secrets
import socket
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

__all__ = ["Lease", "LeaseError", "PortBroker"]

REST_S = 5.0
"""How long a released port stays silent."""
RESERVE = 64
"""Descriptors kept for everything that is not a lease: pipes, control sockets, the next child."""
TRIES = 64
"""Ports tried for one lease when other programs sit in the range."""
RTP_BUFFER_BYTES = 128 * 1024
"""Asked of the kernel, which doubles it: about 5 s of G.711 while a media process restarts."""
RTCP_BUFFER_BYTES = 16 * 1024


class LeaseError(Exception):
    """No port for this leg; the text says why, for a log line and for the caller's 503."""


@dataclass(frozen=True, slots=True)
class Lease:
    """The sockets of one leg."""

    leg: str
    port: int
    """The RTP port, even; RTCP is the one above."""
    rtp: socket.socket
    rtcp: socket.socket

    def close(self) -> None:
        """Close our copies; the port is free once the media process has closed its own."""
        self.rtp.close()
        self.rtcp.close()


class PortBroker:
    """Leases of RTP port pairs on one address.

    Args:
        address: IPv4 or IPv6 address to bind.
        pairs: the even ports that may be used.
        descriptor_limit: RLIMIT_NOFILE of the processes that hold leases.
        start: index in `pairs` of the first port; None = drawn by chance.
    """

    def __init__(
        self, address: str, pairs: Sequence[int], *, descriptor_limit: int, start: int | None = None
    ) -> None:
        first = secrets.randbelow(len(pairs)) if start is None else start
        self._address = address
        self._family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self._size = len(pairs)
        self._descriptor_limit = descriptor_limit
        self._free = deque([*pairs[first:], *pairs[:first]])
        self._resting: deque[tuple[float, int]] = deque()
        self._leases: dict[str, Lease] = {}

    def __iter__(self) -> Iterator[Lease]:
        """Yield the leases in the order in which they were made."""
        return iter(tuple(self._leases.values()))

    def __len__(self) -> int:
        return len(self._leases)

    def lease(self, leg: str, now: float) -> Lease:
        """Return the lease of `leg`, made now if it has none.

        Raises:
            LeaseError: ports or descriptors have run out, or the address cannot be bound.
        """
        if held := self._leases.get(leg):
            return held
        self._end_rests(now)
        if 2 * (len(self._leases) + 1) + RESERVE > self._descriptor_limit:
            raise LeaseError(f"the limit of {self._descriptor_limit} descriptors is reached (ulimit -n)")
        lease = self._bind_next(leg, now)
        self._leases[leg] = lease
        return lease

    def release(self, leg: str, now: float) -> None:
        """End the lease of `leg`; its port rests.  A leg without a lease is no error: releases may repeat."""
        if lease := self._leases.pop(leg, None):
            lease.close()
            self._resting.append((now + REST_S, lease.port))

    def close(self) -> None:
        """End every lease."""
        for lease in self._leases.values():
            lease.close()
        self._leases.clear()

    def _end_rests(self, now: float) -> None:
        while self._resting and self._resting[0][0] <= now:
            self._free.append(self._resting.popleft()[1])

    def _bind_next(self, leg: str, now: float) -> Lease:
        """Bind the next free pair; a port that another program holds rests like a released one."""
        for _ in range(min(TRIES, len(self._free))):
            port = self._free.popleft()
            try:
                return self._bind(leg, port)
            except OSError as error:
                self._resting.append((now + REST_S, port))
                if error.errno != errno.EADDRINUSE:
                    raise LeaseError(f"cannot bind {self._address} port {port}: {error.strerror}") from error
        taken = f"{len(self._leases)} leased, {len(self._resting)} resting or taken by other programs"
        raise LeaseError(f"no free port pair among {self._size}: {taken}")

    def _bind(self, leg: str, port: int) -> Lease:
        rtp = self._socket(port, RTP_BUFFER_BYTES)
        try:
            return Lease(leg, port, rtp, self._socket(port + 1, RTCP_BUFFER_BYTES))
        except OSError:
            rtp.close()
            raise

    def _socket(self, port: int, buffer_bytes: int) -> socket.socket:
        """Return a bound, non-blocking UDP socket: both properties travel with the descriptor."""
        bound = socket.socket(self._family, socket.SOCK_DGRAM)
        try:
            bound.setblocking(False)
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer_bytes)
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, buffer_bytes)
            if self._family == socket.AF_INET6:
                bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            bound.bind((self._address, port))
        except OSError:
            bound.close()
            raise
        return bound
