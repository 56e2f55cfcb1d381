"""What comes to a row's socket and is no media: STUN and DTLS of browsers, on its way to the switch and back.

The plane tells such packets by their first byte (RFC 7983) and keeps at most 64 of them, counting what it must leave.
Here they get the name of their leg, if the switch has said that its `edge` is wanted; anybody else's are dropped.

A browser checks a path that works every few seconds, for ever.  So an answer of the switch may come with a lease: for
some seconds the same checks from the same address are answered here, and the switch is not told.  Whatever is another
address, other credentials or no success goes to the switch, and so does the first check after the lease.
"""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from gateway.errors import GatewayError
from gateway.ice.agent import Credentials, IceLite
from gateway.ids import LegId
from gateway.media.commands import RowState
from gateway.media.plane import Plane
from gateway.transport.media_io import MediaIo

__all__ = ["MediaEdge"]

_SUCCESS: Final = b"\x01\x01"
"""How a success response to a check begins."""


@dataclass(frozen=True, slots=True)
class _Lease:
    """What may be answered for a leg without the switch."""

    leg: LegId
    address: tuple[str, int]
    ice: IceLite
    until: float


class MediaEdge:
    """Which rows' packets go to the switch, and the way out for its answers."""

    def __init__(self, plane: Plane, io: MediaIo, clock: Callable[[], float] = time.monotonic) -> None:
        self._plane = plane
        self._io = io
        self._clock = clock
        self._legs: dict[int, LegId] = {}
        self._leases: dict[int, _Lease] = {}
        """By row, like the legs."""

    def heed(self, state: RowState) -> None:
        """Hand on what comes for a leg whose edge is wanted; call it when the plane has applied the state."""
        row = self._row(state.leg)
        if row is None:
            return
        self._legs.pop(row, None)
        if state.edge:
            self._legs[row] = state.leg

    def arrivals(self) -> Iterator[dict[str, Any]]:
        """Yield the messages that tell the switch what has come."""
        for row, source, data in self._io.edges():
            leg = self._legs.get(row)
            if leg is None:
                continue
            if self._row(leg) != row:  # closed, and perhaps another's by now
                del self._legs[row]
                continue
            if (answer := self._leased(row, leg, source, data)) is not None:
                self._send(row, source, answer)
                continue
            yield {"edge": leg, "from": list(source), "data": data}

    def send(self, leg: LegId, to: tuple[str, int], data: bytes, lease: Sequence[Any] | None = None) -> None:
        """Send bytes from the leg's RTP socket; what cannot be sent is lost, as packets are.

        `lease` is a ufrag, a password, and for how many seconds checks from there are answered here.
        """
        row = self._row(leg)
        if row is None or self._legs.get(row) != leg:
            return
        if lease is not None:
            ufrag, password, seconds = lease
            now = self._clock()
            self._leases[row] = _Lease(leg, to, IceLite(Credentials(ufrag, password), now), now + seconds)
        self._send(row, to, data)

    def _leased(self, row: int, leg: LegId, source: tuple[str, int], data: bytes) -> bytes | None:
        """Return the answer to a check that the switch need not see."""
        lease, now = self._leases.get(row), self._clock()
        if lease is None or (lease.leg, lease.address) != (leg, source) or now >= lease.until:
            return None
        answer = lease.ice.receive(data, source, now)
        return answer if answer is not None and answer.startswith(_SUCCESS) else None

    def _send(self, row: int, to: tuple[str, int], data: bytes) -> None:
        borrowed = socket.socket(fileno=int(self._plane.table.rows["rtp_fd"][row]))
        try:
            with contextlib.suppress(OSError):
                borrowed.sendto(data, socket.MSG_DONTWAIT, to)
        finally:
            borrowed.detach()

    def _row(self, leg: LegId) -> int | None:
        try:
            return self._plane.row(leg)
        except (GatewayError, KeyError):
            return None
