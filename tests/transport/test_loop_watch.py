"""A loop that stands still is told of, once, with the line that held it up (promise 26)."""

import asyncio
import time

from gateway.transport.loop_watch import LoopWatch


def watched(*pauses_s, limit_s=0.05):
    """Hold the loop up for each of these, with a rest in between; return what was told."""
    told = []

    async def scenario():
        with LoopWatch(told.append, limit_s=limit_s):
            for pause_s in pauses_s:
                await asyncio.sleep(limit_s / 2)
                hold_up_the_loop(pause_s)
                await asyncio.sleep(2 * limit_s)

    asyncio.run(scenario())
    return told


def hold_up_the_loop(seconds):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        pass


def test_a_stall_is_told_with_its_length_and_the_line_that_held_the_loop_up():
    (stall,) = watched(0.3)

    assert 0.2 < stall.lasted_s < 3.0
    assert "hold_up_the_loop" in "".join(stall.stack)


def test_each_stall_is_told_once():
    assert len(watched(0.3, 0.3)) == 2


def test_a_loop_that_has_only_much_to_do_is_not_told_of():
    assert watched(*[0.01] * 5, limit_s=1.0) == []
