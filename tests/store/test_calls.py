"""Calls: what was acknowledged is there, what is closed stays as it is, what is noted counts in its order."""

import asyncio
from dataclasses import replace
from decimal import Decimal

import pytest

from gateway.switch.records import CallKind, CallReason, CallResult, Identity, IdentityType, Money
from gateway.testing.stores import KEY, a_call, ended, to_tell

WHOLE = a_call(
    user="alice",
    kind=CallKind.SIP_TERMINATED,
    caller=Identity(IdentityType.USERNAME, "alice"),
    called=Identity(IdentityType.SIP, "bob@example.org"),
    cli="+46700000009",
    domain="sip",
    origination="mxp",
    conference="room",
    answered_at=1_001.25,
    ended_at=1_016.5,
    result=CallResult.ANSWERED,
    reason=CallReason.MANAGERHANGUP,
    custom='Grüße; "quoted"\n',
    rate=Money(Decimal("0.1758"), "EUR"),
    debit=Money(Decimal("0.04468450"), "EUR"),
    tags=(("tag", "1"), ("tag", "2")),
    cookies=(("menu", "main"),),
    headers=(("X-Trace", "abc"),),
    reported_status="ok",
    reported_details="heard well",
    callbacks=False,
)
"""A call that has everything."""


async def finish(store, record, *outgoing):
    await store.calls.begin(replace(record, ended_at=None))
    await store.calls.finish(record, *outgoing)


def find(keep, call="call-1"):
    """Return what a store that was opened anew knows of a call."""
    return keep(lambda store: store.calls.find(call))


def test_a_call_that_was_begun_is_found_by_the_next_process(keep):
    keep(lambda store: store.calls.begin(a_call()))

    assert find(keep) == a_call()


def test_every_field_of_a_record_comes_back(keep):
    keep(lambda store: finish(store, WHOLE))

    assert find(keep) == WHOLE


def test_a_call_that_never_was_is_not_found(keep):
    assert find(keep, "nobody") is None


def test_the_newest_note_counts(keep):
    async def story(store):
        await store.calls.begin(a_call())
        store.calls.note(a_call(cli="first"))
        store.calls.note(a_call(cli="second"))

    keep(story)

    assert find(keep).cli == "second"


def test_a_note_alone_makes_a_call(keep):
    async def story(store):
        store.calls.note(a_call())

    keep(story)

    assert find(keep) == a_call()


def test_a_note_after_the_end_changes_nothing(keep):
    async def story(store):
        await finish(store, ended(a_call()))
        store.calls.note(a_call(cli="late"))

    keep(story)

    assert find(keep) == ended(a_call())


def test_a_call_that_is_finished_twice_has_the_first_record_and_tells_once(keep):
    async def story(store):
        await finish(store, ended(a_call()), to_tell("dice-1"))
        await store.calls.finish(ended(a_call(), reason=CallReason.TIMEOUT), to_tell("dice-2"))
        return await store.outbox.due(2_000.0)

    assert [each.id for each in keep(story)] == ["dice-1"]
    assert find(keep) == ended(a_call())


def test_finishing_a_call_of_the_process_before_closes_it(keep):
    keep(lambda store: store.calls.begin(a_call()))
    keep(lambda store: store.calls.finish(ended(a_call()), to_tell()))

    assert find(keep) == ended(a_call())


def test_a_call_without_an_end_cannot_be_finished(keep):
    with pytest.raises(ValueError, match="has not ended"):
        keep(lambda store: store.calls.finish(a_call()))


def test_what_is_told_of_a_call_is_there_with_its_record(keep):
    keep(lambda store: finish(store, ended(a_call()), to_tell(), to_tell("notify-1", event="notify")))

    assert [each.id for each in keep(lambda store: store.outbox.due(2_000.0))] == ["dice-1"]
    assert keep(lambda store: store.outbox.backlog()) == 2


def test_calls_in_progress_are_those_that_have_not_ended(keep):
    async def story(store):
        await store.calls.begin(a_call("later", started_at=1_100.0))
        await store.calls.begin(a_call("sooner"))
        await finish(store, ended(a_call("over")))
        return [record.call for record in store.calls.ongoing()]

    async def after(store):
        return [record.call for record in store.calls.ongoing()]

    assert keep(story) == ["sooner", "later"]
    assert keep(after) == ["sooner", "later"]


def test_what_is_needed_to_take_a_call_up_again_outlives_the_process_and_not_the_call(keep):
    async def story(store):
        await store.calls.begin(a_call("up"))
        await store.calls.begin(a_call("over"))
        store.calls.keep("up", b"one")
        store.calls.keep("over", b"other")
        store.calls.keep("up", b"\0two")
        await store.writer.settled()
        await store.calls.finish(ended(a_call("over")))

    async def after(store):
        return store.calls.kept()

    keep(story)

    assert keep(after) == {"up": b"\0two"}


def test_the_price_of_a_call_is_booked_once(keep):
    async def story(store):
        application = store.directory.application(KEY)
        balance = Money(Decimal(10), "USD")
        await store.administration.update_application(replace(application, balance=balance))
        await finish(store, ended(a_call()))
        await store.calls.finish(ended(a_call()))
        return store.directory.application(KEY)

    async def after(store):
        return store.directory.application(KEY)

    seen = keep(story)

    assert seen.balance == Money(Decimal("9.95"), "USD")
    assert seen.spent == Money(Decimal("0.05"), "USD")
    assert keep(after) == seen


def test_a_balance_in_another_currency_is_left_alone(keep):
    async def story(store):
        application = store.directory.application(KEY)
        balance = Money(Decimal(10), "SEK")
        await store.administration.update_application(replace(application, balance=balance))
        await finish(store, ended(a_call()))

    async def after(store):
        return store.directory.application(KEY)

    keep(story)

    assert keep(after).balance == Money(Decimal(10), "SEK")
    assert keep(after).spent == Money(Decimal("0.05"), "USD")


@pytest.mark.parametrize("is_over", [False, True])
def test_what_an_application_reports_of_a_call_is_added_to_it(keep, is_over):
    async def story(store):
        await store.calls.begin(a_call())
        if is_over:
            await store.calls.finish(ended(a_call()))
        return await store.calls.report("call-1", "bad", "echo")

    told = keep(story)

    assert (told.reported_status, told.reported_details) == ("bad", "echo")
    assert find(keep) == told


def test_a_report_outlives_what_is_noted_by_those_who_do_not_know_it(keep):
    async def story(store):
        await store.calls.begin(a_call())
        await store.calls.report("call-1", "bad", "echo")
        store.calls.note(a_call(cli="changed"))
        await store.calls.finish(ended(a_call()))

    keep(story)

    assert find(keep).reported_status == "bad"


def test_a_report_of_a_call_that_never_was_is_answered_with_nothing(keep):
    assert keep(lambda store: store.calls.report("nobody", "bad")) is None


def test_text_that_no_database_can_hold_does_not_cost_the_record(keep):
    keep(lambda store: finish(store, ended(a_call(custom="a\0b\ud800c"))))

    assert find(keep).custom == "a\ufffdb\ufffdc"


def test_a_name_as_long_as_a_stranger_likes_does_not_cost_the_record(keep):
    long = Identity(IdentityType.SIP, "".join(chr(0x4E00 + n % 20_000) for n in range(60_000)))
    keep(lambda store: finish(store, ended(a_call(caller=long))))

    assert long.endpoint.startswith(find(keep).caller.endpoint)


def test_the_key_of_an_application_is_the_same_in_any_case(keep):
    async def story(store):
        await finish(store, ended(a_call(application=KEY.lower())))

    async def after(store):
        return store.directory.application(KEY.upper())

    keep(story)

    assert keep(after).spent == Money(Decimal("0.05"), "USD")


def test_calls_that_go_on_at_once_share_commits(keep):
    async def story(store):
        before = store.writer.counters["commits"]
        await asyncio.gather(*(store.calls.begin(a_call(f"call-{n}")) for n in range(100)))
        return store.writer.counters["commits"] - before

    assert keep(story) <= 3


def test_an_application_that_nobody_knows_costs_no_record(keep):
    keep(lambda store: finish(store, ended(a_call(application="gone"))))

    assert find(keep).application == "gone"
