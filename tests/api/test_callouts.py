"""Calls that an application begins (section 5.1)."""

import json

import pytest

from gateway.errors import LocalError, Overload
from gateway.switch.admission import TooOften
from gateway.switch.records import Identity, IdentityType
from gateway.switch.steering import CalloutKind, Forbidden, NoCredit
from gateway.testing.api_client import basic, exchange

CALLOUTS = "/calling/v1/callouts"
PHONE = {"type": "number", "endpoint": "+14045005000"}
SPEECH = {"method": "ttsCallout", "ttsCallout": {"destination": PHONE, "text": "Hello", "custom": "mine"}}
ROOM = {"method": "conferenceCallout", "conferenceCallout": {"destination": PHONE, "conferenceId": "room"}}
CUSTOM = {"method": "customCallout", "customCallout": {"ice": '{"action": {"name": "hangup"}}'}}


@pytest.mark.parametrize(
    ("wish", "kind"),
    [
        (SPEECH, CalloutKind.SPEECH),
        (ROOM, CalloutKind.CONFERENCE),
        (CUSTOM, CalloutKind.CUSTOM),
    ],
)
def test_each_kind_of_callout_is_begun_and_named(world, wish, kind):
    answer = world.api.post(CALLOUTS, wish)

    assert (answer.status, answer.json) == (200, {"callId": "call-1"})
    assert [(each.kind, each.application) for each in world.calls.callouts] == [(kind, world.application.key)]


def test_what_was_asked_reaches_the_switch(world):
    world.api.post(CALLOUTS, SPEECH)

    (callout,) = world.calls.callouts
    assert callout.to == Identity(IdentityType.NUMBER, "+14045005000")
    assert (callout.custom, callout.prompts[0].text) == ("mine", "Hello")


def test_a_callid_is_answerable_as_soon_as_it_was_given(world):
    call = world.api.post(CALLOUTS, SPEECH).json["callId"]

    assert world.api.get(f"/calling/v1/calls/id/{call}").json["status"] == "ONGOING"


def test_marked_headers_go_with_the_call(world):
    marks = {f"X-CB-Mark{n}": str(n) for n in range(7)} | {"X-Other": "no"}

    world.api.post(CALLOUTS, SPEECH, headers=marks)

    assert world.calls.callouts[0].forwarded == tuple((f"x-cb-mark{n}", str(n)) for n in range(5))


@pytest.mark.parametrize(
    ("wish", "code"),
    [
        ({}, 40002),
        ({"method": "ttsCallout"}, 40002),
        ({"method": "ttsCallout", "ttsCallout": {"text": "Hello"}}, 40002),
        ({"method": "teleport", "teleport": {}}, 40001),
        ({**SPEECH, "ttsCallout": {**SPEECH["ttsCallout"], "destination": {"type": "moon"}}}, 40001),
        ([], 40001),
    ],
)
def test_a_callout_that_makes_no_sense_is_refused_by_what_is_wrong(world, wish, code):
    answer = world.api.post(CALLOUTS, wish)

    assert (answer.status, answer.code) == (400, code)
    assert not world.calls.callouts


@pytest.mark.parametrize(
    ("refusal", "status", "code"),
    [
        (NoCredit("none"), 402, 40200),
        (Forbidden("not there"), 403, 40300),
        (LocalError("no such user"), 400, 40001),
        (TooOften("more than 2 calls a second"), 429, 42900),
        (Overload("this switch is full"), 503, 50300),
    ],
)
def test_what_the_switch_refuses_is_told(world, refusal, status, code):
    world.calls.refuse = refusal

    answer = world.api.post(CALLOUTS, SPEECH)

    assert (answer.status, answer.code) == (status, code)


@pytest.mark.parametrize("refusal", [TooOften, Overload])
def test_who_may_call_later_is_told_when(world, refusal):
    world.calls.refuse = refusal("not now", retry_after_s=3)

    assert world.api.post(CALLOUTS, SPEECH).headers["retry-after"] == "3"


def test_a_client_that_left_before_the_answer_has_its_call_stopped(world):
    headers = {"authorization": basic(world.application), "content-type": "application/json"}

    exchange(world.api.app, "POST", CALLOUTS, headers, json.dumps(SPEECH).encode(), leave=True)

    assert world.calls.abandoned == ["call-1"]


def test_a_client_that_stays_keeps_its_call(world):
    world.api.post(CALLOUTS, SPEECH)

    assert world.calls.abandoned == []
