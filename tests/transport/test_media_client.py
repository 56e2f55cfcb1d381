"""The switch's side of the media socket, against a media process that is a few lines long."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from gateway.errors import BadMessage, Overload
from gateway.ids import LegId, RoomId
from gateway.media.commands import RowState, row_as_map
from gateway.media.events import DigitHeard, RowClosed, WorkerLost, WorkerReady
from gateway.media.statistics import LegStatistics
from gateway.transport.media_client import MediaClient
from gateway.transport.media_wire import MAX_FRAME_BYTES, frame, read_frame

LEG = LegId("a1")


def row(leg=LEG, generation=1):
    return RowState(
        leg=leg,
        generation=generation,
        remote=("192.0.2.9", 4000),
        remote_rtcp=None,
        send_codec="pcmu",
        send_pt=0,
        ptime_ms=20,
        receive={0: "pcmu"},
        event_send_pt=101,
        event_receive_pt=101,
        sending=True,
        receiving=True,
        room=RoomId("r"),
    )


class Media:
    """The other end: one connection at a time, what it was told, and what it says."""

    def __init__(self, path):
        self.path, self.told, self.rows, self.epoch = path, asyncio.Queue(), [], 7
        self.epochs = []

    async def serve(self):
        self.server = await asyncio.start_unix_server(self._accept, self.path)

    async def _accept(self, reader, writer):
        self.writer = writer
        self.say({"hello": 1, "epoch": self.epoch})
        self.epochs.append((await read_frame(reader))["epoch"])
        self.say({"rows": self.rows})
        while True:
            try:
                self.told.put_nowait(await read_frame(reader))
            except (asyncio.IncompleteReadError, ConnectionError):
                writer.close()
                return

    def say(self, message):
        self.writer.write(frame(message))

    async def die(self, *, rows=()):
        """Drop the connection; the next one finds `rows`."""
        self.rows = list(rows)
        self.writer.transport.abort()
        while not self.told.empty():
            self.told.get_nowait()


@asynccontextmanager
async def connected(tmp_path, **options):
    media = Media(str(tmp_path / "media"))
    await media.serve()
    client = MediaClient([media.path], epoch=7, **options)
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        running = tasks.create_task(client.run())
        events = client.events()
        assert await anext(events) == WorkerReady()
        yield media, client, events
        running.cancel()
        media.server.close()
        media.writer.close()


async def opened(media, client, leg=LEG, port=4000):
    async with asyncio.TaskGroup() as tasks:
        opening = tasks.create_task(client.open(leg))
        assert await media.told.get() == {"open": leg}
        media.say({"opened": leg, "address": "127.0.0.1", "port": port})
    return opening.result()


def test_a_port_is_leased(tmp_path):
    async def scenario():
        async with connected(tmp_path) as (media, client, _):
            assert await opened(media, client) == ("127.0.0.1", 4000)
            assert media.epochs == [7]

    asyncio.run(scenario())


def test_a_refused_port_is_an_overload_with_its_reason(tmp_path):
    async def scenario():
        async with connected(tmp_path) as (media, client, _), asyncio.TaskGroup() as tasks:
            opening = tasks.create_task(refused(client))
            await media.told.get()
            media.say({"refused": LEG, "reason": "no port is free"})
            assert await opening == "no port is free"
            assert not any(client.census().values())

    async def refused(client):
        with pytest.raises(Overload) as error:
            await client.open(LEG)
        return str(error.value)

    asyncio.run(scenario())


def test_a_media_process_that_does_not_answer_is_an_overload(tmp_path):
    async def scenario():
        async with connected(tmp_path, open_timeout_s=0.01) as (media, client, _):
            with pytest.raises(Overload):
                await client.open(LEG)
            assert [await media.told.get(), await media.told.get()] == [{"open": LEG}, {"close": LEG}]

    asyncio.run(scenario())


def test_after_a_death_every_row_is_said_again(tmp_path):
    async def scenario():
        async with connected(tmp_path) as (media, client, events):
            await opened(media, client)
            client.set(row(generation=1))
            client.set(row(generation=2))

            await media.die(rows=[LEG, "ghost"])

            assert [await anext(events), await anext(events)] == [WorkerLost(), WorkerReady()]
            assert await media.told.get() == {"close": "ghost"}
            assert await media.told.get() == {"set": row_as_map(row(generation=2))}

    asyncio.run(scenario())


def test_the_rows_of_a_switch_that_died_before_us_are_left_to_the_media_process(tmp_path):
    async def scenario():
        async with connected(tmp_path) as (media, client, events):
            media.epoch = 6
            await media.die(rows=["predecessor"])
            assert await anext(events) == WorkerLost()
            assert await anext(events) == WorkerReady()

            client.set(row())

            assert await media.told.get() == {"set": row_as_map(row())}

    asyncio.run(scenario())


def test_after_a_death_a_lease_that_was_forgotten_is_asked_for_again(tmp_path):
    async def scenario():
        async with connected(tmp_path) as (media, client, events):
            await opened(media, client)
            client.set(row())

            await media.die()
            await anext(events), await anext(events)

            assert await media.told.get() == {"reopen": LEG}
            media.say({"opened": LEG, "address": "127.0.0.1", "port": 4000})
            assert await media.told.get() == {"set": row_as_map(row())}

    asyncio.run(scenario())


def test_an_open_that_waits_is_asked_again_after_a_death(tmp_path):
    async def scenario():
        async with connected(tmp_path) as (media, client, _), asyncio.TaskGroup() as tasks:
            opening = tasks.create_task(client.open(LEG))
            await media.told.get()

            await media.die()
            assert await media.told.get() == {"open": LEG}
            media.say({"opened": LEG, "address": "127.0.0.1", "port": 4002})

            assert await opening == ("127.0.0.1", 4002)

    asyncio.run(scenario())


def test_who_closes_a_leg_is_told_its_last_counters(tmp_path):
    async def scenario():
        async with connected(tmp_path) as (media, client, _), asyncio.TaskGroup() as tasks:
            await opened(media, client)
            closing = tasks.create_task(client.closed(LEG))
            assert await media.told.get() == {"close": LEG}
            counters = {"packets_received": 5, "of the future": 1}
            media.say({"event": "RowClosed", "leg": LEG, "statistics": counters})

            assert await closing == LegStatistics(packets_received=5)
            assert client.census()["closing"] == 0

    asyncio.run(scenario())


def test_last_counters_are_zero_when_the_media_process_dies_meanwhile(tmp_path):
    async def scenario():
        async with connected(tmp_path) as (media, client, events), asyncio.TaskGroup() as tasks:
            await opened(media, client)
            closing = tasks.create_task(client.closed(LEG))
            await media.told.get()
            await media.die()

            assert await closing == LegStatistics()
            assert [await anext(events), await anext(events)] == [WorkerLost(), WorkerReady()]

    asyncio.run(scenario())


def test_of_the_states_that_a_row_has_at_once_only_the_last_is_said(tmp_path):
    async def scenario():
        async with connected(tmp_path) as (media, client, _):
            await opened(media, client)
            for generation in (1, 2, 3):
                client.set(row(generation=generation))

            assert (await media.told.get())["set"]["generation"] == 3
            client.close(LEG)
            assert await media.told.get() == {"close": LEG}

    asyncio.run(scenario())


def test_events_are_told_and_unknown_ones_passed_over(tmp_path):
    async def scenario():
        async with connected(tmp_path) as (media, _, events):
            media.say({"event": "SomethingNew", "leg": LEG})
            media.say({"event": "DigitHeard", "leg": LEG, "digit": "5", "duration_ms": 100})

            assert await anext(events) == DigitHeard(LEG, "5", 100)

    asyncio.run(scenario())


def test_a_frame_that_is_too_long_is_refused_before_it_is_read():
    async def scenario():
        reader = asyncio.StreamReader()
        reader.feed_data((MAX_FRAME_BYTES + 1).to_bytes(4, "big"))
        with pytest.raises(BadMessage):
            await read_frame(reader)

    asyncio.run(scenario())


@pytest.mark.parametrize("body", [b"\xc1", b"\x01", b"\x81", b""])
def test_a_frame_that_is_no_map_is_refused(body):
    async def scenario():
        reader = asyncio.StreamReader()
        reader.feed_data(len(body).to_bytes(4, "big") + body)
        with pytest.raises(BadMessage):
            await read_frame(reader)

    asyncio.run(scenario())


def test_the_end_of_a_row_is_an_event_with_its_last_counters(tmp_path):
    async def scenario():
        async with connected(tmp_path) as (media, _, events):
            media.say({"event": "RowClosed", "leg": LEG, "statistics": {"packets_received": 5}})

            assert await anext(events) == RowClosed(LEG, LegStatistics(packets_received=5))

    asyncio.run(scenario())
