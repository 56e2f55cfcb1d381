"""The bodies of callbacks, key for key as the published samples have them."""

import json
from dataclasses import replace
from decimal import Decimal

import pytest

from gateway.svaml.events import (
    INTERNAL_ERROR,
    AmdReason,
    AmdResult,
    AmdStatus,
    MenuResult,
    MenuResultType,
    NotifyType,
    ace,
    calling_error,
    dice,
    encoded,
    ice,
    notify,
    pie,
)
from gateway.switch.records import CallReason, CallRecord, CallResult, Identity, IdentityType, Money

APP = "f00dcafe-abba-c0de-1dea-dabb1ed4caf3"
ICE_AT = 1717694414.9  # 2024-06-06T17:20:14Z and a little
URL = "https://calls.example/calling/v1/calls/id/c-1"


def call(**facts):
    known = {"call": "c-1", "application": APP, "started_at": ICE_AT, "custom": "Custom text"}
    return CallRecord(**{**known, **facts})


def incoming(**facts):
    did = Identity(IdentityType.DID, "+12017777777")
    known = {"called": did, "cli": "+12015555555", "domain": "pstn", "origination": "pstn", "custom": ""}
    return call(**{**known, "rate": Money(Decimal(0), "USD"), **facts})


def ended(**facts):
    known = {
        "caller": Identity(IdentityType.NUMBER, "+12015555555"),
        "called": Identity(IdentityType.NUMBER, "+12017777777"),
        "answered_at": ICE_AT + 3,
        "ended_at": ICE_AT + 15.6,
        "reason": CallReason.MANAGERHANGUP,
        "result": CallResult.ANSWERED,
        "rate": Money(Decimal("0.0095"), "EUR"),
        "debit": Money(Decimal("0.0095"), "EUR"),
    }
    return call(**{**known, **facts})


def in_order(body):
    return list(body.items())


def test_ice_of_a_call_to_one_of_our_numbers():
    assert in_order(ice(incoming(), at=ICE_AT, resource_url=URL)) == [
        ("event", "ice"),
        ("callid", "c-1"),
        ("callResourceUrl", URL),
        ("timestamp", "2024-06-06T17:20:14Z"),
        ("version", 1),
        ("userRate", {"currencyId": "USD", "amount": 0.0}),
        ("cli", "12015555555"),
        ("to", {"type": "did", "endpoint": "+12017777777"}),
        ("domain", "pstn"),
        ("applicationKey", APP),
        ("originationType", "PSTN"),
        ("rdnis", ""),
    ]


def test_ice_tells_who_redirected_the_call_and_what_came_with_it():
    told = ice(
        incoming(headers=(("a", "b"),), cookies=(("k", "v"),), user="alice", conference="lobby"),
        at=ICE_AT,
        resource_url=URL,
        rdnis="46700000001",
    )

    assert told["rdnis"] == "46700000001"
    assert told["callHeaders"] == [{"key": "a", "value": "b"}]
    assert told["cookies"] == [{"key": "k", "value": "v"}]
    assert (told["user"], told["conferenceId"]) == ("alice", "lobby")


@pytest.mark.parametrize(
    ("origination", "said"), [("pstn", "PSTN"), ("mxp", "MXP"), ("sip", "sip"), ("", "server")]
)
def test_ice_says_where_a_call_comes_from(origination, said):
    assert ice(incoming(origination=origination), at=ICE_AT, resource_url=URL)["originationType"] == said


@pytest.mark.parametrize(
    ("cli", "said"),
    [("", "private"), ("private", "private"), ("Tandem <+46>", "Tandem <+46>"), ("+46", "46")],
)
def test_ice_says_which_caller_id_is_shown(cli, said):
    assert ice(incoming(cli=cli), at=ICE_AT, resource_url=URL)["cli"] == said


def test_ice_of_a_callout_that_goes_nowhere_yet_has_no_to():
    assert "to" not in ice(incoming(called=None, domain=""), at=ICE_AT, resource_url=URL)


def test_ace():
    assert in_order(ace(call(), at=ICE_AT)) == [
        ("event", "ace"),
        ("callid", "c-1"),
        ("timestamp", "2024-06-06T17:20:14Z"),
        ("version", 1),
        ("custom", "Custom text"),
        ("applicationKey", APP),
    ]


def test_ace_carries_the_verdict_on_who_answered():
    verdict = AmdResult(AmdStatus.MACHINE, AmdReason.LONGGREETING, 4)

    assert ace(call(), at=ICE_AT, amd=verdict)["amd"] == {
        "status": "machine",
        "reason": "longgreeting",
        "duration": 4,
    }


def test_pie():
    result = MenuResult(MenuResultType.SEQUENCE, "confirm", "1234")

    assert in_order(pie(call(), result, at=ICE_AT)) == [
        ("event", "pie"),
        ("callid", "c-1"),
        ("timestamp", "2024-06-06T17:20:14Z"),
        ("menuResult", {"type": "sequence", "value": "1234", "menuId": "confirm", "inputMethod": "dtmf"}),
        ("version", 1),
        ("custom", "Custom text"),
        ("applicationKey", APP),
    ]


def test_pie_gives_back_what_an_option_adds():
    result = MenuResult(MenuResultType.RETURN, "main", "yes", context=(("a", "b"),))

    assert pie(call(), result, at=ICE_AT)["menuResult"]["addToContext"] == [{"key": "a", "value": "b"}]


def test_dice():
    assert in_order(dice(ended())) == [
        ("event", "dice"),
        ("callid", "c-1"),
        ("timestamp", "2024-06-06T17:20:30Z"),
        ("reason", "MANAGERHANGUP"),
        ("result", "ANSWERED"),
        ("version", 1),
        ("custom", "Custom text"),
        ("debit", {"currencyId": "EUR", "amount": 0.0095}),
        ("userRate", {"currencyId": "EUR", "amount": 0.0095}),
        ("to", {"type": "number", "endpoint": "12017777777"}),
        ("applicationKey", APP),
        ("duration", 12),
        ("from", "12015555555"),
    ]


def test_dice_of_a_call_that_nobody_answered_has_no_duration():
    told = dice(ended(answered_at=None, result=CallResult.NOANSWER, reason=CallReason.TIMEOUT))

    assert ("duration" in told, told["result"], told["reason"]) == (False, "NOANSWER", "TIMEOUT")


def test_dice_keeps_the_plus_of_a_number_of_ours():
    did = Identity(IdentityType.DID, "+12017777777")

    assert dice(ended(called=did))["to"] == {"type": "did", "endpoint": "+12017777777"}


@pytest.mark.parametrize(
    ("caller", "cli", "said"),
    [
        (Identity(IdentityType.USERNAME, "alice"), "+46", "alice"),
        (Identity(IdentityType.NUMBER, "+4612"), "private", "private"),
        (None, "+46", "46"),
        (None, "", "private"),
    ],
)
def test_dice_says_who_called_unless_nobody_shall_know(caller, cli, said):
    assert dice(ended(caller=caller, cli=cli))["from"] == said


def test_the_headers_of_an_apps_call_are_also_its_custom_text():
    told = dice(ended(custom="", user="alice", headers=(("foo", "x"),)))

    assert (told["custom"], told["callHeaders"]) == ('{"foo":"x"}', [{"key": "foo", "value": "x"}])


@pytest.mark.parametrize(
    ("type_", "destination"),
    [
        (NotifyType.RECORDING_FINISHED, None),
        (NotifyType.RECORDING_AVAILABLE, "azure://acct/container/my-recording.mp3"),
        (NotifyType.TRANSCRIPTION_AVAILABLE, "azure://acct/container/my-recording-transcript.json"),
    ],
)
def test_notify_of_a_recording(type_, destination):
    told = [("event", "notify"), ("callid", "c-1"), ("version", 1), ("type", type_.value)]
    told += [("destination", destination)] if destination else []

    assert in_order(notify(call(custom=""), type_, destination=destination)) == told


def test_notify_of_a_verdict():
    verdict = AmdResult(AmdStatus.MACHINE, AmdReason.BEEP, 4)

    assert in_order(notify(call(custom=""), NotifyType.AMD_BEEP, amd=verdict)) == [
        ("event", "notify"),
        ("callid", "c-1"),
        ("version", 1),
        ("type", "amd_beep"),
        ("amd", {"status": "machine", "reason": "beep", "duration": 4}),
    ]


def test_notify_of_a_recorded_conference_names_it():
    assert notify(call(conference="lobby"), NotifyType.RECORDING_FINISHED)["conferenceId"] == "lobby"


def test_notify_of_an_error():
    assert in_order(calling_error(call(user="alice"), "$.action: name is missing")) == [
        ("event", "notify"),
        ("version", 1),
        ("type", "callingerror"),
        ("callid", "c-1"),
        ("errorCode", 40001),
        ("errorMsg", "$.action: name is missing"),
        ("user", "alice"),
        ("custom", "Custom text"),
    ]
    assert calling_error(call(), "oops", code=INTERNAL_ERROR)["errorCode"] == 50000


def test_the_bytes_of_a_body_are_its_json():
    body = ice(replace(incoming(), custom="Zoë \ud800"), at=ICE_AT, resource_url=URL)

    assert json.loads(encoded(body)) == {**body, "custom": "Zoë ?"}
    assert b", " not in encoded(body)
