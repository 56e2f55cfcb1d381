"""The outbox: at least once, in each call's order, until it arrived or somebody gave up."""

import asyncio

from gateway.testing.stores import a_call, ended, to_tell

NOW = 2_000.0


def put(*notifications):
    async def story(store):
        for notification in notifications:
            await store.outbox.put(notification)

    return story


def due(keep, now=NOW, limit=100):
    """Return the ids of what a store that was opened anew would send now."""
    return [each.id for each in keep(lambda store: store.outbox.due(now, limit))]


def test_what_was_put_comes_out_as_it_was(keep):
    whole = to_tell(url="http://127.0.0.1/cb", headers=(("X-Trace", "1"),), body=b"\0\xff", next_at=5.0)
    keep(put(whole))

    assert keep(lambda store: store.outbox.due(NOW)) == [whole]


def test_what_was_put_twice_comes_out_once(keep):
    keep(put(to_tell(), to_tell(body=b"other")))

    assert keep(lambda store: store.outbox.due(NOW)) == [to_tell()]


def test_what_arrived_is_forgotten(keep):
    keep(put(to_tell()))
    keep(lambda store: store.outbox.delivered("dice-1"))

    assert due(keep) == []


def test_what_failed_is_due_again_when_it_was_said_to_be(keep):
    keep(put(to_tell()))
    keep(lambda store: store.outbox.failed("dice-1", 2_060.0))

    assert due(keep, 2_059.0) == []
    assert [(each.id, each.attempts) for each in keep(lambda store: store.outbox.due(2_060.0))] == [
        ("dice-1", 1)
    ]


def test_the_second_message_of_a_call_waits_for_the_first(keep):
    keep(put(to_tell("first"), to_tell("second")))
    keep(lambda store: store.outbox.failed("first", 2_060.0))
    assert due(keep) == []

    keep(lambda store: store.outbox.delivered("first"))

    assert due(keep) == ["second"]


def test_other_calls_do_not_wait(keep):
    keep(put(to_tell("first"), to_tell("other", call="call-2")))
    keep(lambda store: store.outbox.failed("first", 2_060.0))

    assert due(keep) == ["other"]


def test_what_was_given_up_is_kept_and_lets_the_next_one_go(keep):
    keep(put(to_tell("first"), to_tell("second")))
    keep(lambda store: store.outbox.given_up("first"))

    assert due(keep) == ["second"]
    assert keep(lambda store: store.outbox.backlog()) == 1


def test_no_more_comes_out_than_was_asked_for(keep):
    keep(put(*(to_tell(f"dice-{n}", call=f"call-{n}") for n in range(5))))

    assert due(keep, limit=2) == ["dice-0", "dice-1"]


def test_whoever_waits_for_news_hears_of_a_call_that_ended(keep):
    async def story(store):
        waiting = asyncio.create_task(store.outbox.news())
        await store.calls.finish(ended(a_call()), to_tell())
        async with asyncio.timeout(5):
            await waiting
        return [each.id for each in await store.outbox.due(NOW)]

    assert keep(story) == ["dice-1"]


def test_news_are_told_once(keep):
    async def story(store):
        await store.outbox.put(to_tell())
        await store.outbox.news()
        again = asyncio.create_task(store.outbox.news())
        await store.writer.settled()
        waits = not again.done()
        again.cancel()
        return waits

    assert keep(story)
