"""The outbox is emptied: at least once, in order, patiently, and without one application holding up another."""

import asyncio
from dataclasses import dataclass, field, replace
from itertools import pairwise

import pytest
import structlog

from gateway.callbacks.outbox import (
    AT_A_TIME,
    GIVEN_UP_AFTER_S,
    LONGEST_DELAY_S,
    LOOK_S,
    OutboxWorker,
    delay_s,
)
from gateway.observe.events import EVENTS
from gateway.svaml.ports import CallbackFailed, NoCallback
from gateway.switch.records import Notification
from gateway.testing.virtual_time import VirtualClock, run_virtual


@dataclass
class MemoryOutbox:
    """The port in a dictionary."""

    items: dict[str, Notification] = field(default_factory=dict)
    lost: list[str] = field(default_factory=list)
    looks: int = 0
    arrived: asyncio.Event = field(default_factory=asyncio.Event)

    async def put(self, notification):
        self.items.setdefault(notification.id, notification)
        self.arrived.set()

    async def news(self):
        await self.arrived.wait()
        self.arrived.clear()

    async def due(self, now, limit=100):
        self.looks += 1
        oldest = {}
        for item in self.items.values():
            oldest.setdefault(item.call, item)
        return sorted((one for one in oldest.values() if one.next_at <= now), key=lambda one: one.next_at)[
            :limit
        ]

    async def delivered(self, id):  # noqa: A002 - the port has it
        del self.items[id]

    async def failed(self, id, next_at):  # noqa: A002 - the port has it
        item = self.items[id]
        self.items[id] = replace(item, attempts=item.attempts + 1, next_at=next_at)

    async def given_up(self, id):  # noqa: A002 - the port has it
        del self.items[id]
        self.lost.append(id)

    async def backlog(self):
        return len(self.items)


class World:
    """A worker over an outbox in virtual time, and what arrived when."""

    def __init__(self, outbox):
        self.loop = asyncio.get_running_loop()
        self.clock = VirtualClock(self.loop)
        self.outbox = outbox
        self.arrived = []
        self.failing = set()
        """Applications whose server is down."""
        self.takes_s = {}
        """Seconds that a server takes."""
        self.worker = OutboxWorker(outbox, self.deliver, self.clock)

    async def deliver(self, item):
        self.arrived.append((item.id, round(self.loop.time(), 1)))
        if item.application in self.takes_s:
            await asyncio.sleep(self.takes_s[item.application])
        if item.application in self.failing:
            raise CallbackFailed("nobody answered")
        if item.application == "nowhere":
            raise NoCallback("no URL")

    async def put(self, name, *, call=None, application="app", created_at=None):
        written_at = self.clock.wall() if created_at is None else created_at
        await self.outbox.put(
            Notification(
                id=name,
                call=call or name,
                application=application,
                event="dice",
                body=b"{}",
                created_at=written_at,
                next_at=self.clock.wall(),
            )
        )

    @property
    def ids(self):
        return [name for name, _ in self.arrived]


def play(scenario, outbox=None):
    """Run a scenario beside a running worker; return the world after it."""

    async def main():
        world = World(outbox or MemoryOutbox())
        running = asyncio.ensure_future(world.worker.run())
        await scenario(world)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        return world

    return run_virtual(main())


def test_what_is_put_in_is_delivered_at_once_and_forgotten():
    async def scenario(world):
        await asyncio.sleep(2.0)
        await world.put("a")
        await asyncio.sleep(0.1)

    world = play(scenario)

    assert world.arrived == [("a", 2.0)]
    assert world.outbox.items == {}


def test_a_failure_is_followed_by_attempts_further_and_further_apart():
    async def scenario(world):
        world.failing.add("app")
        await world.put("a")
        await asyncio.sleep(70.0)

    seconds = [at for _, at in play(scenario).arrived]

    assert [round(later - before) for before, later in pairwise(seconds)] == [1, 2, 4, 8, 16, 32]


@pytest.mark.parametrize(("attempts", "seconds"), [(1, 1), (2, 2), (10, 512), (11, 600), (100_000, 600)])
def test_the_wait_doubles_up_to_ten_minutes(attempts, seconds):
    assert delay_s(attempts) == seconds


def test_after_an_outage_of_most_of_a_day_everything_arrives():
    async def scenario(world):
        world.failing.add("app")
        for number in range(50):
            await world.put(str(number))
        await asyncio.sleep(GIVEN_UP_AFTER_S - 3600)
        world.failing.clear()
        world.arrived.clear()
        await asyncio.sleep(2 * LONGEST_DELAY_S)

    world = play(scenario)

    assert set(world.ids) == {str(number) for number in range(50)}
    assert (world.outbox.items, world.outbox.lost) == ({}, [])


def test_a_day_after_it_was_written_an_item_is_given_up():
    async def scenario(world):
        world.failing.add("app")
        await world.put("a")
        await asyncio.sleep(GIVEN_UP_AFTER_S + LONGEST_DELAY_S + 60)

    world = play(scenario)

    assert world.outbox.lost == ["a"]
    assert world.worker.counters["given_up"] == 1


def test_what_is_old_gets_an_attempt_before_it_is_given_up():
    async def scenario(world):
        await world.put("a", created_at=world.clock.wall() - 2 * GIVEN_UP_AFTER_S)
        await asyncio.sleep(1.0)

    world = play(scenario)

    assert (world.ids, world.outbox.lost) == (["a"], [])


def test_an_item_that_has_nowhere_to_go_is_given_up_at_once():
    async def scenario(world):
        await world.put("a", application="nowhere")
        await asyncio.sleep(0.1)

    assert play(scenario).outbox.lost == ["a"]


def test_items_of_one_call_keep_their_order():
    async def scenario(world):
        world.failing.add("app")
        for name in "abc":
            await world.put(name, call="one")
        await asyncio.sleep(10.0)
        world.failing.clear()
        await asyncio.sleep(10.0)

    ids = play(scenario).ids

    assert ids[-3:] == ["a", "b", "c"]
    assert set(ids[:-2]) == {"a"}


def test_a_dead_server_does_not_hold_up_others():
    async def scenario(world):
        world.failing.add("dead")
        world.takes_s["dead"] = 10.0
        for number in range(500):
            await world.put(f"d{number}", application="dead")
        await world.put("a")
        await asyncio.sleep(0.1)

    assert ("a", 0.0) in play(scenario).arrived


def test_no_more_than_eight_deliveries_to_one_application_are_under_way():
    async def scenario(world):
        world.takes_s["app"] = 1.0
        for number in range(20):
            await world.put(str(number))
        await asyncio.sleep(0.5)
        world.seen = world.worker.census()
        await asyncio.sleep(5.0)

    world = play(scenario)

    assert world.seen == {"delivering": AT_A_TIME, "failing": 0, "waiting": 20}
    assert sorted(world.ids, key=int) == [str(number) for number in range(20)]


def test_a_server_that_fails_is_tried_by_one_delivery_at_a_time():
    async def scenario(world):
        world.failing.add("app")
        world.takes_s["app"] = 10.0
        for number in range(100):
            await world.put(str(number))
        await asyncio.sleep(15.0)
        world.seen = world.worker.census()

    assert play(scenario).seen == {"delivering": 1, "failing": 1, "waiting": 100}


def test_a_server_that_is_back_gets_everything_soon():
    async def scenario(world):
        world.failing.add("app")
        for number in range(100):
            await world.put(str(number))
        await asyncio.sleep(30.0)
        world.failing.clear()
        await asyncio.sleep(LONGEST_DELAY_S)

    assert play(scenario).outbox.items == {}


def test_a_restart_takes_up_what_was_left():
    async def left(world):
        world.failing.add("app")
        for name in "ab":
            await world.put(name)
        await asyncio.sleep(10.0)

    async def taken_up(world):
        await asyncio.sleep(60.0)

    outbox = MemoryOutbox(play(left).outbox.items)
    assert set(outbox.items) == {"a", "b"}

    assert set(play(taken_up, outbox).ids) == {"a", "b"}
    assert outbox.items == {}


def test_a_worker_that_is_stopped_leaves_what_was_under_way():
    async def scenario(world):
        world.takes_s["app"] = 10.0
        await world.put("a")
        await asyncio.sleep(5.0)

    assert set(play(scenario).outbox.items) == {"a"}


def test_an_idle_outbox_is_left_alone():
    async def scenario(world):
        await asyncio.sleep(60.0)

    assert play(scenario).outbox.looks <= 60.0 / LOOK_S + 1


def test_many_arrivals_at_once_are_not_many_looks():
    async def scenario(world):
        for number in range(100):
            await world.put(str(number))
        await asyncio.sleep(1.0)

    world = play(scenario)

    assert len(world.ids) == 100
    assert world.outbox.looks < 60


def test_a_fault_costs_its_own_item_some_seconds_and_others_nothing():
    class Faulty(MemoryOutbox):
        faults = 1

        async def delivered(self, id):  # noqa: A002 - the port has it
            if id == "a" and self.faults:
                self.faults -= 1
                raise RuntimeError("the disk is full")
            await super().delivered(id)

    async def scenario(world):
        await world.put("a")
        await world.put("b")
        await asyncio.sleep(60.0)

    world = play(scenario, Faulty())

    assert sorted(world.ids) == ["a", "a", "b"]
    assert world.outbox.items == {}


def test_a_store_that_cannot_be_read_is_asked_again():
    class Locked(MemoryOutbox):
        async def due(self, now, limit=100):
            if self.looks < 3:
                self.looks += 1
                raise RuntimeError("database is locked")
            return await super().due(now, limit)

    async def scenario(world):
        await world.put("a")
        await asyncio.sleep(4 * LOOK_S)

    assert play(scenario, Locked()).ids == ["a"]


def test_a_clock_that_jumps_back_delays_nothing_for_long():
    async def scenario(world):
        world.failing.add("app")
        await world.put("a")
        await asyncio.sleep(0.5)
        world.failing.clear()
        world.clock.wall = lambda: 1_700_000_000.0 + world.loop.time() - 3600
        await world.put("b")
        await asyncio.sleep(2 * 3600)

    assert set(play(scenario).ids) == {"a", "b"}


def test_giving_up_is_told_with_the_facts_of_the_table():
    async def scenario(world):
        with structlog.testing.capture_logs() as world.lines:
            await world.put("a", application="nowhere")
            await asyncio.sleep(0.1)

    (line,) = play(scenario).lines

    assert line["event"] == "outbox.given_up"
    assert set(line) - {"event", "log_level"} == set(EVENTS["outbox.given_up"].facts)
