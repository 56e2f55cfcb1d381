import asyncio
import time

import pytest

from gateway.testing.virtual_time import Deadlocked, VirtualClock, run_virtual


def test_a_minute_of_sleep_takes_no_time():
    async def sleep_long() -> float:
        await asyncio.sleep(52)
        return asyncio.get_running_loop().time()

    began = time.monotonic()
    assert run_virtual(sleep_long()) == pytest.approx(52)
    assert time.monotonic() - began < 5


def test_timers_fire_in_order_of_their_deadlines():
    heard: list[tuple[str, float]] = []

    async def say(word: str, after_s: float) -> None:
        await asyncio.sleep(after_s)
        heard.append((word, round(asyncio.get_running_loop().time(), 6)))

    async def talk() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(say("third", 30))
            group.create_task(say("first", 0.02))
            group.create_task(say("second", 4))

    run_virtual(talk())

    assert heard == [("first", 0.02), ("second", 4), ("third", 30)]


def test_a_timeout_cancels_what_waits():
    async def wait_in_vain() -> float:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(5):
                await asyncio.Event().wait()
        return asyncio.get_running_loop().time()

    assert run_virtual(wait_in_vain()) == pytest.approx(5)


def test_waiting_for_nothing_is_a_deadlock_and_not_a_hang():
    async def wait() -> None:
        await asyncio.Event().wait()

    with pytest.raises(Deadlocked, match="no timer"):
        run_virtual(wait())


def test_the_clock_shows_virtual_time_and_a_virtual_wall():
    async def look() -> tuple[float, float]:
        clock = VirtualClock(asyncio.get_running_loop(), epoch=1000.0)
        await asyncio.sleep(2.5)
        return clock.now(), clock.wall()

    assert run_virtual(look()) == (pytest.approx(2.5), pytest.approx(1002.5))


def test_an_error_leaves_the_loop_as_it_was_raised():
    async def fail() -> None:
        await asyncio.sleep(1)
        raise ValueError("as raised")

    with pytest.raises(ValueError, match="as raised"):
        run_virtual(fail())
