"""Blocking callbacks: signed, failing over, judged, and told of; against servers on real sockets."""

import asyncio
import json
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from gateway.callbacks import LOOPBACK, Courier, Guard, HttpBackend, open_client
from gateway.callbacks.failover import FAILURES, RETRY_S
from gateway.callbacks.letter import written
from gateway.errors import GatewayError
from gateway.ids import SeededIds
from gateway.observe.events import EVENTS
from gateway.signing import Accepted, Refusal, Signable, verify
from gateway.svaml.forwarded import MOST_HEADERS, forwardable
from gateway.svaml.ports import CallbackFailed, NoCallback
from gateway.switch.records import Application, Notification
from gateway.testing.callback_server import (
    CallbackServer,
    answer,
    babble,
    close_half_way,
    drip,
    hang_up,
    in_turn,
    never_end,
    say_nothing,
)

APPLICATION = Application("669E367E-6BBA-48AB-AF15-266871C28135", "BeIukql3pTKJ8RGL5zo0DA==")
WALL = 1_411_556_381.0
BODY = {"event": "ice", "callid": "7", "timestamp": "2014-09-24T10:59:41Z", "version": 1}
SVAML = b'{"action":{"name":"hangup"}}'
ELSE = b'{"action":{"name":"continue"}}'


@dataclass
class HandClock:
    """Both clocks stand still until a test moves them."""

    at: float = 0.0

    def now(self):
        return self.at

    def wall(self):
        return WALL + self.at


class World:
    """A backend, and the application's servers."""

    def __init__(self, client, clock, application, servers, questions):
        self.clock = clock
        self.application = application
        self.servers = servers
        courier = Courier(client, clock)
        self.backend = HttpBackend(courier, self.find, SeededIds(1), questions=questions, patience_s=0.2)

    def find(self, key):
        return self.application if key.lower() == self.application.key.lower() else None

    async def ask(self, body=BODY, **options):
        return await self.backend.ask(self.application, "ice", body, call="7", **options)

    @property
    def asked(self):
        """How often each server was asked."""
        return [len(server.received) for server in self.servers]


@asynccontextmanager
async def world(*behaviours, patience_s=5.0, questions=64, path="/sinch/callback/ace"):
    """Give a world whose application has a primary server, and a fallback if there are two behaviours."""
    async with AsyncExitStack() as stack:
        servers = [await stack.enter_async_context(CallbackServer(one, path=path)) for one in behaviours]
        client = await stack.enter_async_context(open_client(Guard(networks=LOOPBACK), patience_s=patience_s))
        urls = [server.url for server in servers]
        application = replace(APPLICATION, **dict(zip(("callback", "fallback"), urls, strict=False)))
        yield World(client, HandClock(), application, servers, questions)


def told(scenario, *behaviours, **options):
    """Run a scenario in a world; return its result."""

    async def run():
        async with world(*behaviours, **options) as made:
            return await scenario(made)

    return asyncio.run(run())


def signed_by(request, application):
    """Say what the application's own server would think of the request."""
    path, _, query = request.target.partition("?")
    signable = Signable(
        method=request.method,
        path=path,
        query=query,
        content_type=request.headers["content-type"],
        timestamp=request.headers["x-timestamp"],
        body=request.body,
    )
    find = {application.key: application}.get
    return verify(signable, request.headers["authorization"], find, now=WALL)


async def ask_once(made):
    answered = await made.ask()
    return answered, made.servers[0].received[0]


def test_the_answer_is_returned_as_it_came():
    answered, _ = told(ask_once, answer(SVAML))

    assert answered == SVAML


def test_a_callback_is_signed_over_the_path_of_its_url():
    _, request = told(ask_once, answer(), path="/my%20calls/%C3%A5?tenant=7")

    assert request.target == "/my%20calls/%C3%A5?tenant=7"
    assert isinstance(signed_by(request, APPLICATION), Accepted)


def test_the_scheme_is_in_lower_case():
    """The .NET client compares it with "application" (section 2.4)."""
    _, request = told(ask_once, answer())

    assert request.headers["authorization"].startswith(f"application {APPLICATION.key}:")


def test_a_changed_byte_is_noticed():
    _, request = told(ask_once, answer())

    assert (
        signed_by(replace(request, body=request.body.replace(b"ice", b"ace")), APPLICATION)
        is Refusal.SIGNATURE
    )


def test_the_body_has_the_order_of_the_event():
    _, request = told(ask_once, answer())

    assert request.body == b'{"event":"ice","callid":"7","timestamp":"2014-09-24T10:59:41Z","version":1}'
    assert request.headers["content-type"] == "application/json"


@given(st.dictionaries(st.text(), st.text() | st.integers() | st.booleans() | st.none()))
def test_a_body_is_written_whatever_a_caller_wrote(document):
    assert json.loads(written(document)) == document


def test_an_application_without_url_cannot_be_asked():
    async def scenario(made):
        made.application = replace(made.application, callback=None)
        await made.ask()

    with pytest.raises(NoCallback):
        told(scenario, answer())


def test_a_url_of_the_callout_is_asked_alone():
    async def scenario(made):
        primary, own = made.servers
        made.application = replace(made.application, fallback=primary.url)
        with pytest.raises(CallbackFailed):
            await made.ask(url=own.url)
        return made.asked

    assert told(scenario, answer(), answer(status=500)) == [0, 1]


BAD = {
    "silent": say_nothing,
    "dripping": drip,
    "closing": hang_up,
    "closing half-way": close_half_way,
    "garbage": babble,
    "endless": never_end,
    "ten megabytes": answer(b" " * 10_000_000),
    "redirecting": answer(status=302, headers="Location: /elsewhere\r\n"),
    "failing": answer(status=500),
}


@pytest.mark.parametrize("behave", BAD.values(), ids=BAD)
def test_the_fallback_is_asked_at_once(behave):
    async def scenario(made):
        return await made.ask(), made.asked

    assert told(scenario, behave, answer(ELSE), patience_s=0.3) == (ELSE, [1, 1])


@pytest.mark.parametrize("behave", BAD.values(), ids=BAD)
def test_without_a_fallback_there_is_one_attempt(behave):
    async def scenario(made):
        with pytest.raises(CallbackFailed) as raised:
            await made.ask()
        return made.asked, raised.value.refusal

    assert told(scenario, behave, patience_s=0.3) == ([1], None)


def test_the_fallback_is_asked_when_nobody_listens():
    async def scenario(made):
        async with CallbackServer(answer()) as gone:
            url = gone.url
        made.application = replace(made.application, callback=url, fallback=made.servers[0].url)
        return await made.ask()

    assert told(scenario, answer(ELSE)) == ELSE


def test_both_attempts_carry_the_same_id():
    async def scenario(made):
        await made.ask()
        await made.ask()
        return [[request.headers["ce-id"] for request in server.received] for server in made.servers]

    primary, fallback = told(scenario, answer(status=500), answer())

    assert primary == fallback
    assert len(set(primary)) == 2


class Unwelcome(GatewayError):
    pass


def refuse(body):
    """Accept ELSE alone."""
    if body != ELSE:
        raise Unwelcome("$.action: not what this event may do")


def test_an_answer_that_is_not_valid_is_a_failure():
    async def scenario(made):
        return await made.ask(accept=refuse), made.asked

    assert told(scenario, answer(SVAML), answer(ELSE)) == (ELSE, [1, 1])


@pytest.mark.parametrize(
    "fallback", [[answer(b"")], [answer(status=500)], []], ids=["invalid", "failing", "none"]
)
def test_the_refusal_of_an_invalid_answer_is_told(fallback):
    async def scenario(made):
        with pytest.raises(CallbackFailed) as raised:
            await made.ask(accept=refuse)
        return raised.value.refusal

    assert isinstance(told(scenario, answer(SVAML), *fallback), Unwelcome)


def test_after_three_failures_the_primary_is_bypassed_then_tried_again_and_restored():
    async def scenario(made):
        primary, _ = made.servers
        for _ in range(FAILURES + 2):
            await made.ask()
        bypassed = made.asked
        made.clock.at += RETRY_S
        primary.behave = answer(SVAML)
        return bypassed, [await made.ask(), await made.ask()], made.asked

    bypassed, answers, asked = told(scenario, answer(status=500), answer(ELSE))

    assert bypassed == [FAILURES, FAILURES + 2]
    assert answers == [SVAML, SVAML]
    assert asked == [FAILURES + 2, FAILURES + 2]


def test_a_new_primary_url_is_asked_at_once():
    async def scenario(made):
        for _ in range(FAILURES):
            await made.ask()
        async with CallbackServer(answer(SVAML)) as new:
            made.application = replace(made.application, callback=new.url)
            return await made.ask()

    assert told(scenario, answer(status=500), answer(ELSE)) == SVAML


def test_a_call_that_ends_meanwhile_does_not_count_against_the_server():
    async def scenario(made):
        for _ in range(FAILURES):
            asking = asyncio.ensure_future(made.ask())
            await made.servers[0].asked.wait()
            made.servers[0].asked.clear()
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)
        made.servers[0].behave = answer(SVAML)
        return await made.ask()

    assert told(scenario, say_nothing, answer(ELSE)) == SVAML


def test_a_hundred_callbacks_at_once_are_all_answered():
    async def scenario(made):
        return await asyncio.gather(*(made.ask() for _ in range(100)))

    assert told(scenario, answer(SVAML)) == [SVAML] * 100


def test_questions_beyond_the_limit_wait_for_their_turn():
    async def scenario(made):
        together = await asyncio.gather(*(made.ask() for _ in range(20)))
        return together, made.servers[0].connections

    together, connections = told(scenario, answer(SVAML), questions=2)

    assert together == [SVAML] * 20
    assert connections <= 2


def test_a_question_whose_turn_never_comes_fails():
    async def scenario(made):
        together = await asyncio.gather(*(made.ask() for _ in range(3)), return_exceptions=True)
        return [str(one) for one in together], made.backend.counters["crowded"]

    reasons, crowded = told(scenario, say_nothing, questions=2, patience_s=0.5)

    assert crowded == 1
    assert "2 callbacks of the application wait for an answer" in reasons


def test_marks_of_the_callout_go_along():
    async def scenario(made):
        await made.ask(
            forwarded=(("X-CB-Trace", "7"), ("x-cb-b", ""), ("Authorization", "mine"), ("X-CB-", "no"))
        )
        return made.servers[0].received[0].headers

    headers = told(scenario, answer())

    assert (headers["x-cb-trace"], headers["x-cb-b"]) == ("7", "")
    assert "x-cb-" not in headers
    assert headers["authorization"] != "mine"


@pytest.mark.parametrize(
    ("name", "value"),
    [("X-CB-" + "a" * 28, "long name"), ("X-CB-a", "x" * 129), ("X-CB-a", "two\r\nlines"), ("X-CB-a", "é"),
     ("X-CB-a b", "space"), ("X-CB-a:", "colon"), ("X-CB", "no name"), ("X-Other", "no mark"), ("X-CB-a\n", "x")],
)  # fmt: skip
def test_a_mark_that_does_not_fit_stays_behind(name, value):
    """Section 5.1: no line breaks, 0x20-0x7e, 32 characters, 128 characters."""
    assert forwardable([(name, value)]) == ()


def test_the_first_five_marks_are_kept():
    marks = [("X-CB-" + "a" * 27, "x" * 128), *((f"x-Cb-{at}", str(at)) for at in range(9))]

    assert forwardable(marks) == tuple(marks[:MOST_HEADERS])


def test_an_item_of_the_outbox_is_delivered_as_it_was_written():
    item = Notification(
        id="n1",
        call="7",
        application=APPLICATION.key.lower(),
        event="dice",
        body=b'{"event": "dice"}',
        created_at=WALL,
        headers=(("X-CB-Trace", "7"),),
    )

    async def scenario(made):
        await made.backend.deliver(item)
        return made.servers[0].received[0]

    request = told(scenario, answer())

    assert (request.body, request.headers["ce-id"], request.headers["x-cb-trace"]) == (item.body, "n1", "7")
    assert isinstance(signed_by(request, APPLICATION), Accepted)


def test_an_item_of_an_application_that_is_gone_has_nowhere_to_go():
    item = Notification(id="n1", call="7", application="gone", event="dice", body=b"{}", created_at=WALL)

    async def scenario(made):
        await made.backend.deliver(item)

    with pytest.raises(NoCallback, match="gone"):
        told(scenario, answer())


def test_what_is_learnt_by_the_outbox_spares_the_next_question_its_wait():
    item = Notification(
        id="n", call="7", application=APPLICATION.key, event="dice", body=b"{}", created_at=WALL
    )

    async def scenario(made):
        for _ in range(FAILURES):
            await made.backend.deliver(item)
        await made.ask()
        return made.asked

    assert told(scenario, answer(status=500), answer(ELSE)) == [FAILURES, FAILURES + 1]


def test_attempts_are_counted_by_what_came_of_them():
    async def scenario(made):
        await made.ask()
        await made.ask(accept=refuse)
        return made.backend.counters, made.backend.census()

    counters, census = told(scenario, in_turn(answer(status=500), answer(SVAML)), answer(ELSE))

    assert counters == {"status": 1, "invalid": 1, "delivered": 2}
    assert census == {"under_way": 0, "bypassed": 0}


def test_every_attempt_is_told_with_the_facts_of_the_table():
    async def scenario(made):
        with structlog.testing.capture_logs() as lines:
            for _ in range(FAILURES):
                await made.ask()
            made.clock.at += RETRY_S
            made.servers[0].behave = answer()
            await made.ask()
        return lines

    lines = told(scenario, answer(status=500), answer(ELSE))

    assert [line["event"] for line in lines] == [
        *["callback.failed", "callback.delivered"] * (FAILURES - 1),
        "callback.failed",
        "callback.primary_bypassed",
        "callback.delivered",
        "callback.delivered",
        "callback.primary_restored",
    ]
    assert all(set(line) - {"event", "log_level"} == set(EVENTS[line["event"]].facts) for line in lines)


def test_no_line_tells_a_secret():
    async def scenario(made):
        host = made.servers[0].url.removeprefix("http://")
        made.application = replace(made.application, callback=f"http://user:hunter2@{host}?token=hunter3")
        with structlog.testing.capture_logs() as lines:
            with pytest.raises(CallbackFailed):
                await made.ask()
            await made.ask()
        return lines, made.servers[0].received

    lines, received = told(scenario, in_turn(answer(status=500), answer()))

    assert len(lines) == 2
    signature = received[0].headers["authorization"].partition(":")[2]
    secrets = ("hunter2", "hunter3", APPLICATION.secret, signature)
    assert not [secret for secret in secrets if secret in repr(lines)]
