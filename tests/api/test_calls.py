"""GET and PATCH of calls, and what a customer reports of one (sections 5.2, 5.3, 5.8)."""

from dataclasses import replace
from decimal import Decimal

import pytest

from gateway.api import ApiSettings
from gateway.svaml.errors import SvamlError
from gateway.switch.records import (
    CallReason,
    CallRecord,
    CallResult,
    Identity,
    IdentityType,
    Money,
)
from gateway.switch.steering import Ear, NotManageable

CALL = "/calling/v1/calls/id/4398599d1ba84ef3bde0a82dfb61abed"
HANG_UP = {"instructions": [], "action": {"name": "hangup"}}
RECORD = CallRecord(
    call="4398599d1ba84ef3bde0a82dfb61abed",
    application="5F5C418A-0F91-4BBC-8234-A9BF5EDDAD97",
    caller=Identity(IdentityType.NUMBER, "+46700000000"),
    called=Identity(IdentityType.NUMBER, "+12017777777"),
    domain="pstn",
    started_at=1_717_695_360.0,
    answered_at=1_717_695_365.0,
    ended_at=1_717_695_379.0,
    result=CallResult.ANSWERED,
    reason=CallReason.MANAGERHANGUP,
    custom="Custom text",
    rate=Money(Decimal("0.1758"), "EUR"),
    debit=Money(Decimal("0.1758"), "EUR"),
)


@pytest.fixture
def called(world):
    """Return a world in which there was a call."""
    world.store.records[RECORD.call] = RECORD
    return world


def test_a_finished_call_is_told_to_the_letter(called):
    assert called.api.get(CALL).json == {
        "from": {"type": "Number", "endpoint": "+46700000000"},
        "to": {"type": "Number", "endpoint": "+12017777777"},
        "domain": "pstn",
        "callId": "4398599d1ba84ef3bde0a82dfb61abed",
        "duration": 14,
        "status": "FINAL",
        "result": "ANSWERED",
        "reason": "MANAGERHANGUP",
        "timestamp": "2024-06-06T17:36:00Z",
        "custom": "Custom text",
        "userRate": {"currencyId": "EUR", "amount": 0.1758},
        "debit": {"currencyId": "EUR", "amount": 0.1758},
    }


def test_an_ongoing_call_lasts_until_now(called):
    called.store.records[RECORD.call] = replace(
        RECORD,
        answered_at=called.clock.wall() - 7,
        ended_at=None,
        result=CallResult.NA,
        reason=CallReason.NA,
    )

    told = called.api.get(CALL).json

    assert (told["status"], told["duration"], told["result"], told["reason"]) == ("ONGOING", 7, "N/A", "N/A")


def test_a_call_without_a_price_costs_nothing_and_says_so(called):
    called.store.records[RECORD.call] = replace(RECORD, rate=None, debit=None)

    told = called.api.get(CALL).json

    assert told["userRate"] == told["debit"] == {"currencyId": "USD", "amount": 0.0}


def test_from_can_be_left_out_for_the_client_that_dies_of_it(make_world):
    world = make_world(ApiSettings(call_from=False))
    world.store.records[RECORD.call] = RECORD

    assert "from" not in world.api.get(CALL).json


@pytest.mark.parametrize("ask", ["get", "patch"])
def test_a_call_that_never_was_is_not_found(world, ask):
    answer = getattr(world.api, ask)("/calling/v1/calls/id/nobody")

    assert (answer.status, answer.code, answer.json["message"]) == (404, 40400, "Call not found")


def test_nobody_sees_the_calls_of_others(called):
    assert called.others.get(CALL).code == 40400
    assert called.others.patch(CALL, HANG_UP).code == 40400
    assert (
        called.others.post("/calling/v1/callreport/callId/" + RECORD.call, {"status": "success"}).code
        == 40400
    )


def test_a_callid_with_an_at_sign_is_a_callid(world):
    world.store.records["2DOQGZ3D@81.201.84.195"] = replace(RECORD, call="2DOQGZ3D@81.201.84.195")

    assert world.api.get("/calling/v1/calls/id/2DOQGZ3D%4081.201.84.195").json["callId"].startswith("2DOQ")


def test_an_order_reaches_the_call_as_it_was_written(called):
    answer = called.api.patch(CALL, HANG_UP)

    assert (answer.status, answer.body) == (200, b"")
    assert called.calls.orders == [
        (RECORD.call, b'{"instructions": [], "action": {"name": "hangup"}}', Ear.CALLER)
    ]


@pytest.mark.parametrize("leg", ["caller", "callee", "both"])
def test_a_leg_says_who_hears_it(called, leg):
    called.api.patch(f"{CALL}/leg/{leg}", HANG_UP)

    assert [ear for _, _, ear in called.calls.orders] == [Ear(leg)]


def test_there_are_no_other_legs(called):
    assert called.api.patch(f"{CALL}/leg/bystander", HANG_UP).code == 40001


def test_an_order_without_a_body_is_an_empty_document(called):
    called.api.patch(CALL)

    assert called.calls.orders[0][1] == b"{}"


@pytest.mark.parametrize(
    "refusal", [SvamlError("$.action.name", "nonsense is no action"), NotManageable("it is ringing")]
)
def test_an_order_that_cannot_be_obeyed_is_40003(called, refusal):
    called.calls.refuse = refusal

    answer = called.api.patch(CALL, HANG_UP)

    assert (answer.status, answer.code, answer.json["message"]) == (400, 40003, str(refusal))


def test_an_order_that_is_not_json_is_40002(called):
    assert called.api.patch(CALL, body=b"{action:").code == 40002


def test_a_report_is_kept_with_the_call(called):
    answer = called.api.post(
        f"/calling/v1/callreport/callId/{RECORD.call}", {"Status": "FAILURE", "details": "one-way audio"}
    )

    record = called.store.records[RECORD.call]
    assert (answer.status, answer.body) == (201, b"")
    assert (record.reported_status, record.reported_details) == ("failure", "one-way audio")


@pytest.mark.parametrize("report", [{"status": "so-so"}, {"status": "success", "details": "x" * 65}])
def test_a_report_of_another_kind_is_invalid(called, report):
    assert called.api.post(f"/calling/v1/callreport/callId/{RECORD.call}", report).code == 40001


def test_a_report_without_a_status_lacks_a_parameter(called):
    assert called.api.post(f"/calling/v1/callreport/callId/{RECORD.call}", {}).code == 40002
