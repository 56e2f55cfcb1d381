"""Tells applications what waits in the outbox: DiCE and Notify, each at least once, those of one call in their order.

An item that could not be delivered (to the fallback neither) is tried again after 1 s, 2 s, 4 s and so on, from then
on every ten minutes, and given up at the first failure a day after it was written.  A restart loses nothing: what is
due, the store knows.  A repetition carries the same `ce-id`.

An application whose server answers has up to eight deliveries under way.  After a failure it has one, until one
succeeds: a dead server costs itself nearly nothing, and others nothing at all.  When a page of the outbox holds nothing
but items of applications that have all they may, a larger page is read, so that nobody starves behind them.

The worker sleeps until the outbox has news, until the next repetition that it knows of, or for five seconds: that is
for repetitions that a worker before it had put off.
"""

from __future__ import annotations

import asyncio
import heapq
import math
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final

import structlog

from gateway.clock import Clock
from gateway.svaml.ports import CallbackFailed, NoCallback
from gateway.switch.records import Notification
from gateway.switch.stores import Outbox

__all__ = ["AT_A_TIME", "GIVEN_UP_AFTER_S", "LONGEST_DELAY_S", "LOOK_S", "OutboxWorker", "delay_s"]

AT_A_TIME: Final = 8
"""Deliveries under way to an application whose server answers."""
LONGEST_DELAY_S: Final = 600.0
GIVEN_UP_AFTER_S: Final = 24 * 3600.0
LOOK_S: Final = 5.0
"""How long the outbox is left alone when nothing is known to be due."""

_PAGE: Final = 100
_LARGER: Final = 8
_APART_S: Final = 0.01
"""Between two looks: what ends or arrives meanwhile is one reason, not many."""
_FAULT_REST_S: Final = 10.0
"""What a fault of ours or of the store costs: so long this item is left alone."""

log = structlog.get_logger()


def delay_s(attempts: int) -> float:
    """Return the seconds to wait after so many failed attempts."""
    return min(2.0 ** min(attempts - 1, 16), LONGEST_DELAY_S)


@dataclass(slots=True)
class _Lane:
    """The deliveries to one application."""

    under_way: int = 0
    failing: bool = False
    """The last delivery that ended had failed."""

    @property
    def has_room(self) -> bool:
        return self.under_way < (1 if self.failing else AT_A_TIME)

    @property
    def is_idle(self) -> bool:
        return not self.under_way and not self.failing


class OutboxWorker:
    """Empties an outbox for as long as `run` runs.

    deliver: makes one attempt; raises NoCallback or CallbackFailed, e.g. `HttpBackend.deliver`.
    look_s: how long the outbox is left alone when nothing is known to be due.

    `counters` counts `delivered`, `put_off` and `given_up`.
    """

    def __init__(
        self,
        outbox: Outbox,
        deliver: Callable[[Notification], Awaitable[None]],
        clock: Clock,
        *,
        look_s: float = LOOK_S,
    ) -> None:
        self._outbox = outbox
        self._deliver = deliver
        self._clock = clock
        self._look_s = look_s
        self._lanes: dict[str, _Lane] = {}
        self._under_way: set[str] = set()
        self._repetitions: list[float] = []
        self._looked_at = 0.0
        self._counted_at = -math.inf
        self._n_waiting = 0
        self._reasons = asyncio.Event()
        """There is one to look: news, or a delivery that has ended."""
        self.counters: Counter[str] = Counter()

    def census(self) -> Mapping[str, float]:
        """Return the deliveries under way, the applications whose server does not answer, and what waits in all.

        What waits is counted every few seconds.
        """
        failing = sum(lane.failing for lane in self._lanes.values())
        return {"delivering": len(self._under_way), "failing": failing, "waiting": self._n_waiting}

    async def run(self) -> None:
        """Deliver until cancelled; what is then under way stays in the outbox."""
        async with asyncio.TaskGroup() as deliveries:
            deliveries.create_task(self._hear())
            while True:
                self._reasons.clear()
                try:
                    await self._start_due(deliveries)
                    await self._count()
                except Exception:
                    log.exception("outbox.fault_stopped")
                await self._rest()

    async def _count(self) -> None:
        now = self._clock.now()
        if now - self._counted_at >= self._look_s:
            self._counted_at = now
            self._n_waiting = await self._outbox.backlog()

    async def _hear(self) -> None:
        while True:
            await self._outbox.news()
            self._reasons.set()

    async def _start_due(self, deliveries: asyncio.TaskGroup) -> None:
        """Begin every delivery that is due and may begin."""
        self._looked_at = self._clock.wall()
        page = _PAGE
        while True:
            due = await self._outbox.due(self._looked_at, page)
            begun = [item for item in due if self._begin(item, deliveries)]
            if len(due) < page:
                return
            if not begun:
                page *= _LARGER

    def _begin(self, item: Notification, deliveries: asyncio.TaskGroup) -> bool:
        lane = self._lanes.setdefault(item.application.lower(), _Lane())
        if item.id in self._under_way or not lane.has_room:
            return False
        lane.under_way += 1
        self._under_way.add(item.id)
        deliveries.create_task(self._deliver_whatever_happens(item, lane))
        return True

    async def _rest(self) -> None:
        await asyncio.sleep(_APART_S)
        try:
            async with asyncio.timeout(self._patience_s()):
                await self._reasons.wait()
        except TimeoutError:
            pass

    def _patience_s(self) -> float:
        """Return how long there is nothing to do, as far as is known."""
        while self._repetitions and self._repetitions[0] <= self._looked_at:
            heapq.heappop(self._repetitions)
        if not self._repetitions:
            return self._look_s
        return min(self._look_s, max(0.0, self._repetitions[0] - self._clock.wall()))

    async def _deliver_whatever_happens(self, item: Notification, lane: _Lane) -> None:
        """Deliver one item; what goes wrong with it is nobody else's affair."""
        try:
            await self._deliver_once(item, lane)
        except Exception:
            log.exception("outbox.fault_stopped", call=item.call)
            await asyncio.sleep(_FAULT_REST_S)
        finally:
            self._end(item, lane)

    def _end(self, item: Notification, lane: _Lane) -> None:
        self._under_way.discard(item.id)
        lane.under_way -= 1
        if lane.is_idle:
            self._lanes.pop(item.application.lower(), None)
        self._reasons.set()

    async def _deliver_once(self, item: Notification, lane: _Lane) -> None:
        try:
            await self._deliver(item)
        except NoCallback as error:
            await self._give_up(item, str(error))
        except CallbackFailed as error:
            lane.failing = True
            await self._put_off(item, error.reason)
        else:
            lane.failing = False
            self.counters["delivered"] += 1
            await self._outbox.delivered(item.id)

    async def _put_off(self, item: Notification, reason: str) -> None:
        now = self._clock.wall()
        if now - item.created_at >= GIVEN_UP_AFTER_S:
            await self._give_up(item, reason)
            return
        next_at = now + delay_s(item.attempts + 1)
        self.counters["put_off"] += 1
        await self._outbox.failed(item.id, next_at)
        heapq.heappush(self._repetitions, next_at)

    async def _give_up(self, item: Notification, reason: str) -> None:
        self.counters["given_up"] += 1
        log.warning(
            "outbox.given_up",
            call=item.call,
            application=item.application,
            callback=item.event,
            reason=reason,
            attempts=item.attempts + 1,
        )
        await self._outbox.given_up(item.id)
