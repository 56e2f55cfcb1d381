"""Refusals: every one of them is section 3's document, whoever makes it."""

import asyncio

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.api import ApiSettings
from gateway.errors import GatewayError, Overload
from gateway.testing.api_client import basic, exchange

CALLOUTS = "/calling/v1/callouts"
WRITES = [
    ("POST", CALLOUTS),
    ("POST", "/v1/configuration/numbers"),
    ("DELETE", "/v1/configuration/numbers"),
    ("POST", "/v1/configuration/callbacks/applications/5F5C418A-0F91-4BBC-8234-A9BF5EDDAD97"),
    ("PATCH", "/calling/v1/calls/id/nobody"),
    ("PATCH", "/calling/v1/conferences/id/nowhere/nobody"),
    ("POST", "/calling/v1/callreport/callId/nobody"),
]
KEYS = [
    "method",
    "ttsCallout",
    "customCallout",
    "destination",
    "numbers",
    "number",
    "url",
    "primary",
    "command",
]


def test_a_refusal_has_four_keys_and_a_number(world):
    answer = world.api.get("/calling/v1/calls/id/nobody")

    assert answer.headers["content-type"] == "application/json"
    assert set(answer.json) == {"errorCode", "message", "reference", "status"}
    assert answer.json["errorCode"] == 40400
    assert answer.json["status"] == "404 Not Found"


def test_every_refusal_has_a_reference_of_its_own(world):
    references = {world.api.get("/calling/v1/calls/id/nobody").json["reference"] for _ in range(3)}

    assert len(references) == 3


@pytest.mark.parametrize(
    "path", ["/", "/nonsense", "/calling/v1", "/calling/v2/callouts", "/v1/configuration"]
)
def test_an_unknown_path_is_not_found(world, path):
    answer = world.api.get(path, auth="none")

    assert (answer.status, answer.code, answer.json["message"]) == (404, 40400, "Not Found")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", CALLOUTS, "POST"),
        ("PUT", "/calling/v1/calls/id/c1", "GET, PATCH"),
        ("POST", "/v1/calls/id/c1/", "GET, PATCH"),
        ("PATCH", "/v1/configuration/numbers", "DELETE, GET, POST"),
        ("POST", "/calling/v1/conferences/id/room", "DELETE, GET"),
        ("TRACE", "/v1/counters/currentcalls", "GET"),
    ],
)
def test_a_method_that_is_not_there_is_told_which_are(world, method, path, allowed):
    answer = world.api.ask(method, path)

    assert (answer.status, answer.code, answer.headers["allow"]) == (405, 40500, allowed)


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"\xff\xfe",
        b"nonsense",
        b'{"a": 1,}',
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b"[" * 50_000,
        b'{"a":' * 40 + b"1" + b"}" * 40,
        b"9" * 10_000,
    ],
)
def test_a_body_that_is_not_json_is_a_bad_request(world, body):
    answers = [
        world.api.post(CALLOUTS, body=body),
        world.api.post("/v1/configuration/numbers", body=body),
    ]

    assert [(answer.status, answer.code) for answer in answers] == [(400, 40002)] * 2


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda kind: st.lists(kind) | st.dictionaries(st.text() | st.sampled_from(KEYS), kind),
        max_leaves=20,
    )
)
def test_whatever_json_is_sent_is_refused_or_understood(make_world, document):
    world = make_world()

    for method, path in WRITES:
        assert world.api.ask(method, path, document).status in (200, 400, 404)


def test_a_key_in_two_spellings_is_a_mistake(world):
    wish = {"numbers": ["+46700000001"], "Numbers": ["+46700000002"]}

    assert world.api.post("/v1/configuration/numbers", wish).code == 40001


def test_a_body_is_json_whatever_its_header_says(world):
    answer = world.api.post(
        CALLOUTS,
        {"method": "customCallout", "customCallout": {}},
        headers={"content-type": "text/plain"},
        auth="basic",
    )

    assert answer.status == 200


def test_a_body_that_is_too_large_is_refused(make_world):
    world = make_world(ApiSettings(body_bytes=1000))

    answer = world.api.post(CALLOUTS, body=b" " * 1001)

    assert (answer.status, answer.code) == (413, 41300)


def test_what_is_wrong_with_a_parameter_is_said_with_its_path(world):
    answer = world.api.post("/v1/configuration/numbers", {"numbers": ["+46700000001", 7]})

    assert answer.json["message"].startswith("Invalid parameters: numbers.1: ")


def test_an_overloaded_store_is_told_when_to_be_asked_again(world, monkeypatch):
    async def counter(*_):
        raise Overload("locked", retry_after_s=4)

    monkeypatch.setattr(world.store, "counter", counter)

    answer = world.api.get("/v1/counters/currentcalls")

    assert (answer.status, answer.code, answer.headers["retry-after"]) == (503, 50300, "4")


@pytest.mark.parametrize("error", [RuntimeError("a bug"), GatewayError("of no known kind")])
def test_a_fault_of_ours_is_told_without_its_secrets_and_logged_with_its_reference(world, monkeypatch, error):
    async def counter(*_):
        raise error

    monkeypatch.setattr(world.store, "counter", counter)

    answer = world.api.get("/v1/counters/currentcalls")

    assert (answer.status, answer.code, answer.json["message"]) == (500, 50000, "Internal error")
    ((event, facts),) = world.platform.log.lines
    assert (event, facts["reference"]) == ("api.failed", answer.json["reference"])


def test_health_and_metrics_are_where_they_were(world):
    assert exchange(world.api.app, "GET", "/metrics", {}).status == 200
    assert exchange(world.api.app, "GET", "/healthz", {}).status == 200


def test_an_application_that_asks_too_often_is_told_when_to_come_back(make_world):
    world = make_world(ApiSettings(requests_per_s=0.5, request_burst=2))

    answers = [world.api.get("/v1/configuration/numbers") for _ in range(3)]

    assert [answer.status for answer in answers] == [200, 200, 429]
    assert (answers[2].code, answers[2].headers["retry-after"]) == (42900, "2")


def test_each_application_has_a_rate_of_its_own(make_world):
    world = make_world(ApiSettings(requests_per_s=0.5, request_burst=1))

    world.api.get("/v1/configuration/numbers")

    assert world.others.get("/v1/configuration/numbers").status == 200


def test_after_the_wait_one_may_ask_again(make_world):
    world = make_world(ApiSettings(requests_per_s=0.5, request_burst=1))
    world.api.get("/v1/configuration/numbers")

    world.clock.wall_s += 2

    assert world.api.get("/v1/configuration/numbers").status == 200


def test_an_ordinary_client_is_understood(world):
    """What the other tests write into the scope by hand, httpx writes by itself."""

    async def ask():
        transport = httpx.ASGITransport(world.api.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://tandem") as client:
            return await client.get(
                "/calling/v1/conferences/id/my conf", headers={"authorization": basic(world.application)}
            )

    assert asyncio.run(ask()).json()["errorCode"] == 40400
