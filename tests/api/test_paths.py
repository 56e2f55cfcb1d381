"""Every path that the world knows leads to its operation (section 1 of the wire format)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.api.paths import ALIASES, canonical
from gateway.ids import CallId
from gateway.switch.records import CallRecord, Number
from gateway.switch.steering import Participant

MUTE = {"command": "mute"}
URLS = {"url": {"primary": "https://example.org/"}}
HANG_UP = {"action": {"name": "hangup"}}
CALLOUT = {"method": "customCallout", "customCallout": {}}
KEY = "5F5C418A-0F91-4BBC-8234-A9BF5EDDAD97"

OPERATIONS = [
    ("POST", ["/calling/v1/callouts", "/v1/callouts"], CALLOUT, 200),
    ("GET", ["/calling/v1/calls/id/c1", "/v1/calls/id/c1", "/v1/call/id/c1"], None, 200),
    ("PATCH", ["/calling/v1/calls/id/c1", "/v1/calls/id/c1", "/v1/call/id/c1"], HANG_UP, 200),
    ("PATCH", ["/calling/v1/calls/id/c1/leg/callee", "/v1/calls/id/c1/leg/both"], HANG_UP, 200),
    ("GET", ["/calling/v1/conferences/id/room", "/v1/conferences/id/room"], None, 200),
    ("DELETE", ["/calling/v1/conferences/id/room", "/v1/conferences/id/room"], None, 200),
    ("PATCH", ["/calling/v1/conferences/id/room/c1", "/v1/conferences/id/room/c1"], MUTE, 200),
    ("DELETE", ["/calling/v1/conferences/id/room/c1", "/v1/conferences/id/room/c1"], None, 200),
    ("GET", ["/v1/configuration/numbers", "/calling/v1/configuration/numbers"], None, 200),
    (
        "POST",
        ["/v1/configuration/numbers", "/calling/v1/configuration/numbers"],
        {"numbers": ["+46700000001"]},
        200,
    ),
    (
        "DELETE",
        ["/v1/configuration/numbers", "/calling/v1/configuration/numbers"],
        {"number": "+46700000002"},
        200,
    ),
    (
        "GET",
        [
            f"/v1/configuration/callbacks/applications/{KEY}",
            f"/calling/v1/configuration/callbacks/applications/{KEY}",
        ],
        None,
        200,
    ),
    (
        "POST",
        [
            f"/v1/configuration/callbacks/applications/{KEY}",
            f"/calling/v1/configuration/callbacks/applications/{KEY}",
        ],
        URLS,
        200,
    ),
    (
        "GET",
        [
            "/v1/calling/query/number/+46700000000",
            "/calling/v1/calling/query/number/+46700000000",
            "/calling/v1/query/number/+46700000000",
        ],
        None,
        200,
    ),
    ("GET", ["/calling/v1/recording", "/v1/recording"], None, 200),
    ("GET", ["/calling/v1/recording/some-key"], None, 404),
    ("DELETE", ["/calling/v1/recording/some-key"], None, 404),
    ("POST", ["/calling/v1/callreport/callId/c1", "/v1/callreport/callId/c1"], {"status": "success"}, 201),
    ("GET", ["/v1/users/username/alice/calls", "/v1/users/number/+46700000000/calls/pstn"], None, 200),
    ("GET", ["/v1/counters/currentcalls"], None, 200),
    ("GET", ["/v1/services/rtpproxy"], None, 200),
    ("GET", ["/v1/timestamp"], None, 200),
    ("GET", ["/v1/cdr/app-app"], None, 200),
]
CASES = [
    (method, path + slash, document, status)
    for method, paths, document, status in OPERATIONS
    for path in paths
    for slash in ("", "/")
]


@pytest.mark.parametrize(("method", "path", "document", "status"), CASES)
def test_every_alias_with_and_without_a_slash_leads_to_its_operation(world, method, path, document, status):
    member = Participant(CallId("c1"), "+46700000000", 1, False, False)
    world.calls.rooms[world.api.application.key, "room"] = [member]
    world.store.records["c1"] = CallRecord(call="c1", application=world.api.application.key, started_at=0.0)
    world.store.owned["+46700000001", "voice"] = Number("+46700000001")
    world.store.owned["+46700000002", "voice"] = Number("+46700000002", world.api.application.key)
    world.store.counters["currentcalls"] = (3, 0.0)

    answer = world.api.ask(method, path, document)

    assert answer.status == status, answer.body


@given(st.sampled_from([alias for alias, _ in ALIASES]), st.text("ab/%", max_size=8))
def test_a_canonical_path_is_its_own(prefix, rest):
    once = canonical(f"{prefix}/{rest}")

    assert canonical(once) == once


def test_a_prefix_ends_where_a_segment_does():
    assert canonical("/v1/callouts2/x") == "/v1/callouts2/x"


def test_the_root_stays_the_root():
    assert canonical("/") == "/"
    assert canonical("//") == "/"
