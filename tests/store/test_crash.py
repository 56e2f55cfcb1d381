"""`kill -9` at every named point and at random moments: what was promised is kept, and nothing is there twice."""

import asyncio
import random
import signal
import sys
import threading
from contextlib import ExitStack, contextmanager, nullcontext
from decimal import Decimal

import pytest
from sqlalchemy import select

from gateway.failpoints import FAIL_AT
from gateway.store.tables import calls
from gateway.testing.processes import Command
from gateway.testing.stores import KEY, SQLITE, locked, opened

BY_COMMIT = ("store.before_commit", "store.committed", "store.acknowledged")
BY_JOURNAL = ("journal.before_sync", "journal.synced", "journal.acknowledged", "journal.cleared")
PRICE = Decimal("0.05")
LONGEST_LIFE_S = 0.8


def victim(data_dir, url=SQLITE, *, fail_at=""):
    argv = (sys.executable, "-m", "gateway.testing.store_victim", str(data_dir), url)
    return Command(argv, environment={FAIL_AT: fail_at})


def promises(printed):
    """Return what the process said, as sets of ids by kind; a word that was cut off counts for nothing."""
    said = [line.split() for line in printed.split("\n")[:-1]]
    return {
        kind: {line[1] for line in said if line[0] == kind} for kind in ("begun", "finished", "delivering")
    }


def closed_calls(connection):
    """Return the calls that have a CDR, as often as they have one."""
    return list(connection.execute(select(calls.c.call).where(calls.c.ended_at.is_not(None))).scalars())


def check(data_dir, said, url=SQLITE):
    """Open what the crash left, and hold it against what was promised."""

    async def story():
        async with opened(data_dir, url) as store:
            found = {call: await store.calls.find(call) for call in said["begun"]}
            waiting = [each.call for each in await store.outbox.due(1e12, 1_000_000)]
            over = await store.database.read(closed_calls)
            return found, waiting, over, store.directory.application(KEY).spent

    found, waiting, over, spent = asyncio.run(story())
    assert len(over) == len(set(over))
    over = set(over)

    assert [call for call, record in found.items() if record is None] == []
    assert said["finished"] <= over
    assert len(waiting) == len(set(waiting))
    assert over - set(waiting) <= said["delivering"]
    assert set(waiting) <= over
    assert (spent.amount if spent else 0) == PRICE * len(over)


def after(seconds, act):
    """Act in a while, and return the thread that does."""
    timer = threading.Timer(seconds, act)
    timer.start()
    return timer


@contextmanager
def locked_for(data_dir, seconds):
    """Lock the store for so long, whatever the block does meanwhile."""
    with ExitStack() as lock:
        lock.enter_context(locked(data_dir))
        releasing = after(seconds, lock.pop_all().close)
        yield
        releasing.join()


def lives_until_killed(data_dir, **options):
    with victim(data_dir, **options) as process:
        assert process.wait() == -signal.SIGKILL
        return promises(process.printed())


@pytest.mark.parametrize(
    "times", [1, pytest.param(2, marks=pytest.mark.slow), pytest.param(9, marks=pytest.mark.slow)]
)
@pytest.mark.parametrize("point", BY_COMMIT)
def test_a_crash_at_a_commit_breaks_no_promise(tmp_path, point, times):
    said = lives_until_killed(tmp_path, fail_at=f"{point}:{times}")

    check(tmp_path, said)


@pytest.mark.slow
@pytest.mark.parametrize("point", BY_JOURNAL)
def test_a_crash_while_the_database_is_locked_breaks_no_promise(tmp_path, point):
    with victim(tmp_path, fail_at=point) as process:
        process.wait_for_line("living")
        with locked_for(tmp_path, 0.5):
            assert process.wait() == -signal.SIGKILL
        said = promises(process.printed())

    check(tmp_path, said)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(24))
def test_a_crash_at_any_moment_breaks_no_promise(tmp_path, seed):
    """In every third life the database is locked for a while."""
    chance = random.Random(seed)
    with victim(tmp_path) as process:
        process.wait_for_line("living")
        with locked_for(tmp_path, chance.uniform(0.1, 0.5)) if seed % 3 == 0 else nullcontext():
            after(chance.uniform(0.0, LONGEST_LIFE_S), lambda: process.tell(signal.SIGKILL)).join()
        assert process.wait() == -signal.SIGKILL
        said = promises(process.printed())

    check(tmp_path, said)


@pytest.mark.interop
@pytest.mark.parametrize("point", BY_COMMIT)
def test_a_crash_at_a_commit_of_a_server_breaks_no_promise(tmp_path, postgresql, point):
    url = postgresql.new_database()
    said = lives_until_killed(tmp_path, url=url, fail_at=f"{point}:5")

    check(tmp_path, said, url)
