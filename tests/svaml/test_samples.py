"""Documents as applications have them: each is obeyed at its event, with nothing in it ignored."""

import json

import pytest

from gateway.svaml.callouts import read_callout
from gateway.svaml.model import Moment
from gateway.svaml.parse import parse

SAMPLES = {
    "deny a call": (Moment.ICE, '{"action": {"name": "hangup"}}'),
    "greet, and connect to a number": (
        Moment.ICE,
        """{"instructions": [
              {"name": "answer"},
              {"name": "say", "text": "Thank you for calling.", "locale": "en-US"},
              {"name": "playFiles", "ids": ["#tts[Hold on]", "#href[https://a.example/x.wav]"], "locale": "en-US"},
              {"name": "sendDtmf", "value": "1234#"},
              {"name": "setCookie", "key": "queue", "value": "sales"},
              {"name": "startRecording", "options": {
                 "destinationUrl": "s3://bucket/folder/", "credentials": "access:secret:eu-central-1", "format": "mp3",
                 "notificationEvents": true, "transcriptionOptions": {"enabled": true, "locale": "en-US"}}}],
            "action": {"name": "connectPstn", "number": "+46700000001", "locale": "en-US", "maxDuration": 14400,
                       "dialTimeout": 30, "cli": "+46700000000", "suppressCallbacks": false, "dtmf": "ww1",
                       "indications": "se", "amd": {"enabled": true, "async": false}}}""",
    ),
    "rename a conference": (
        Moment.ICE,
        """{"instructions": [],
            "action": {"name": "connectConf", "conferenceId": "lobby", "moh": "music1",
                       "conferenceDtmfOptions": {"mode": "detect", "maxDigits": 1, "timeoutMills": 3000}}}""",
    ),
    "connect a user": (
        Moment.ICE,
        """{"action": {"name": "connectMxp", "destination": {"type": "username", "endpoint": "alice"},
                       "callHeaders": [{"key": "leftString", "value": "rightString"}]}}""",
    ),
    "connect a SIP address": (
        Moment.ICE,
        """{"action": {"name": "connectSip", "destination": {"endpoint": "alice@192.0.2.1:5061"}, "maxDuration": 3000,
                       "cli": "private", "transport": "tls", "suppressCallbacks": true, "moh": "music3",
                       "callHeaders": [{"key": "X-Ticket", "value": "7"}]}}""",
    ),
    "connect a stream": (
        Moment.ICE,
        """{"action": {"name": "connectStream", "streamingOptions": {"version": 1, "sampleRate": 16000},
                       "destination": {"type": "Websocket", "endpoint": "wss://a.example/x"}, "maxDuration": 60}}""",
    ),
    "park a call": (
        Moment.ICE,
        """{"action": {"name": "park", "locale": "en-US", "introPrompt": "#tts[Welcome]", "maxDuration": 180,
                       "holdPrompt": "#tts[Thank you for waiting.];music"}}""",
    ),
    "ask by a menu": (
        Moment.ACE,
        """{"action": {"name": "runMenu", "barge": true, "locale": "en-US", "mainMenu": "main", "enableVoice": true,
              "menus": [
                {"id": "main", "mainPrompt": "#tts[Press 1 or 2.]", "repeatPrompt": "#tts[Again: press 1 or 2.]",
                 "repeats": 3, "options": [{"dtmf": "1", "action": "menu(code)"}, {"dtmf": 2, "action": "return(no)"}]},
                {"id": "code", "mainPrompt": "#tts[Enter the code.]", "maxDigits": 4, "timeoutMills": 5000}]}}""",
    ),
    "let an answered call go on": (Moment.ACE, '{"action": {"name": "Continue", "record": true}}'),
    "go on after a menu": (Moment.PIE, '{"action": {"name": "connectConf", "conferenceId": "lobby"}}'),
    "say something in a call": (
        Moment.MANAGE,
        """{"instructions": [{"name": "say", "text": "Your time is up.", "locale": "en-US"}],
            "action": {"name": "hangup"}}""",
    ),
    "record a call under way": (
        Moment.MANAGE,
        '{"action": {"name": "startRecording", "recordingOptions": {"destinationUrl": "azure://account/container"}}}',
    ),
    "take up a parked call": (
        Moment.MANAGE_PARKED,
        '{"action": {"name": "connectPstn", "number": "+46700000001"}}',
    ),
    "report how it went": (
        Moment.DICE,
        """{"instructions": [{"name": "ReportCallStatus", "value": "failure", "details": "no sound"}],
            "action": {"name": "Hangup"}}""",
    ),
}


@pytest.mark.parametrize(("moment", "text"), SAMPLES.values(), ids=SAMPLES)
def test_a_sample_is_understood_whole(moment, text):
    parsed = parse(text, moment=moment)

    assert parsed.ignored == ()
    assert len(parsed.document.instructions) >= len(json.loads(text).get("instructions", []))


@pytest.mark.parametrize(("moment", "text"), SAMPLES.values(), ids=SAMPLES)
def test_a_sample_may_be_in_small_letters(moment, text):
    def small(value):
        if isinstance(value, dict):
            return {key.lower(): small(inner) for key, inner in value.items()}
        return [small(inner) for inner in value] if isinstance(value, list) else value

    assert parse(small(json.loads(text)), moment=moment) == parse(text, moment=moment)


def test_a_sample_may_be_the_script_of_a_callout():
    scripts = {
        moment.value: text
        for moment, text in SAMPLES.values()
        if moment.value in {"ice", "ace", "pie", "dice"}
    }

    callout = read_callout({"method": "customCallout", "customCallout": scripts}, application="key")

    assert callout.scripts == scripts
