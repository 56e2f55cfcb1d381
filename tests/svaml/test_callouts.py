"""The bodies of `POST callouts`, and the neutral request that they become."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.svaml.callouts import read_callout
from gateway.svaml.errors import SvamlError
from gateway.switch.records import Identity, IdentityType
from gateway.switch.steering import (
    Callout,
    CalloutKind,
    ConferenceWish,
    DigitMode,
    DigitRule,
    Prompt,
)
from gateway.testing.svaml_documents import jsonish

APP = "f00dcafe-abba-c0de-1dea-dabb1ed4caf3"
NUMBER = {"type": "Number", "endpoint": "+46700000001"}
TO = Identity(IdentityType.NUMBER, "+46700000001")
HANGUP = '{"action":{"name":"hangup"}}'


def read(body, **more):
    return read_callout(json.dumps(body).encode(), application=APP, **more)


def error(body):
    with pytest.raises(SvamlError) as caught:
        read(body)
    return caught.value


def test_a_speech():
    body = {
        "method": "ttsCallout",
        "ttsCallout": {
            "cli": "+46700000000",
            "destination": NUMBER,
            "dtmf": "ww1",
            "domain": "pstn",
            "custom": "mine",
            "locale": "sv-SE",
            "text": "Hej",
            "enableAce": True,
            "enableDice": True,
        },
    }

    assert read(body, forwarded=(("X-CB-a", "b"),)) == Callout(
        application=APP,
        kind=CalloutKind.SPEECH,
        to=TO,
        cli="+46700000000",
        digits="ww1",
        custom="mine",
        locale="sv-SE",
        prompts=(Prompt("Hej", spoken=True, locale="sv-SE"),),
        tells=frozenset({"ace", "dice"}),
        forwarded=(("X-CB-a", "b"),),
    )


def test_a_speech_of_prompts():
    body = {"method": "TTSCALLOUT", "ttscallout": {"destination": NUMBER, "prompts": "#tts[a;b];welcome"}}

    assert read(body).prompts == (Prompt("#tts[a;b]", locale="en-US"), Prompt("welcome", locale="en-US"))


def test_a_speech_without_words_is_one_whose_answer_event_may_have_them():
    body = {"method": "ttsCallout", "ttsCallout": {"destination": NUMBER}}

    assert str(error(body)) == "$.ttsCallout: text is missing"
    body["ttsCallout"]["enableAce"] = True
    assert read(body).prompts == ()


def test_a_call_into_a_conference():
    body = {
        "method": "conferenceCallout",
        "conferenceCallout": {
            "destination": {"type": "username", "endpoint": "alice"},
            "conferenceId": "lobby",
            "conferenceDtmfOptions": {"mode": "detect", "maxDigits": 4, "timeoutMills": 1500},
            "maxDuration": 20000,
            "greeting": "Welcome",
            "mohClass": "music1",
            "enablePie": True,
            "conference": "stray",
        },
    }

    assert read(body) == Callout(
        application=APP,
        kind=CalloutKind.CONFERENCE,
        to=Identity(IdentityType.USERNAME, "alice"),
        max_duration_s=14400,
        prompts=(Prompt("Welcome", spoken=True, locale="en-US"),),
        conference=ConferenceWish("lobby", "music1", DigitRule(DigitMode.DETECT, 4, 1.5)),
        tells=frozenset({"pie"}),
    )


def test_a_call_by_documents():
    body = {
        "method": "customCallout",
        "customCallout": {
            "cli": "+46700000000",
            "maxDuration": "60",
            "ice": "https://a.example/ice",
            "ace": HANGUP,
            "pie": "",
            "dice": None,
        },
    }

    assert read(body) == Callout(
        application=APP,
        kind=CalloutKind.CUSTOM,
        cli="+46700000000",
        max_duration_s=60,
        scripts={"ice": "https://a.example/ice", "ace": HANGUP},
    )


def test_an_old_client_writes_pie_with_a_capital():
    assert read({"method": "customCallout", "customCallout": {"Pie": HANGUP}}).scripts == {"pie": HANGUP}


def test_a_custom_callout_need_not_say_anything():
    assert read({"method": "customCallout", "customCallout": {}}) == Callout(APP, CalloutKind.CUSTOM)


@pytest.mark.parametrize(
    ("body", "said", "missing"),
    [
        ([], "$: [] is no object", False),
        (None, "$: null is no object", False),
        ({}, "$: method is missing", True),
        ({"method": "ttsCallouts"}, '$.method: "ttsCallouts" is no method', False),
        ({"method": 7}, "$.method: 7 is no method", False),
        ({"method": "ttsCallout"}, "$: ttsCallout is missing", True),
        ({"method": "ttsCallout", "conferenceCallout": {}}, "$: ttsCallout is missing", True),
        (
            {"method": "ttsCallout", "ttsCallout": {"text": "x"}},
            "$.ttsCallout: destination is missing",
            True,
        ),
        (
            {"method": "conferenceCallout", "conferenceCallout": {"destination": NUMBER}},
            "$.conferenceCallout: conferenceId is missing",
            True,
        ),
        (
            {
                "method": "conferenceCallout",
                "conferenceCallout": {"destination": {"type": "conference", "endpoint": "x"}},
            },
            '$.conferenceCallout.destination.type: "conference" is not possible here',
            False,
        ),
        (
            {"method": "customCallout", "customCallout": {"ice": "lobby"}},
            '$.customCallout.ice: "lobby" is neither a URL nor SVAML',
            False,
        ),
        (
            {"method": "customCallout", "customCallout": {"ice": 7}},
            "$.customCallout.ice: 7 is neither a URL nor SVAML",
            False,
        ),
        (
            {"method": "customCallout", "customCallout": {"ice": '{"action":{"name":"continue"}}'}},
            "$.customCallout.ice: the document in it is wrong: $.action: continue is not possible",
            False,
        ),
    ],
)
def test_a_bad_request_is_told_where_and_why(body, said, missing):
    refused = error(body)

    assert (str(refused)[: len(said)], refused.missing) == (said, missing)


def read_or_refused(body):
    try:
        return read_callout(body, application=APP).application
    except SvamlError as refused:
        return str(refused)


@given(
    st.sampled_from(["ttsCallout", "conferenceCallout", "customCallout"]).flatmap(
        lambda method: st.fixed_dictionaries({"method": st.just(method), method: jsonish()})
    )
)
def test_any_json_is_a_callout_or_refused_in_one_way(body):
    assert read_or_refused(body).startswith(("$", APP))


CUSTOM = ["ice", "ace", "cli", "destination", "dtmf", "custom", "maxDuration"]


@given(st.dictionaries(st.sampled_from(CUSTOM), jsonish()))
def test_a_custom_callout_of_any_json_is_read_or_refused_in_one_way(fields):
    body = {"method": "customCallout", "customCallout": fields}

    assert read_or_refused(body).startswith(("$.customCallout", APP))
