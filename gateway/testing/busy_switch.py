"""A switch that takes time, in virtual time: its inbox and its gate are real, its work is a number of seconds.

Calls are offered by sources at even rates.  One that is let in costs `_SETUP_S` when its INVITE is handled and the
rest of `CALL_S` when its BYE is, `_TALK_S` later; a refusal costs the time that it costs us.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from gateway.ids import SeededIds
from gateway.sip.admission import Admission
from gateway.sip.flow import Flow
from gateway.sip.inbox import Inbox
from gateway.testing.sip_script import sip_request

__all__ = ["CALL_S", "BusySwitch"]

CALL_S: Final = 0.005
_SETUP_S: Final = 0.003
_REFUSAL_S: Final = 0.0001
_TALK_S: Final = 2.0
_US: Final = ("198.51.100.1", 5060)


@dataclass(order=True, slots=True)
class _OnItsWay:
    at: float
    number: int
    data: bytes = field(compare=False)
    flow: Flow = field(compare=False)


class BusySwitch:
    """One server, with nothing to do but what is offered."""

    def __init__(self) -> None:
        self.now = 0.0
        self.admission = Admission()
        self.counters: Counter[str] = Counter()
        self.inbox = Inbox(self.admission, lambda _flow: False, SeededIds(1), self.counters)
        self.calls: Counter[str] = Counter()
        """Calls that were set up, by source."""
        self.offered: Counter[str] = Counter()
        self.refusals: list[bytes] = []
        self.waits_s: dict[bool, list[float]] = {False: [], True: []}
        """How long each message waited, begun work and new work apart."""
        self._coming: list[_OnItsWay] = []
        self._number = 0

    def run(self, seconds: float, rates_per_s: Mapping[str, float]) -> None:
        """Let some sources offer calls for a while."""
        end = self.now + seconds
        for source, rate_per_s in rates_per_s.items():
            for n in range(int(rate_per_s * seconds)):
                self._offer(source, self.now + n / rate_per_s)
        while self.now < end:
            self._let_arrive()
            self._step(end)

    def stall(self, seconds: float) -> None:
        """Do nothing for a while, whatever comes."""
        self.now += seconds

    def _offer(self, source: str, at: float) -> None:
        self._number += 1
        self.offered[source] += 1
        self._send(at, sip_request("INVITE", call_id=f"c{self._number}"), Flow("udp", _US, (source, 5060)))

    def _send(self, at: float, data: bytes, flow: Flow) -> None:
        self._number += 1
        heapq.heappush(self._coming, _OnItsWay(at, self._number, data, flow))

    def _let_arrive(self) -> None:
        while self._coming and self._coming[0].at <= self.now:
            coming = heapq.heappop(self._coming)
            self.inbox.put(coming.data, coming.flow, coming.at, self.now)
        refused = [datagram.data for datagram in self.inbox.refusals()]
        self.refusals += refused
        self.now += _REFUSAL_S * len(refused)

    def _step(self, end: float) -> None:
        arrived = self.inbox.take(self.now)
        if arrived is None:
            self.now = max(self.now, min(end, self._coming[0].at if self._coming else end))
            self.admission.settle(self.now)
            return
        self.waits_s[arrived.is_new].append(self.now - arrived.at)
        if arrived.is_new:
            self.now += _SETUP_S
            self.calls[arrived.flow.remote[0]] += 1
            self._send(self.now + _TALK_S, sip_request("BYE", to="<sip:x@h>;tag=1"), arrived.flow)
        else:
            self.now += CALL_S - _SETUP_S
