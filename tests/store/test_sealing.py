"""No secret stands in the database, and an older store loses those that did."""

import asyncio

import pytest

from gateway.config import User
from gateway.errors import ConfigError
from gateway.store import peek
from gateway.store.database import store_url
from gateway.store.schema import upgrade
from gateway.store.sealing import InTheClear
from gateway.store.seeding import seed
from gateway.store.sqlite import SqliteDatabase
from gateway.store.tables import applications, users
from gateway.switch.records import Application
from gateway.switch.records import User as StoredUser
from gateway.testing.stores import KEY, SQLITE, Heard, eventually, opened, store_config

SECRET = "cGxhbnRlZCBzZWNyZXQ="
PASSWORD = "planted-password"
ALICE = User(application=KEY, name="alice", password=PASSWORD)
OTHER = Application("00000000-0000-4000-8000-00000000000B", SECRET)


def everything_in(directory):
    """Return every byte of every file but the keys."""
    return b"".join(path.read_bytes() for path in directory.iterdir() if path.suffix != ".key")


async def an_old_store(data_dir):
    """Write what a version before this one would have: secrets in the clear."""
    config = store_config(data_dir, users=(ALICE,))
    database = SqliteDatabase(store_url(SQLITE, data_dir))

    def write(connection):
        upgrade(connection)
        seed(connection, config, InTheClear())

    await database.write(write)
    await database.close()


def test_what_is_secret_is_in_no_row(keep):
    async def story(store):
        await store.administration.create_application(OTHER)
        rows = await store.database.read(
            lambda connection: [
                *connection.execute(applications.select()).all(),
                *connection.execute(users.select()).all(),
            ]
        )
        return store.directory.snapshot, str(rows)

    seen, rows = keep(story, users=(ALICE,))

    assert seen.applications[-1].secret == SECRET
    assert seen.users[0].password == PASSWORD
    assert SECRET not in rows
    assert PASSWORD not in rows
    assert "c2VjcmV0" not in rows


def test_what_is_secret_is_in_no_byte_of_the_file(tmp_path):
    async def story():
        async with opened(tmp_path, users=(ALICE,)) as store:
            await store.administration.create_application(OTHER)
            return everything_in(tmp_path)

    written = asyncio.run(story()) + everything_in(tmp_path)

    assert PASSWORD.encode() not in written
    assert SECRET.encode() not in written


def test_the_first_start_seals_what_an_older_version_wrote(tmp_path):
    asyncio.run(an_old_store(tmp_path))
    assert PASSWORD.encode() in everything_in(tmp_path)
    heard = Heard()

    async def story():
        async with opened(tmp_path, log=heard) as store:
            return store.directory.snapshot, everything_in(tmp_path)

    seen, written = asyncio.run(story())

    assert seen.users == (StoredUser(KEY, "alice", PASSWORD),)
    assert PASSWORD.encode() not in written
    assert ("store.sealed", {"key_file": str(tmp_path / "store.key"), "scrubbed": True}) in heard.events


def test_an_older_store_is_looked_at_as_it_is(tmp_path):
    asyncio.run(an_old_store(tmp_path))

    seen = asyncio.run(peek(store_config(tmp_path)))

    assert [user.password for user in seen.users] == [PASSWORD]
    assert not (tmp_path / "store.key").exists()


def test_a_store_whose_key_is_gone_is_refused_and_gets_no_other(tmp_path, url):
    async def story():
        async with opened(tmp_path, url):
            pass
        (tmp_path / "store.key").unlink()
        async with opened(tmp_path, url):
            pass

    with pytest.raises(ConfigError, match=r"store\.key_file"):
        asyncio.run(story())

    assert not (tmp_path / "store.key").exists()


def test_after_a_change_of_keys_the_new_one_is_enough(tmp_path, url):
    key_file = tmp_path / "store.key"

    async def story():
        async with opened(tmp_path, url, users=(ALICE,)) as store:
            await store.administration.rekey()
        newest = next(line for line in key_file.read_text().splitlines() if not line.startswith("#"))
        key_file.write_text(newest)
        async with opened(tmp_path, url) as store:
            return store.directory.user(KEY, "alice").password

    assert asyncio.run(story()) == PASSWORD


def test_who_puts_a_key_before_the_others_by_hand_has_everything_sealed_with_it(tmp_path):
    key_file = tmp_path / "store.key"

    async def story():
        async with opened(tmp_path, users=(ALICE,)):
            pass
        by_hand = "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY="
        key_file.write_text(f"{by_hand}\n{key_file.read_text()}")
        async with opened(tmp_path):
            pass
        key_file.write_text(by_hand)
        async with opened(tmp_path) as store:
            return store.directory.user(KEY, "alice").password

    assert asyncio.run(story()) == PASSWORD


def test_a_running_switch_reads_a_new_key_when_it_needs_it(tmp_path):
    async def story():
        async with opened(tmp_path, users=(ALICE,)) as switch:
            async with opened(tmp_path, users=(ALICE,)) as shell:
                await shell.administration.rekey()
                await shell.administration.add_user(StoredUser(KEY, "bob", PASSWORD))

            async def seen():
                return switch.directory.user(KEY, "bob")

            await eventually(seen)
            return switch.directory.user(KEY, "alice").password

    assert asyncio.run(story()) == PASSWORD
