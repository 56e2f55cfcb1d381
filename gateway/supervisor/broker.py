"""The port broker: who holds which RTP port, and why it outlives the process that speaks on it.

What does it do?  It binds the RTP and RTCP sockets of every leg (an even port and the odd one above it, RFC
3550 section 11) and keeps a copy of both descriptors.  The media worker that holds the lease gets another
copy and does all the talking.

Why so?  A socket lives as long as any copy of its descriptor.  When a media worker is killed, packets go
on queueing in the kernel, no phone sees an ICMP error, and the next process of that worker reads on where the
last one stopped.  A leg that moves to another worker takes its sockets along, and the packets in them.

Rules:
- A port belongs to one leg and a leg to one worker; asking again for a leg returns the lease that it has.
- A leg on its way between two workers leaves its luggage here (an opaque image of its row) until it has
arrived: so the death of either worker loses neither the sockets nor the stream.
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
from collections.abc import Sequence
from dataclasses import dataclass, replace

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
    worker: int = 0
    """Number of the media worker that holds it."""
    luggage: bytes = b""
    """What the worker before wrote about the leg, until the present one has read it."""

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
        workers: how many workers a lease can be held by; they are numbered from 0.
        start: index in `pairs` of the first port; None = drawn by chance.
    """

    def __init__(
        self,
        address: str,
        pairs: Sequence[int],
        *,
        descriptor_limit: int,
        workers: int = 1,
        start: int | None = None,
    ) -> None:
        first = secrets.randbelow(len(pairs)) if start is None else start
        self._address = address
        self._family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self._size = len(pairs)
        self._workers = range(workers)
        self._descriptor_limit = descriptor_limit
        self._free = deque([*pairs[first:], *pairs[:first]])
        self._resting: deque[tuple[float, int]] = deque()
        self._leases: dict[str, Lease] = {}

    def __len__(self) -> int:
        return len(self._leases)

    def leases_of(self, worker: int) -> tuple[Lease, ...]:
        """Return the leases that a worker holds, in the order in which they were made."""
        return tuple(lease for lease in self._leases.values() if lease.worker == worker)

    def lease(self, leg: str, now: float, *, worker: int = 0) -> Lease:
        """Return the lease of `leg`, made now if it has none, for `worker` to hold.

        Raises:
            LeaseError: ports or descriptors have run out, or the address cannot be bound.
        """
        if leg in self._leases:
            return self._hold(leg, worker=worker)
        self._end_rests(now)
        if 2 * (len(self._leases) + 1) + RESERVE > self._descriptor_limit:
            raise LeaseError(f"the limit of {self._descriptor_limit} descriptors is reached (ulimit -n)")
        self._leases[leg] = self._bind_next(leg, now)
        return self._hold(leg, worker=worker)

    def move(self, leg: str, *, holder: int, to: int, luggage: bytes) -> Lease | None:
        """Give the lease of `leg` to another worker; None if `holder` has it not (any more), or there is no such."""
        if not self._is_held(leg, holder) or to not in self._workers:
            return None
        return self._hold(leg, worker=to, luggage=luggage)

    def arrived(self, leg: str, *, holder: int) -> None:
        """Forget the luggage of a leg: its worker has unpacked it."""
        if self._is_held(leg, holder):
            self._hold(leg, worker=holder, luggage=b"")

    def release(self, leg: str, now: float, *, holder: int = 0) -> None:
        """End the lease of `leg`; its port rests.

        A leg that `holder` does not hold is no error: releases may repeat, and may be said by a worker which
        the leg has left.
        """
        if self._is_held(leg, holder):
            lease = self._leases.pop(leg)
            lease.close()
            self._resting.append((now + REST_S, lease.port))

    def _is_held(self, leg: str, holder: int) -> bool:
        return leg in self._leases and self._leases[leg].worker == holder

    def _hold(self, leg: str, *, worker: int, luggage: bytes | None = None) -> Lease:
        held = self._leases[leg]
        self._leases[leg] = replace(held, worker=worker, luggage=held.luggage if luggage is None else luggage)
        return self._leases[leg]

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
