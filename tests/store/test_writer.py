"""A database that is locked, slow or gone: nobody waits for it longer than a tenth of a second, and nothing is lost."""

import asyncio
import time
from contextlib import ExitStack, asynccontextmanager
from decimal import Decimal

import pytest

from gateway.errors import Overload
from gateway.store.changes import CloseCall, KeepCall, dumped
from gateway.store.store import JOURNAL_FILE
from gateway.switch.records import Number
from gateway.testing.stores import KEY, SQLITE, a_call, ended, eventually, locked, opened, to_tell

PROMISED_S = 0.1
"""No call waits longer for a database that does not answer."""
SLACK_S = 0.4
"""What a busy test machine adds."""


@asynccontextmanager
async def away(server):
    """Kill the PostgreSQL server, and start it again at the end."""
    await asyncio.to_thread(server.kill)
    try:
        yield
    finally:
        await asyncio.to_thread(server.start)


async def caught_up(store):
    await eventually(lambda: _caught_up(store), within_s=30.0)


async def _caught_up(store):
    return not any(store.writer.census().values())


def left_in_the_journal(data_dir):
    path = data_dir / JOURNAL_FILE
    return path.stat().st_size if path.exists() else 0


def test_a_locked_database_delays_no_call(tmp_path):
    async def story():
        async with opened(tmp_path) as store:
            with locked(tmp_path):
                began = time.monotonic()
                await store.calls.begin(a_call())
                await store.calls.finish(ended(a_call()), to_tell())
                took_s = time.monotonic() - began
                found = await store.calls.find("call-1")
            await caught_up(store)
            return took_s, found, await store.outbox.due(2_000.0)

    took_s, found, due = asyncio.run(story())

    assert took_s < 2 * PROMISED_S + SLACK_S
    assert found == ended(a_call())
    assert due == [to_tell()]
    assert left_in_the_journal(tmp_path) == 0


def test_what_was_acknowledged_while_the_database_was_locked_outlives_the_process(tmp_path, monkeypatch):
    """It is left with the database still locked, as by a crash."""
    monkeypatch.setattr("gateway.store.writer.CLOSING_S", 0.1)

    async def before(lock):
        async with opened(tmp_path) as store:
            lock.enter_context(locked(tmp_path))
            await store.calls.begin(a_call())
            store.calls.note(a_call("noted"))
            await store.calls.finish(ended(a_call()), to_tell())

    async def after():
        async with opened(tmp_path) as store:
            return (
                await store.calls.find("call-1"),
                await store.calls.find("noted"),
                await store.outbox.due(2_000.0),
            )

    with ExitStack() as lock:
        asyncio.run(before(lock))
    assert left_in_the_journal(tmp_path) > 0

    assert asyncio.run(after()) == (ended(a_call()), a_call("noted"), [to_tell()])
    assert left_in_the_journal(tmp_path) == 0


def test_what_a_crash_left_in_the_journal_is_done_once(tmp_path):
    lines = [dumped(KeepCall(a_call())), dumped(CloseCall(ended(a_call()), (to_tell(),)))]

    async def start():
        async with opened(tmp_path) as store:
            return store.directory.application(KEY).spent, await store.outbox.backlog()

    (tmp_path / JOURNAL_FILE).write_bytes(b"\n".join([*lines, b""]))
    first = asyncio.run(start())
    (tmp_path / JOURNAL_FILE).write_bytes(b"\n".join([*lines, b""]))

    assert asyncio.run(start()) == first
    assert first[1] == 1


def test_a_line_that_makes_no_sense_costs_no_other(tmp_path, heard):
    (tmp_path / JOURNAL_FILE).write_bytes(
        b'{"change":"Nonsense"}\nnonsense\n' + dumped(KeepCall(a_call())) + b"\n"
    )

    async def start():
        async with opened(tmp_path, log=heard) as store:
            return await store.calls.find("call-1")

    assert asyncio.run(start()) == a_call()
    assert heard.names.count("store.journal_unreadable") == 2


def test_notes_never_wait_and_their_number_is_bounded(tmp_path, monkeypatch, heard):
    monkeypatch.setattr("gateway.store.pending.MOST_NOTED", 10)

    async def story():
        async with opened(tmp_path, log=heard) as store:
            with locked(tmp_path):
                for n in range(50):
                    store.calls.note(a_call(f"call-{n % 12}", cli=str(n)))
                waiting = store.writer.census()["store_noted"]
            await caught_up(store)
            return waiting, store.writer.counters["notes_dropped"], await store.calls.find("call-1")

    waiting, dropped, found = asyncio.run(story())

    assert waiting <= 10
    assert dropped == heard.names.count("store.note_dropped") > 0
    assert found.cli == "49"


def test_an_administrator_is_refused_while_the_database_is_locked(tmp_path, monkeypatch):
    monkeypatch.setattr("gateway.store.writer.WORK_S", 0.1)

    async def story():
        async with opened(tmp_path) as store:
            with locked(tmp_path), pytest.raises(Overload):
                await store.administration.add_number(Number("+46700000001", KEY))
            return store.directory.number("+46700000001")

    assert asyncio.run(story()) is None


def test_a_change_that_the_database_refuses_fails_alone(tmp_path, heard):
    async def story():
        async with opened(tmp_path, log=heard) as store:
            wrong = store.calls.begin(a_call("wrong", started_at=None))
            return await asyncio.gather(
                store.calls.begin(a_call("1")), wrong, store.calls.begin(a_call("2")), return_exceptions=True
            )

    first, refused, second = asyncio.run(story())

    assert (first, second) == (None, None)
    assert "NOT NULL" in str(refused)
    assert "store.change_refused" in heard.names


def test_what_a_caller_no_longer_waits_for_is_written_all_the_same(tmp_path):
    async def story():
        async with opened(tmp_path) as store:
            asyncio.get_running_loop().call_soon(asyncio.current_task().cancel)
            try:
                await store.calls.begin(a_call())
            except asyncio.CancelledError:
                asyncio.current_task().uncancel()

    async def after():
        async with opened(tmp_path) as store:
            return await store.calls.find("call-1")

    asyncio.run(story())

    assert asyncio.run(after()) == a_call()


def test_what_the_block_raises_passes_as_it_is(tmp_path):
    async def story():
        async with opened(tmp_path):
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        asyncio.run(story())


def test_a_store_in_memory_is_a_store(tmp_path):
    async def story():
        async with opened(tmp_path, "sqlite+aiosqlite://") as store:
            await store.calls.begin(a_call())
            await store.calls.finish(ended(a_call()), to_tell())
            return await asyncio.gather(*(store.outbox.due(2_000.0) for _ in range(3)))

    assert asyncio.run(story()) == [[to_tell()]] * 3


def test_only_its_owner_reads_the_database(tmp_path):
    async def story():
        async with opened(tmp_path) as store:
            await store.calls.begin(a_call())
            return [path.stat().st_mode & 0o077 for path in tmp_path.glob("tandem.db*")]

    assert set(asyncio.run(story())) == {0}


@pytest.mark.interop
def test_a_server_that_is_gone_delays_no_call_and_gets_everything_when_it_is_back(
    tmp_path, postgresql, heard
):
    url = postgresql.new_database()

    async def story():
        async with opened(tmp_path, url, log=heard) as store:
            await store.calls.begin(a_call("before"))
            async with away(postgresql):
                began = time.monotonic()
                await store.calls.begin(a_call())
                await store.calls.finish(ended(a_call()), to_tell())
                took_s = time.monotonic() - began
                with pytest.raises(Overload):
                    await store.calls.find("unknown")
            await caught_up(store)
            return took_s, await store.outbox.due(2_000.0), store.directory.application(KEY).spent

    async def after():
        async with opened(tmp_path, url) as store:
            return await store.calls.find("call-1"), store.directory.application(KEY).spent

    took_s, due, spent = asyncio.run(story())

    assert took_s < 2 * PROMISED_S + SLACK_S
    assert due == [to_tell()]
    assert asyncio.run(after()) == (ended(a_call()), spent)
    assert heard.names[-2:] == ["store.behind", "store.caught_up"]


def test_the_default_is_a_file_in_the_data_directory(tmp_path):
    async def story():
        async with opened(tmp_path, SQLITE):
            return (tmp_path / "tandem.db").exists()

    assert asyncio.run(story())


@pytest.mark.slow
def test_fifty_calls_a_second_while_the_database_is_locked_for_twelve_seconds(tmp_path):
    """Longer than a statement waits: commits fail, and are tried again."""
    waits_s = []

    async def live(store, call):
        began = time.monotonic()
        await store.calls.begin(a_call(call))
        await store.calls.finish(ended(a_call(call)), to_tell(f"dice-{call}", call))
        waits_s.append((time.monotonic() - began) / 2)

    async def story():
        async with opened(tmp_path) as store:
            with locked(tmp_path):
                async with asyncio.TaskGroup() as lives:
                    for n in range(600):
                        lives.create_task(live(store, f"call-{n}"))
                        await asyncio.sleep(0.02)
            await caught_up(store)
            return await store.outbox.backlog(), store.directory.application(KEY).spent.amount

    async def after():
        async with opened(tmp_path) as store:
            return await store.outbox.backlog(), store.directory.application(KEY).spent.amount

    told, spent = asyncio.run(story())

    assert (told, spent) == (600, 600 * Decimal("0.05")) == asyncio.run(after())
    assert sorted(waits_s)[int(0.99 * len(waits_s))] < PROMISED_S
    assert left_in_the_journal(tmp_path) == 0
