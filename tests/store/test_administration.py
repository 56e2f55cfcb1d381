"""Who there is: changed in one transaction, shown at once, and by other processes soon."""

import asyncio
from dataclasses import replace
from decimal import Decimal

import pytest

from gateway.errors import LocalError
from gateway.switch.records import Application, Money, Number, Rate, User
from gateway.testing.stores import KEY, eventually, opened

OTHER = Application("11111111-0000-4000-8000-00000000000B", "b3RoZXI=", "other")
FULL = Application(
    "22222222-0000-4000-8000-00000000000C",
    "c2VjcmV0",
    "full",
    "http://127.0.0.1/cb",
    "http://127.0.0.1/fallback",
    basic=False,
    balance=Money(Decimal("12.34567891"), "EUR"),
    spend_cap=Money(Decimal(100), "EUR"),
    spent=Money(Decimal("0.5"), "EUR"),
    calls_per_s=2.5,
    verified=("+46709990001",),
    destinations=("+46", "+1202"),
)
US = Rate("+1", "US", "Fixed", Money(Decimal("0.01"), "USD"))
WASHINGTON = Rate("+1202", "US", "Mobile", Money(Decimal("0.02"), "USD"))


def change(keep, *steps):
    """Make changes, and return the directory as the next process sees it."""

    async def story(store):
        for step in steps:
            await step(store.administration)
        return store.directory.snapshot

    async def after(store):
        return store.directory

    shown = keep(story)
    directory = keep(after)
    assert directory.snapshot == shown
    return directory


def test_an_application_comes_back_with_everything(keep):
    directory = change(keep, lambda admin: admin.create_application(FULL))

    assert directory.application(FULL.key) == FULL
    assert [each.key for each in directory.applications()] == [KEY, FULL.key]


def test_a_key_is_given_once_in_any_case(keep):
    twin = replace(OTHER, key=KEY.lower())

    with pytest.raises(LocalError, match="already"):
        change(keep, lambda admin: admin.create_application(twin))


def test_an_update_leaves_what_was_spent(keep):
    directory = change(
        keep,
        lambda admin: admin.create_application(FULL),
        lambda admin: admin.update_application(replace(FULL, name="new", spent=None)),
    )

    assert directory.application(FULL.key) == replace(FULL, name="new")


def test_a_rotated_secret_is_another_one(keep):
    directory = change(keep, lambda admin: admin.rotate(KEY, "bmV3"))

    assert directory.application(KEY).secret == "bmV3"


def test_callbacks_are_set_both_at_once(keep):
    directory = change(
        keep,
        lambda admin: admin.set_callbacks(KEY, "http://a", "http://b"),
        lambda admin: admin.set_callbacks(KEY, "http://c", None),
    )

    assert (directory.application(KEY).callback, directory.application(KEY).fallback) == ("http://c", None)


def test_a_payment_is_a_negative_charge(keep):
    directory = change(
        keep,
        lambda admin: admin.create_application(FULL),
        lambda admin: admin.charge(FULL.key, Money(Decimal(-5), "EUR")),
    )

    assert directory.application(FULL.key).balance == Money(Decimal("17.34567891"), "EUR")


def test_nobody_is_changed_who_is_not_there(keep):
    with pytest.raises(LocalError, match="no application nobody"):
        change(keep, lambda admin: admin.rotate("nobody", "x"))


def test_numbers_are_assigned_and_taken_back(keep):
    directory = change(
        keep,
        lambda admin: admin.create_application(OTHER),
        lambda admin: admin.add_number(Number("+46700000001")),
        lambda admin: admin.add_number(Number("+46700000002", KEY, forward="sip:bob@example.org")),
        lambda admin: admin.add_number(Number("+46700000002", KEY, "sms")),
        lambda admin: admin.assign(OTHER.key.lower(), ["+46700000001", "+46700000002"]),
        lambda admin: admin.unassign(OTHER.key, "+46700000001"),
    )

    assert directory.numbers() == [
        Number("+46700000001"),
        Number("+46700000002", KEY, "sms"),
        Number("+46700000002", OTHER.key, forward="sip:bob@example.org"),
    ]
    assert directory.number("+46700000002").application == OTHER.key
    assert directory.numbers(KEY) == [Number("+46700000002", KEY, "sms")]


def test_of_numbers_that_are_assigned_all_are_or_none(keep):
    async def story(store):
        await store.administration.add_number(Number("+46700000001"))
        with pytest.raises(LocalError, match="not a number of ours"):
            await store.administration.assign(KEY, ["+46700000001", "+46700000009"])
        return store.directory.number("+46700000001")

    assert keep(story) == Number("+46700000001")


def test_a_number_is_taken_only_from_the_one_who_has_it(keep):
    with pytest.raises(LocalError, match="is not assigned to"):
        change(
            keep,
            lambda admin: admin.create_application(OTHER),
            lambda admin: admin.add_number(Number("+46700000001", OTHER.key)),
            lambda admin: admin.unassign(KEY, "+46700000001"),
        )


def test_users_come_and_go(keep):
    directory = change(
        keep,
        lambda admin: admin.add_user(User(KEY, "alice", "old")),
        lambda admin: admin.add_user(User(KEY, "alice", "new", "demanded")),
        lambda admin: admin.add_user(User(KEY, "bob", "secret")),
        lambda admin: admin.remove_user(KEY, "bob"),
        lambda admin: admin.remove_user(KEY, "nobody"),
    )

    assert directory.users() == [User(KEY, "alice", "new", "demanded")]
    assert directory.user(KEY.lower(), "alice").password == "new"


def test_whoever_was_given_the_passwords_hears_of_a_new_one(keep):
    async def story(store):
        passwords = store.directory.passwords
        await store.administration.add_user(User(KEY, "alice", "new"))
        await store.administration.add_user(User(KEY, "silent"))
        return passwords

    assert keep(story) == {"alice": "new"}


def test_a_users_name_belongs_to_one_application(keep):
    with pytest.raises(LocalError, match="another application"):
        change(
            keep,
            lambda admin: admin.create_application(OTHER),
            lambda admin: admin.add_user(User(KEY, "alice", "one")),
            lambda admin: admin.add_user(User(OTHER.key, "alice", "two")),
        )


def test_the_longest_prefix_has_the_price(keep):
    directory = change(keep, lambda admin: admin.set_rates([US, WASHINGTON]))

    assert directory.rate("+12025550100") == WASHINGTON
    assert directory.rate("+13105550100") == US
    assert directory.rate("+46700000001") is None


def test_a_table_of_prices_replaces_the_one_before(keep):
    directory = change(
        keep, lambda admin: admin.set_rates([US, WASHINGTON]), lambda admin: admin.set_rates([WASHINGTON])
    )

    assert directory.rate("+13105550100") is None


def test_text_that_the_database_cannot_hold_is_refused_in_words(keep, url):
    refused = Number("+46700000001", KEY, forward="sip:a\0b")

    if url.startswith("postgresql"):
        with pytest.raises(LocalError, match="refuses"):
            change(keep, lambda admin: admin.add_number(refused))
    else:
        assert change(keep, lambda admin: admin.add_number(refused)).number("+46700000001") == refused


def test_another_process_sees_a_change_within_a_second_or_two(tmp_path, url):
    async def story():
        beside, key_file = _beside(tmp_path, url), tmp_path / "store.key"
        async with opened(tmp_path / "switch", beside, key_file=key_file) as switch:
            async with opened(tmp_path / "shell", beside, key_file=key_file) as shell:
                await shell.administration.add_user(User(KEY, "carol", "secret"))

            async def seen():
                return switch.directory.user(KEY, "carol")

            await eventually(seen)

    asyncio.run(story())


def _beside(tmp_path, url):
    """Return a URL that means the same database in every data directory."""
    return url if url.startswith("postgresql") else f"sqlite+aiosqlite:///{tmp_path / 'shared.db'}"
