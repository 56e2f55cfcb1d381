"""What comes to a row's socket and is no media: STUN and DTLS of browsers, on its way to the switch and back.

The plane tells such packets by their first byte (RFC 7983) and keeps at most 64 of them, counting what it must leave.
Here they get the name of their leg, if the switch has said that its `edge` is wanted; anybody else's are dropped.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from typing import Any

from gateway.errors import GatewayError
from gateway.ids import LegId
from gateway.media.commands import RowState
from gateway.media.plane import Plane
from gateway.transport.media_io import MediaIo

__all__ = ["MediaEdge"]


class MediaEdge:
    """Which rows' packets go to the switch, and the way out for its answers."""

    def __init__(self, plane: Plane, io: MediaIo) -> None:
        self._plane = plane
        self._io = io
        self._legs: dict[int, LegId] = {}

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
            yield {"edge": leg, "from": list(source), "data": data}

    def send(self, leg: LegId, to: tuple[str, int], data: bytes) -> None:
        """Send bytes from the leg's RTP socket; what cannot be sent is lost, as packets are."""
        row = self._row(leg)
        if row is None or self._legs.get(row) != leg:
            return
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
