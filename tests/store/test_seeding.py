"""The file seeds the store once; afterwards the store wins, and the difference can be told."""

import asyncio
import sys

import pytest

from gateway.config import Application, Number, User
from gateway.errors import ConfigError
from gateway.store import differences, peek
from gateway.store.seeding import configured
from gateway.switch.records import Number as OwnedNumber
from gateway.testing.stores import KEY, SQLITE, opened, store_config

ALICE = User(application=KEY, name="alice", password="secret", srtp="demanded")
SWEDE = Number(number="+46700000001", application=KEY)


async def snapshot(store):
    return store.directory.snapshot


def test_the_file_is_taken_over_at_the_first_start(keep, tmp_path, heard):
    seen = keep(snapshot, users=(ALICE,), numbers=(SWEDE,))

    told = configured(store_config(tmp_path, users=(ALICE,), numbers=(SWEDE,)))
    assert (seen.applications, seen.users, seen.numbers) == (told.applications, told.users, told.numbers)
    assert "store.seeded" in heard.names


def test_the_file_is_not_taken_over_again(keep):
    keep(snapshot, users=(ALICE,))

    assert keep(snapshot, users=(ALICE, User(application=KEY, name="bob", password="x"))).users == (
        keep(snapshot).users
    )


def test_two_that_start_at_once_agree(tmp_path, url):
    shared = url if url != SQLITE else f"sqlite+aiosqlite:///{tmp_path / 'shared.db'}"

    async def start(name):
        key_file = tmp_path / "store.key"
        async with opened(tmp_path / name, shared, users=(ALICE,), key_file=key_file) as store:
            return store.directory.snapshot

    async def both():
        return await asyncio.gather(*(start(f"data-{n}") for n in range(3)))

    first, *others = asyncio.run(both())

    assert others == [first, first]


def test_a_store_as_the_file_says_differs_in_nothing(tmp_path):
    config = store_config(tmp_path, users=(ALICE,), numbers=(SWEDE,))

    assert differences(config, configured(config)) == ()


@pytest.mark.parametrize(
    ("stored", "said"),
    [
        ({}, "The user alice stands in the file and not in the store."),
        (
            {"users": (User(application=KEY, name="alice", password="new", srtp="demanded"),)},
            "The user alice has another password in the store.",
        ),
        (
            {"users": (ALICE,), "numbers": (SWEDE,)},
            "The number +46700000001 stands in the store and not in the file.",
        ),
        (
            {
                "users": (ALICE,),
                "applications": (Application(key=KEY, secret="c2VjcmV0", callback="http://x"),),
            },
            f"The application {KEY.lower()} has another callback in the store.",
        ),
    ],
)
def test_a_difference_is_told_in_words_without_a_secret(tmp_path, stored, said):
    told = store_config(tmp_path, users=(ALICE,))

    found = differences(told, configured(store_config(tmp_path, **stored)))

    assert [str(each) for each in found] == [said]


def test_an_assignment_that_was_changed_is_a_difference(tmp_path):
    told = store_config(tmp_path, numbers=(SWEDE,))
    stored = configured(told)
    unassigned = type(stored)(stored.applications, (OwnedNumber("+46700000001"),))

    assert [each.what for each in differences(told, unassigned)] == ["has another application in the store"]


def test_a_store_is_looked_at_without_being_made(tmp_path):
    assert asyncio.run(peek(store_config(tmp_path))) is None
    assert list(tmp_path.iterdir()) == []


def test_a_store_is_looked_at_while_somebody_uses_it(tmp_path, url):
    async def story():
        async with opened(tmp_path, url, users=(ALICE,)) as store:
            return store.directory.snapshot, await peek(store_config(tmp_path, url))

    in_use, seen = asyncio.run(story())

    assert seen == in_use


@pytest.mark.parametrize(
    "url", ["no url", "mysql://root:geheim@localhost/x", "sqlite:////proc/none/tandem.db"]
)
def test_a_store_that_cannot_be_is_a_mistake_of_the_configuration(tmp_path, url):
    async def open_it():
        async with opened(tmp_path, url):
            pass

    with pytest.raises(ConfigError, match=r"store\.url") as refused:
        asyncio.run(open_it())

    assert "geheim" not in str(refused.value)


def test_a_driver_that_is_not_installed_is_named_with_its_cure(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "asyncpg", None)

    with pytest.raises(ConfigError, match=r"needs asyncpg: pip install 'tandem-voice\[postgresql\]'"):
        asyncio.run(peek(store_config(tmp_path, "postgresql+asyncpg://tandem:geheim@127.0.0.1/x")))
