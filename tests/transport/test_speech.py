"""Who speaks and the switch, over a real socket and real rings; what is said here are ramps of samples."""

import asyncio
import socket
import tempfile
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import pytest
import structlog

from gateway.media.ring import RING_SAMPLES, Rings
from gateway.switch.prompts import ERROR, Clip, Recital, Stream
from gateway.switch.rings import FreeRings
from gateway.switch.steering import Prompt
from gateway.transport.speech_client import ERROR_SENTENCE, SpeechClient
from gateway.transport.speech_process import SpeechServer

PATIENCE_S = 5.0


class Ramps:
    """Says as many samples as its text has; keeps what it was asked."""

    def __init__(self):
        self.asked = []

    async def play(self, items, *, locale, owner):
        self.asked.append((items, locale, owner))
        for item in items:
            yield np.arange(int(item.text) if item.text.isdecimal() else 0).astype(np.int16)


class House:
    """A speech process and its client in one loop."""

    def __init__(self, directory):
        self.path = str(directory / "speech")
        self.control = socket.socket(socket.AF_UNIX)
        self.control.bind(self.path)
        self.control.listen()
        self.sockets = [self.control]
        self.rings = Rings.private(8)
        self.free = FreeRings(range(8))
        self.player = Ramps()
        self.client = SpeechClient(
            self.path, asyncio.get_running_loop().time, structlog.get_logger(), self.free
        )
        self.changes = 0

    def server(self, **options):
        self.sockets.append(self.control.dup())
        serving = SpeechServer(self.player, self.rings, **options).serve(self.sockets[-1])
        return asyncio.create_task(serving)

    def recital(self, *prompts, listeners=1):
        return Recital(prompts, listeners, "app", "call", self.changed)

    def changed(self):
        self.changes += 1

    async def until(self, true):
        async with asyncio.timeout(PATIENCE_S):
            while not true():  # noqa: ASYNC110 - a ring tells nobody
                await asyncio.sleep(0.01)


@asynccontextmanager
async def open_house(**options):
    with tempfile.TemporaryDirectory(prefix="t") as directory:
        house = House(Path(directory))
        tasks = [house.server(**options), asyncio.create_task(house.client.run())]
        try:
            yield house, tasks[0]
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            for each in house.sockets:
                each.close()


def say(n):
    return Prompt(str(n), spoken=True, locale="sv-SE")


def ring_in(stream, listener=0):
    return int(stream.sources[listener].split(":")[1])


def test_a_recital_is_a_stream_of_the_ring_that_carries_it():
    async def scenario():
        async with open_house() as (house, _):
            async with house.client.prepare(house.recital(say(300), say(200))) as stream:
                ring = ring_in(stream)
                await house.until(lambda: house.rings.available(ring) == 500)
                assert stream.sources == (f"clip:{ring}:{house.rings.generation(ring)}",)
                assert house.rings.read(ring, 500).tolist() == [*range(300), *range(200)]
                await house.until(lambda: house.rings.ended(ring))
            ((_, locale, owner),) = house.player.asked
            assert (locale, owner) == ("sv-SE", "app")

    asyncio.run(scenario())


def test_every_listener_has_a_ring_of_the_same():
    async def scenario():
        async with (
            open_house() as (house, _),
            house.client.prepare(house.recital(say(300), listeners=2)) as stream,
        ):
            rings = [ring_in(stream, listener) for listener in (0, 1)]
            assert rings[0] != rings[1]
            assert [house.rings.read(ring, 999).size for ring in rings] == [300, 300]

    asyncio.run(scenario())


def test_what_a_ring_cannot_hold_follows_as_it_is_read():
    async def scenario():
        async with (
            open_house() as (house, _),
            house.client.prepare(house.recital(say(20_000))) as stream,
        ):
            ring = ring_in(stream)
            first = house.rings.read(ring, 8000)
            await house.until(lambda: house.rings.available(ring) == 12_000)
            assert np.concatenate([first, house.rings.read(ring, 12_000)]).tolist() == list(range(20_000))

    asyncio.run(scenario())


def test_whoever_leaves_stops_it_and_gives_the_ring_back():
    async def scenario():
        async with open_house() as (house, _):
            async with house.client.prepare(house.recital(say(20_000))) as stream:
                ring = ring_in(stream)
                assert len(house.free) == 7
            house.rings.read(ring, RING_SAMPLES)
            await house.until(lambda: house.rings.ended(ring))
            assert len(house.free) == 8
            assert house.client.census() == {"plays": 0}

    asyncio.run(scenario())


def test_when_all_is_written_the_time_of_its_end_is_known():
    async def scenario():
        async with (
            open_house() as (house, _),
            house.client.prepare(house.recital(say(300))) as stream,
        ):
            await house.until(lambda: house.changes)
            assert stream.over_by < asyncio.get_running_loop().time() + 10

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("prompt", "instead"),
    [
        (say(0), Clip("silence", 0.0)),
        (Prompt("#tts[0"), Clip("silence", 0.0)),
        (ERROR, Clip("tone:425", 1.0)),
    ],
)
def test_what_cannot_be_heard_is_nothing_and_an_error_is_a_tone(prompt, instead):
    async def scenario():
        async with open_house() as (house, _), house.client.prepare(house.recital(prompt)) as clip:
            assert clip == instead

    asyncio.run(scenario())


def test_an_error_is_a_sentence():
    async def scenario():
        async with open_house() as (house, _):
            async with house.client.prepare(house.recital(ERROR)):
                pass
            (([item], _, _),) = house.player.asked
            assert item.text == ERROR_SENTENCE

    asyncio.run(scenario())


def test_speech_that_dies_is_lost_and_the_next_one_speaks():
    async def scenario():
        async with open_house() as (house, server):
            async with house.client.prepare(house.recital(say(20_000))) as stream:
                server.cancel()
                await asyncio.gather(server, return_exceptions=True)
                await house.until(lambda: stream.lost)
                assert house.changes == 1
            again = house.server()
            async with house.client.prepare(house.recital(say(300))) as stream:
                assert isinstance(stream, Stream)
            again.cancel()

    asyncio.run(scenario())


def test_a_ring_that_nobody_reads_holds_no_other_up():
    async def scenario():
        async with (
            open_house(patience_s=0.5) as (house, _),
            house.client.prepare(house.recital(say(20_000), listeners=2)) as stream,
        ):
            deaf, ring = ring_in(stream, 0), ring_in(stream, 1)
            heard = 0

            def all_heard():
                nonlocal heard
                heard += house.rings.read(ring, RING_SAMPLES).size
                return heard == 20_000

            await house.until(all_heard)
            await house.until(lambda: stream.over_by < float("inf"))
            assert house.rings.available(deaf) == RING_SAMPLES

    asyncio.run(scenario())


def test_more_listeners_than_rings_hear_nothing():
    async def scenario():
        async with (
            open_house() as (house, _),
            house.client.prepare(house.recital(say(300), listeners=9)) as clip,
        ):
            assert clip == Clip("silence", 0.0)
            assert len(house.free) == 8

    asyncio.run(scenario())


def test_a_test_number_that_nobody_hears_takes_its_time():
    async def scenario():
        async with (
            open_house() as (house, _),
            house.client.prepare(house.recital(say(300), listeners=0)) as clip,
        ):
            assert clip.duration_s > 0

    asyncio.run(scenario())
