"""Call detail records: four layouts, as files and as objects (section 10)."""

import csv
import io
from decimal import Decimal

import pytest

from gateway.api.cdr import LAYOUTS
from gateway.switch.records import (
    CallKind,
    CallReason,
    CallRecord,
    CallResult,
    Identity,
    IdentityType,
    Money,
)

HEADERS = {
    "phone-terminated": "CallId;UserSpaceId;CallTime;Result;Reason;Duration;AnswerTime;From;To;Amount;Currency;"
    "Custom;ApplicationKey;UserId;ToCountryId",
    "phone-originated": "CallId;UserSpaceId;CallTime;Result;Reason;Duration;From;To;Amount;Currency;Custom;"
    "ApplicationKey",
    "app-app": "CallId;UserSpaceId;CallTime;Result;Reason;Duration;FromUserId;ToUserId;Custom;ApplicationKey",
    "sip-terminated": "CallId;UserSpaceId;CallTime;Result;Reason;Duration;From;To;Custom;ApplicationKey",
}
KINDS = {
    "phone-terminated": CallKind.PHONE_TERMINATED,
    "phone-originated": CallKind.PHONE_ORIGINATED,
    "app-app": CallKind.APP_APP,
    "sip-terminated": CallKind.SIP_TERMINATED,
}
YESTERDAY = 1_795_000_000.0 - 86_400


def keep(world, kind, name="c1", **facts):
    """Put a finished call of yesterday into the store."""
    record = {
        "application": world.application.key,
        "kind": kind,
        "user": "alice",
        "caller": Identity(IdentityType.NUMBER, "+46700000000"),
        "called": Identity(IdentityType.NUMBER, "+12017777777"),
        "started_at": YESTERDAY,
        "answered_at": YESTERDAY + 5,
        "ended_at": YESTERDAY + 19,
        "result": CallResult.ANSWERED,
        "reason": CallReason.CALLERHANGUP,
        "custom": 'said "a;b"',
        "debit": Money(Decimal("0.1758"), "EUR"),
    }
    world.store.records[name] = CallRecord(call=name, **{**record, **facts})


def rows(text, separator=";"):
    return list(csv.reader(io.StringIO(text), delimiter=separator))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_file_begins_with_the_documented_columns(world, layout):
    answer = world.api.get(f"/v1/cdr/{layout}")

    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.body.decode().startswith(HEADERS[layout] + ";CallTags;ReportedStatus;ReportedDetails\r\n")


def test_a_call_to_a_phone_is_told_column_by_column(world):
    keep(world, CallKind.PHONE_TERMINATED, tags=(("team", "red"),), reported_status="failure")

    header, row = rows(world.api.get("/v1/cdr/phone-terminated").body.decode())

    assert dict(zip(header, row, strict=True)) == {
        "CallId": "c1",
        "UserSpaceId": world.application.key,
        "CallTime": "2026-11-17T11:06:40Z",
        "Result": "ANSWERED",
        "Reason": "CALLERHANGUP",
        "Duration": "14",
        "AnswerTime": "2026-11-17T11:06:45Z",
        "From": "+46700000000",
        "To": "+12017777777",
        "Amount": "0.1758",
        "Currency": "EUR",
        "Custom": 'said "a;b"',
        "ApplicationKey": world.application.key,
        "UserId": "alice",
        "ToCountryId": "US",
        "CallTags": '{"team": "red"}',
        "ReportedStatus": "failure",
        "ReportedDetails": "",
    }


@pytest.mark.parametrize("layout", LAYOUTS)
def test_each_layout_tells_of_its_own_kind_of_call(world, layout):
    for name, kind in KINDS.items():
        keep(world, kind, name)

    (_, row) = rows(world.api.get(f"/v1/cdr/{layout}").body.decode())

    assert row[0] == layout


def test_an_unanswered_call_has_no_answer_time(world):
    keep(world, CallKind.PHONE_TERMINATED, answered_at=None, result=CallResult.NOANSWER, debit=None)

    header, row = rows(world.api.get("/v1/cdr/phone-terminated").body.decode())

    told = dict(zip(header, row, strict=True))
    assert (told["AnswerTime"], told["Duration"], told["Amount"], told["Currency"]) == ("", "0", "0", "")


def test_a_day_is_from_midnight_to_midnight_utc(world):
    keep(world, CallKind.APP_APP, "before", started_at=1_794_873_599.0)
    keep(world, CallKind.APP_APP, "first", started_at=1_794_873_600.0)
    keep(world, CallKind.APP_APP, "last", started_at=1_794_959_999.0)
    keep(world, CallKind.APP_APP, "after", started_at=1_794_960_000.0)

    told = rows(world.api.get("/v1/cdr/app-app?day=2026-11-17").body.decode())

    assert [row[0] for row in told[1:]] == ["first", "last"]


def test_a_span_may_be_asked_for_with_commas(world):
    keep(world, CallKind.APP_APP)

    told = world.api.get("/v1/cdr/app-app?from=2026-11-01&to=2026-11-18&format=csv").body.decode()

    assert [row[0] for row in rows(told, ",")] == ["CallId", "c1"]


def test_calls_may_be_asked_for_as_objects(world):
    keep(world, CallKind.SIP_TERMINATED)

    told = world.api.get("/v1/cdr/sip-terminated?format=json").json

    assert told["layout"] == "sip-terminated"
    assert [(each["CallId"], each["To"]) for each in told["records"]] == [("c1", "+12017777777")]


def test_nobody_gets_the_records_of_others(world):
    keep(world, CallKind.APP_APP)

    assert len(rows(world.others.get("/v1/cdr/app-app").body.decode())) == 1


@pytest.mark.parametrize(
    "target",
    [
        "/v1/cdr/moon-terminated",
        "/v1/cdr/app-app?format=pdf",
        "/v1/cdr/app-app?day=2026-13-01",
        "/v1/cdr/app-app?day=2026-11-01&from=2026-11-01",
        "/v1/cdr/app-app?from=2026-01-01&to=2026-11-01",
    ],
)
def test_a_record_that_there_cannot_be_is_invalid(world, target):
    answer = world.api.get(target)

    assert (answer.status, answer.code) == (400, 40001)
