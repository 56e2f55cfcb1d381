"""Legs move between real media workers in mid-speech; their phones hear one stream, and hardly a gap."""

import asyncio

import pytest

from gateway.media.events import RowClosed
from gateway.testing.media_workers import assert_one_stream, longest_step_ms, media_workers
from gateway.testing.wire_phone import longest_silence_ms


async def moved(house, *, force_tick):
    """Let b, who hears a tone, join a at the other worker; return both phones and what b has heard of it."""
    a, b = await house.phone("a", source="tone:440"), await house.phone("b", source="tone:440")
    with a.speaking(), b.speaking():
        await b.hears(50)
        assert house.worker_of(a) != house.worker_of(b)
        house.join("room", a, b, force_tick=force_tick)
        heard = await b.hears(100)
        await a.hears(25)
    return a, b, heard


@pytest.mark.parametrize("force_tick", [False, True], ids=["relay", "tick"])
def test_a_leg_that_moves_to_its_room_goes_on_in_one_stream_with_less_than_a_packets_gap(
    temporary, force_tick
):
    async def scenario():
        async with media_workers(temporary) as house:
            a, b, heard = await moved(house, force_tick=force_tick)
            return house.worker_of(a), house.worker_of(b), heard, house.client.counters

    at_a, at_b, heard, counters = asyncio.run(scenario())

    assert at_a == at_b
    assert counters["media.moves"] == 1
    assert_one_stream(heard)
    assert longest_step_ms(heard) <= 40
    assert longest_silence_ms(heard) < 500


def test_a_moved_leg_leaves_nothing_behind(temporary):
    async def scenario():
        async with media_workers(temporary) as house:
            before, events = house.sockets(), house.client.events()
            for phone in (await moved(house, force_tick=False))[:2]:
                house.client.close(phone.state.leg)
            ended = [await closed(events), await closed(events)]
            return ended, before, house.sockets(), house.client.census()

    ended, before, after, census = asyncio.run(scenario())

    assert sorted(ended) == ["a", "b"]
    assert after == before
    assert not any(census.values())


async def closed(events):
    """Return the leg of the next row that is closed; a leg that moves is not."""
    async for event in events:
        if isinstance(event, RowClosed):
            return event.leg


@pytest.mark.parametrize("killed", ["the worker it left", "the worker it went to"])
def test_a_leg_whose_worker_is_killed_while_it_moves_is_heard_again_within_seconds(temporary, killed):
    async def scenario():
        async with media_workers(temporary) as house:
            a, b = await house.phone("a", source="tone:440"), await house.phone("b", source="tone:440")
            with a.speaking(), b.speaking():
                await b.hears(25)
                doomed = house.worker_of(b if killed == "the worker it left" else a)
                house.join("room", a, b)
                house.kill(doomed)
                return await b.hears(150)

    heard = asyncio.run(scenario())

    assert longest_silence_ms(heard) < 3000
    assert len({each.packet.ssrc for each in heard}) == 1
