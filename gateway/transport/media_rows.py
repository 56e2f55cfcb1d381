"""The legs of one media worker: ports come from the broker, rows go into the plane, and both leave together.

    open        ask the broker for a port; when it comes, the leg has a row
    leased      a port has come: for a leg that was asked for, that a process before us had, or that another worker
                gave away, with what it was there
    move        give a leg to another worker: what it is and its sockets go to the broker in one message
    close       say goodbye, free the row, give the port back

A leg that a dead process left in the ledger goes on from there; one that comes with luggage goes on as if it
had always been here, bit for bit; any other begins.  Moves wait for the end of a tick, when everything that
happened to the leg has been told.
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, Final

from gateway.errors import GatewayError, LocalError
from gateway.ids import LegId
from gateway.media.events import RowClosed, event_as_map
from gateway.media.plane import Plane
from gateway.transport import media_luggage
from gateway.transport.media_io import MediaIo
from gateway.transport.media_links import BrokerLink

__all__ = ["Rows"]

_MOVES_A_TICK: Final = 4
"""Each takes some 0.3 ms."""

Say = Callable[[dict[str, Any]], None]


class Rows:
    """Who has a row here, through which port, and which switch asked for it."""

    def __init__(
        self, plane: Plane, io: MediaIo, broker: BrokerLink, say: Say, *, address: str, bound: str
    ) -> None:
        """`say` tells the switch; SDP names `address`, and other workers reach us at `bound`."""
        self._plane = plane
        self._io = io
        self._broker = broker
        self._say = say
        self._address = address
        self._bound = _reachable(bound)
        self._ports: dict[LegId, int] = {}
        self._asked_for: dict[LegId, int] = {}
        """The epoch of the switch that last spoke of a leg."""
        self._leaving: deque[tuple[LegId, int]] = deque()
        self._inheriting = True
        self.epoch = 0
        """Of the switch that speaks to us now."""

    def __len__(self) -> int:
        return len(self._plane.legs)

    def asked(self, leg: LegId) -> None:
        """Note that the present switch knows a leg."""
        self._asked_for[leg] = self.epoch

    def open(self, leg: LegId, *, refusal: str | None) -> None:
        """Get a port for a leg, unless there is a reason to take no more; say the port of one that is open."""
        if leg in self._ports:
            self.asked(leg)
            self._say_opened(leg)
        elif refusal is not None:
            self._say({"refused": leg, "reason": refusal})
        else:
            self.asked(leg)
            self._broker.ask({"lease": leg})

    def broker_says(self, answer: dict[str, Any], fds: list[int], luggage: bytes, now: float) -> None:
        """Take an answer of the broker, and the descriptors and the luggage that came with it."""
        if "leased" in answer:
            self._leased(LegId(answer["leased"]), int(answer["port"]), fds, luggage, now)
        elif "refused" in answer:
            self._say({"refused": answer["refused"], "reason": answer["reason"]})
        elif "leases" in answer:
            self._inheriting = False
            self._plane.disown_rest()

    def _leased(self, leg: LegId, port: int, fds: list[int], luggage: bytes, now: float) -> None:
        expected = self._inheriting or luggage or leg in self._asked_for
        if not expected:  # closed before its port came
            self._give_back(leg, fds)
            return
        if leg in self._ports:  # asked for twice
            _close_all(fds)
            return
        row = self._row_for(leg, fds, luggage, now)
        self._ports[leg] = port
        self._asked_for.setdefault(leg, self.epoch)
        self._io.attach(row)
        if luggage:
            self._broker.ask({"arrived": leg})
        self._say_opened(leg)

    def _row_for(self, leg: LegId, fds: list[int], luggage: bytes, now: float) -> int:
        """Return the leg's row: left in the ledger, unpacked, or begun."""
        rtp_fd, rtcp_fd = fds
        row = self._plane.adopt(leg, rtp_fd=rtp_fd, rtcp_fd=rtcp_fd, now=now)
        if row is not None:
            return row
        if luggage:
            try:
                snapshot = media_luggage.unpack_untrusted(luggage)
                self._plane.restore(snapshot, now, {leg: (rtp_fd, rtcp_fd)})
                return self._plane.row(leg)
            except (GatewayError, ValueError, TypeError):  # of another build: the leg begins anew
                self._forget_half(leg, now)
        return self._plane.open(leg, rtp_fd=rtp_fd, rtcp_fd=rtcp_fd)

    def _forget_half(self, leg: LegId, now: float) -> None:
        """Take out of the plane what was put in of a leg before its luggage proved to be bad."""
        if leg in self._plane.legs:
            self._plane.close(leg, now)
            self.tell_events(left=leg)

    def _say_opened(self, leg: LegId) -> None:
        self._say({"opened": leg, "port": self._ports[leg], "address": self._address, "bound": self._bound})

    def move(self, leg: LegId, to: int) -> None:
        """Give a leg to another worker when the present tick is over."""
        self._leaving.append((leg, to))

    def hand_over(self, now: float) -> None:
        """Let legs go that shall leave, a few in each tick."""
        for _ in range(min(_MOVES_A_TICK, len(self._leaving))):
            leg, to = self._leaving.popleft()
            if leg not in self._ports:
                self._say({"absent": leg})
            else:
                self._let_go(leg, to, now)
                self._io.wait(0.0)  # packets do not wait for a second one

    def _let_go(self, leg: LegId, to: int, now: float) -> None:
        luggage = media_luggage.pack(self._plane.snapshot([leg]))
        if len(luggage) > media_luggage.MOST_BYTES:
            raise LocalError(f"leg {leg} has {len(luggage)} bytes of luggage")
        _close_all(self._detach(leg))
        self._plane.close(leg, now)
        self._asked_for.pop(leg, None)
        self._broker.ask({"move": leg, "to": to}, luggage)
        self.tell_events(left=leg)

    def close(self, leg: LegId, now: float) -> None:
        """Free a leg's row and port; one that has none is no error."""
        self._asked_for.pop(leg, None)
        if leg not in self._plane.legs:
            return
        self._io.send(self._plane.goodbye(leg, now, time.time()), rtcp=True)
        has_port = leg in self._ports
        fds = self._detach(leg) if has_port else []
        self._plane.close(leg, now)
        if has_port:
            self._give_back(leg, fds)
        self.tell_events()

    def _detach(self, leg: LegId) -> list[int]:
        """Stop listening for a leg and return its descriptors."""
        row = self._plane.row(leg)
        fields = self._plane.table.rows
        fds = [int(fields["rtp_fd"][row]), int(fields["rtcp_fd"][row])]
        self._io.detach(row)
        del self._ports[leg]
        return fds

    def _give_back(self, leg: LegId, fds: list[int]) -> None:
        _close_all(fds)
        self._broker.ask({"release": leg})

    def tell_events(self, *, left: LegId | None = None) -> None:
        """Tell the switch what happened; that a leg has `left` for another worker is not its end."""
        for event in self._plane.events():
            if not (isinstance(event, RowClosed) and event.leg == left):
                self._say(event_as_map(event))  # type: ignore[arg-type]  # the plane makes no worker events

    def reap(self, now: float, *, abandoned: bool) -> None:
        """Free the rows that the present switch has not asked for; all of them when there is no switch."""
        for leg in self._orphans(abandoned=abandoned):
            self.close(leg, now)

    def _orphans(self, *, abandoned: bool) -> Iterator[LegId]:
        for leg in self._plane.legs:
            if abandoned or self._asked_for.get(leg, 0) < self.epoch:
                yield leg


def _reachable(bound: str) -> str:
    """Return an address of this machine at which a socket that is bound there is reached."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(bound, bound)


def _close_all(fds: list[int]) -> None:
    for fd in fds:
        os.close(fd)
