"""The broker's conversation with one media worker: JSON, one message a packet, descriptors beside it.

    media -> broker   {"lease": leg}      {"release": leg}
                      {"move": leg, "to": worker} + luggage     {"arrived": leg}
    broker -> media   {"leased": leg, "port": p} + 2 descriptors (RTP, RTCP), + luggage if the leg has moved
                      {"refused": leg, "reason": text}
                      {"leases": n}       after the leases that a new media process inherits

Luggage is what one worker has to tell the other about a leg; it follows the JSON after a zero byte and is not
looked into here.

A channel lives as long as one media process.  It opens with every lease that its worker holds, in the order
in which they were made, and `{"leases": n}`; so "tell me everything again" is the ordinary way in, also for a
leg that was on its way when the process died: it comes with its luggage until it is said to have arrived.

The pair is SOCK_SEQPACKET, which keeps packets whole and reports the other end's death; macOS has it not
and gets SOCK_DGRAM.  The supervisor never waits for a media process: what does not fit into the socket is
queued, and while the queue is long no further request is read, so its length is bounded by the leases plus
`BACKLOG`.
"""

from __future__ import annotations

import errno
import json
import socket
import sys
from collections import deque
from collections.abc import Mapping

from gateway.supervisor.broker import Lease, LeaseError, PortBroker

__all__ = ["BrokerChannel", "packet_pair"]

MAX_PACKET_BYTES = 192 * 1024
"""Below what a Unix socket takes in one packet (net.core.wmem_default, 208 KiB): a row's luggage is about 30."""
BACKLOG = 256
"""Answers that may wait for the media process before its requests are left unread."""
SHORTAGE = frozenset({errno.ENOBUFS, errno.ETOOMANYREFS})
"""Too many descriptors in flight (unix(7)) or, on macOS, a full buffer: no selector tells when it is over."""
SHORTAGE_S = 0.02
GONE = frozenset({errno.EPIPE, errno.ECONNRESET, errno.ECONNREFUSED, errno.ENOTCONN})
"""The media process has died; its exit status will say so."""


def packet_pair() -> tuple[socket.socket, socket.socket]:
    """Return a connected pair of Unix sockets that keep packets whole: (ours, the child's)."""
    kind = socket.SOCK_DGRAM if sys.platform == "darwin" else socket.SOCK_SEQPACKET
    ours, theirs = socket.socketpair(socket.AF_UNIX, kind)
    ours.setblocking(False)
    return ours, theirs


class BrokerChannel:
    """One media process's access to the broker.  Owns `end`."""

    def __init__(self, broker: PortBroker, end: socket.socket, worker: int = 0) -> None:
        self._broker = broker
        self._end = end
        self._worker = worker
        self._outgoing: deque[tuple[bytes, Lease | None]] = deque()
        self._retry_at = float("-inf")
        self.complaints: deque[str] = deque(maxlen=BACKLOG)
        """Reasons of refusals, for whoever reports them."""
        self.departed: deque[Lease] = deque()
        """Leases that this worker gave to another one, for whoever knows that one's channel."""
        inherited = broker.leases_of(worker)
        for lease in inherited:
            self.hand_over(lease)
        self._say({"leases": len(inherited)})

    def fileno(self) -> int:
        """Return the descriptor for a selector."""
        return self._end.fileno()

    @property
    def reading(self) -> bool:
        """Say whether the media process may ask for more."""
        return len(self._outgoing) < BACKLOG

    @property
    def writing(self) -> bool:
        """Say whether an answer waits for room in the socket."""
        return bool(self._outgoing) and self.next_deadline() is None

    def next_deadline(self) -> float | None:
        """Return when to flush again after a shortage that the selector cannot see, or None."""
        return self._retry_at if self._outgoing and self._retry_at > float("-inf") else None

    def serve(self, now: float) -> bool:
        """Answer what has arrived and send what fits; False = the media process has closed its end."""
        alive = self._read(now)
        self.flush(now)
        return alive

    def hand_over(self, lease: Lease) -> None:
        """Send the worker a lease that it holds from now on."""
        message = _written({"leased": lease.leg, "port": lease.port})
        self._outgoing.append((message + b"\0" + lease.luggage if lease.luggage else message, lease))

    def flush(self, now: float) -> None:
        """Send queued packets in order, as many as fit."""
        self._retry_at = float("-inf")
        while self._outgoing:
            packet, lease = self._outgoing[0]
            try:
                self._send(packet, lease)
            except BlockingIOError:
                return
            except OSError as error:
                if error.errno in SHORTAGE:
                    self._retry_at = now + SHORTAGE_S
                    return
                if error.errno not in GONE:
                    raise
                self._outgoing.clear()
                return
            self._outgoing.popleft()

    def close(self, now: float) -> None:
        """End the channel after reading what its process still said: a release before a crash counts."""
        self._outgoing.clear()
        self._read(now)
        self._end.close()

    def _read(self, now: float) -> bool:
        was_reset = False
        while self.reading:
            try:
                packet = self._end.recv(MAX_PACKET_BYTES)
            except BlockingIOError:
                return True
            except ConnectionResetError:
                # Who dies with answers unread resets the pair; what it said before is read after the error.
                if was_reset:
                    return False
                was_reset = True
                continue
            if not packet:
                return False
            self._answer(packet, now)
        return True

    def _answer(self, packet: bytes, now: float) -> None:
        head, _, luggage = packet.partition(b"\0")
        match _parsed(head):
            case {"lease": str(leg)}:
                self._lease(leg, now)
            case {"release": str(leg)}:
                self._broker.release(leg, now, holder=self._worker)
            case {"move": str(leg), "to": int(to)}:
                self._move(leg, to, luggage)
            case {"arrived": str(leg)}:
                self._broker.arrived(leg, holder=self._worker)
            case _:
                self.complaints.append(f"the media process sent what is no request: {packet[:80]!r}")

    def _lease(self, leg: str, now: float) -> None:
        try:
            lease = self._broker.lease(leg, now, worker=self._worker)
        except LeaseError as error:
            self.complaints.append(str(error))
            self._say({"refused": leg, "reason": str(error)})
        else:
            self.hand_over(lease)

    def _move(self, leg: str, to: int, luggage: bytes) -> None:
        lease = self._broker.move(leg, holder=self._worker, to=to, luggage=luggage)
        if lease is None:
            self.complaints.append(f"leg {leg} is not worker {self._worker}'s to move")
        else:
            self.departed.append(lease)

    def _say(self, message: Mapping[str, str | int]) -> None:
        self._outgoing.append((_written(message), None))

    def _send(self, packet: bytes, lease: Lease | None) -> None:
        """Send one packet; a lease that was released while it waited here is not sent any more."""
        if lease is None:
            self._end.send(packet)
        elif lease.rtp.fileno() >= 0:
            socket.send_fds(self._end, [packet], [lease.rtp.fileno(), lease.rtcp.fileno()])


def _written(message: Mapping[str, str | int]) -> bytes:
    return json.dumps(message).encode()


def _parsed(packet: bytes) -> object:
    try:
        return json.loads(packet)
    except ValueError:
        return None
