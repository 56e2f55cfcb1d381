"""Reporting (section 10) and recordings (section 5.7)."""

import pytest

from gateway.switch.records import CallRecord, CallResult, Identity, IdentityType

ALICE = Identity(IdentityType.USERNAME, "alice")
DAY_S = 86_400


def call(name, world, *, ago_s=3600.0, domain="mxp", answered=True, seconds=10, caller=ALICE, **facts):
    """Put a finished call into the store."""
    started = world.clock.wall() - ago_s
    world.store.records[name] = CallRecord(
        call=name,
        application=world.application.key,
        caller=caller,
        called=Identity(IdentityType.USERNAME, "bob"),
        domain=domain,
        started_at=started,
        answered_at=started if answered else None,
        ended_at=started + seconds,
        result=CallResult.ANSWERED if answered else CallResult.NOANSWER,
        **facts,
    )


def test_a_users_calls_are_added_up(world):
    call("a", world, seconds=10)
    call("b", world, seconds=20)
    call("c", world, answered=False)
    call("d", world, domain="pstn", seconds=100)

    told = world.api.get("/v1/users/username/alice/calls").json

    assert (told["success"], told["duration"], told["failed"]) == (2, 30, 1)
    assert set(told) == {"success", "duration", "failed", "start"}


@pytest.mark.parametrize("domain", ["pstn", "PSTN"])
def test_calls_that_ended_at_phones_are_counted_apart(world, domain):
    call("a", world)
    call("b", world, domain="pstn", seconds=100)

    assert world.api.get(f"/v1/users/username/alice/calls/{domain}").json["duration"] == 100


def test_a_number_may_be_asked_for_with_its_plus(world):
    call("a", world, caller=Identity(IdentityType.NUMBER, "+46700000000"))

    assert world.api.get("/v1/users/number/+46700000000/calls/data").json["success"] == 1


def test_only_calls_of_the_time_asked_for_count(world):
    call("a", world, ago_s=3600)
    call("b", world, ago_s=20 * DAY_S)
    since = "2026-11-08T00:00:00Z"  # the clock stands at 2026-11-18

    told = world.api.get(f"/v1/users/username/alice/calls?_start={since}").json

    assert (told["success"], told["start"]) == (1, since)


@pytest.mark.parametrize(
    "query",
    [
        "_start=yesterday",
        "_start=2026-11-02&_stop=2026-11-01",
        "_start=2026-09-01&_stop=2026-11-01",
        "_start=2026-02-30",
    ],
)
def test_a_time_that_is_none_or_too_long_is_invalid(world, query):
    answer = world.api.get(f"/v1/users/username/alice/calls?{query}")

    assert (answer.status, answer.code) == (400, 40001)


@pytest.mark.parametrize("path", ["/v1/users/planet/mars/calls", "/v1/users/username/alice/calls/video"])
def test_users_and_domains_of_other_kinds_are_invalid(world, path):
    assert world.api.get(path).code == 40001


def test_a_counter_is_told_as_of_its_last_refresh(world):
    world.store.counters["currentcalls"] = (12_384_955, 1_398_686_400.0)

    assert world.api.get("/v1/counters/currentcalls").json == {
        "value": 12_384_955,
        "modified": "2014-04-28T12:00:00Z",
    }


def test_a_counter_that_there_is_not_is_not_found(world):
    assert world.api.get("/v1/counters/nonsense").code == 40400


@pytest.mark.parametrize(("ready", "status"), [(True, "up"), (False, "down")])
def test_services_are_told_to_everybody(world, ready, status):
    world.status.ready = ready

    assert world.api.get("/v1/services/rtpproxy", auth="none").json == {"status": status}


def test_a_service_that_there_is_not_is_not_found(world):
    assert world.api.get("/v1/services/teapot", auth="none").code == 40400


def test_the_time_is_told_to_everybody(world):
    assert world.api.get("/v1/timestamp/", auth="none").json == {"timestamp": "2026-11-18T11:06:40Z"}


def test_there_are_no_recordings_yet(world):
    assert world.api.get("/calling/v1/recording?from=2026-11-01&to=2026-11-02&page=1&pageSize=5").json == []


@pytest.mark.parametrize("ask", ["get", "delete"])
def test_a_recording_that_there_is_not_is_not_found(world, ask):
    answer = getattr(world.api, ask)("/calling/v1/recording/some-key")

    assert (answer.status, answer.code, answer.json["message"]) == (404, 40400, "Recording not found")


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("page=0", "'pageNumber' must be greater than 0"),
        ("pageSize=0", "'pageSize' must be a positive integer"),
        ("from=2026-11-02&to=2026-11-01", "'to' must be greater than 'from'"),
    ],
)
def test_a_page_that_there_cannot_be_is_invalid(world, query, message):
    answer = world.api.get(f"/calling/v1/recording?{query}")

    assert (answer.code, answer.json["message"]) == (40001, message)
