"""The adapter's walls: an engine that falls over costs a message, never the loop."""

import asyncio
import time
from collections import deque

from gateway.sip.flow import Flow
from gateway.testing.virtual_time import run_virtual
from gateway.transport.sip_driver import EndpointDriver

FLOW = Flow("udp", ("192.0.2.1", 5060), ("192.0.2.2", 5060))


class Clumsy:
    """An engine that does nothing right."""

    def __init__(self):
        self.faults = deque()
        self.times = []

    def arrive(self, data, flow, at, now):
        raise RuntimeError("clumsy")

    def handle_next(self, now):
        raise KeyError("clumsy")

    def transmit(self, now):
        return []

    def next_deadline(self):
        return 1.0

    def deadline_reached(self, now):
        self.times.append(now)
        raise ValueError("clumsy")

    def events(self):
        return iter(())


def test_what_falls_is_counted_and_told_with_its_traceback():
    async def scenario():
        told = []
        driver = EndpointDriver(Clumsy(), lambda _: None, on_fault=told.append)

        driver.receive(b"x", FLOW)
        driver.work()

        assert driver.falls == {"RuntimeError": 1, "KeyError": 1}
        assert "clumsy" in told[0]
        driver.close()

    run_virtual(scenario())


def test_a_deadline_that_cannot_be_handled_does_not_become_a_busy_loop():
    async def scenario():
        driver = EndpointDriver(Clumsy(), lambda _: None)
        driver.drain()

        await asyncio.sleep(2.0)

        assert 9 <= len(driver.endpoint.times) <= 12
        driver.close()

    run_virtual(scenario())


class Slow(Clumsy):
    """An engine that needs two milliseconds for each message."""

    def __init__(self, messages):
        super().__init__()
        self.left = messages
        self.episodes = deque()

    def handle_next(self, now):
        until = time.monotonic() + 0.002
        while time.monotonic() < until:
            pass
        self.left -= 1
        return self.left > 0

    def next_deadline(self):
        return None


def test_between_messages_others_get_their_turn():
    async def scenario():
        engine, turns = Slow(50), 0
        driver = EndpointDriver(engine, lambda _: None)
        driver.work()
        while engine.left:
            await asyncio.sleep(0)
            turns += 1
        driver.close()
        return turns

    assert asyncio.run(scenario()) >= 5


def test_what_is_left_when_the_driver_closes_is_left():
    async def scenario():
        engine = Slow(50)
        driver = EndpointDriver(engine, lambda _: None)
        driver.work()
        driver.close()
        left = engine.left
        await asyncio.sleep(0)

        assert engine.left == left > 0

    asyncio.run(scenario())
