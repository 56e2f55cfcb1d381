"""Every field of the wire's documentation: what is written, and what it becomes."""

import pytest

from gateway.svaml.callouts import CALLOUTS
from gateway.svaml.fields import (
    ACTIONS,
    AMD,
    CONFERENCE_DTMF,
    INSTRUCTIONS,
    MENU,
    MENU_OPTION,
    RECORDING,
    STREAMING,
    TRANSCRIPTION,
)
from gateway.svaml.model import (
    Amd,
    CallStatus,
    ConferenceDtmf,
    ConferenceDtmfMode,
    Menu,
    MenuGoTo,
    MenuOption,
    MenuReturn,
    Moh,
    RecordingOptions,
    SipTransport,
    StreamingOptions,
    TranscriptionOptions,
)
from gateway.svaml.place import Place
from gateway.switch.records import Identity, IdentityType

SHAPES = {
    shape.wire: shape
    for shape in (
        *INSTRUCTIONS.shapes,
        *ACTIONS.shapes,
        *CALLOUTS,
        *(RECORDING, TRANSCRIPTION, AMD, CONFERENCE_DTMF, STREAMING, MENU, MENU_OPTION),
    )
}
NUMBER = {"type": "Number", "endpoint": "+46700000001"}
TO_NUMBER = Identity(IdentityType.NUMBER, "+46700000001")
SIP = {"endpoint": "alice@192.0.2.1"}
STREAM = {"type": "Websocket", "endpoint": "wss://a.example/x"}
MAIN = {"id": "main"}
RECORDED = {"destinationUrl": "s3://bucket/x.wav", "format": "wav"}
RECORDING_TO = RecordingOptions("s3://bucket/x.wav", format="wav")
PAIRS = [{"key": "a", "value": "b"}]

REQUIRED = {
    "playFiles": {"ids": ["x"]},
    "say": {"text": "x"},
    "sendDtmf": {"value": "1"},
    "setCookie": {"key": "x", "value": "y"},
    "reportCallStatus": {"value": "success"},
    "connectConf": {"conferenceId": "x"},
    "connectSip": {"destination": SIP},
    "connectStream": {"destination": STREAM},
    "runMenu": {"menus": [MAIN]},
    "menus": {"id": "x"},
    "options": {"action": "return(x)"},
    "ttsCallout": {"destination": NUMBER, "text": "x"},
    "conferenceCallout": {"destination": NUMBER, "conferenceId": "x"},
}
"""What an object must have besides the field that is looked at."""

RECORD_ROWS = [("record", True, "record", True), ("recordingOptions", RECORDED, "recording", RECORDING_TO)]
CALLOUT_ROWS = [
    ("cli", "Private", "cli", "private"),
    ("destination", NUMBER, "destination", TO_NUMBER),
    ("dtmf", "ww1234#W#*", "dtmf", "ww1234#w#*"),
    ("custom", "Custom text", "custom", "Custom text"),
    ("locale", "sv-SE", "locale", "sv-SE"),
]
EVENT_ROWS = [
    ("enableAce", True, "enable_ace", True),
    ("enableDice", "true", "enable_dice", True),
    ("enablePie", 1, "enable_pie", True),
]
ROWS = {
    "playFiles": [
        ("ids", [["welcome", "#tts[a;b]"], "[X]"], "ids", ("welcome", "#tts[a;b]", "[X]")),
        ("locale", "en-GB", "locale", "en-GB"),
    ],
    "say": [("text", "Hello\nyou", "text", "Hello\nyou"), ("locale", "Emma", "locale", "Emma")],
    "sendDtmf": [("value", 12, "value", "12")],
    "setCookie": [("key", "X-Id", "key", "X-Id"), ("value", 0, "value", "0")],
    "answer": [],
    "startRecording": [("options", RECORDED, "options", RECORDING_TO)],
    "stopRecording": [],
    "reportCallStatus": [
        ("value", "Failure", "value", CallStatus.FAILURE),
        ("details", "x" * 65, "details", "x" * 64),
    ],
    "hangup": [("hangupCause", 1, "cause", 1), ("barge", "True", "barge", True)],
    "continue": RECORD_ROWS,
    "connectPstn": [
        ("number", "+46700000001", "number", "+46700000001"),
        ("locale", "de-DE", "locale", "de-DE"),
        ("maxDuration", "3600", "max_duration_s", 3600),
        ("dialTimeout", 30, "dial_timeout_s", 30),
        ("cli", "Incoming", "cli", "incoming"),
        ("suppressCallbacks", True, "suppress_callbacks", True),
        ("dtmf", "1w2", "dtmf", "1w2"),
        ("indications", "SE", "indications", "se"),
        ("amd", {"enabled": True, "async": True}, "amd", Amd(enabled=True, asynchronous=True)),
        *RECORD_ROWS,
        ("tags", [{"key": "a", "value": "1"}, {"key": "a", "value": "2"}], "tags", (("a", "2"),)),
    ],
    "connectMxp": [
        ("destination", {"endpoint": "alice"}, "destination", Identity(IdentityType.USERNAME, "alice")),
        ("callheaders", PAIRS, "call_headers", (("a", "b"),)),
        *RECORD_ROWS,
        ("cli", "+46700000001", "cli", "+46700000001"),
        ("locale", "en-GB", "locale", "en-GB"),
    ],
    "connectConf": [
        ("conferenceId", 123, "conference_id", "123"),
        (
            "conferenceDtmfOptions",
            {"mode": "Detect", "maxDigits": 2},
            "dtmf",
            ConferenceDtmf(ConferenceDtmfMode.DETECT, 2),
        ),
        ("moh", "Music1", "moh", Moh.MUSIC1),
        *RECORD_ROWS,
        ("tags", PAIRS, "tags", (("a", "b"),)),
        ("cli", "alice", "cli", "alice"),
        ("enterLeaveSound", True, "enter_leave_sound", True),
        ("locale", "en-GB", "locale", "en-GB"),
        ("suppressCallbacks", True, "suppress_callbacks", True),
    ],
    "connectSip": [
        (
            "destination",
            {"type": "Sip", "endpoint": "sip:a@b.example:5061;transport=tls"},
            "destination",
            Identity(IdentityType.SIP, "a@b.example:5061;transport=tls"),
        ),
        ("maxDuration", 14400, "max_duration_s", 14400),
        ("cli", "private", "cli", "private"),
        ("transport", "tls", "transport", SipTransport.TLS),
        ("suppressCallbacks", True, "suppress_callbacks", True),
        ("callHeaders", [{"key": "X-A", "value": "b"}], "call_headers", (("X-A", "b"),)),
        ("moh", "ring", "moh", Moh.RING),
        ("account", "peer", "account", "peer"),
        ("indications", False, "indications", "no"),
        *RECORD_ROWS,
        ("tags", PAIRS, "tags", (("a", "b"),)),
        ("locale", "en-GB", "locale", "en-GB"),
    ],
    "connectStream": [
        ("destination", STREAM, "destination", Identity(IdentityType.WEBSOCKET, "wss://a.example/x")),
        ("streamingOptions", {"version": 1, "sampleRate": 16000}, "streaming", StreamingOptions(1, 16000)),
        ("maxDuration", 60, "max_duration_s", 60),
        ("callHeaders", {"a": "b"}, "call_headers", (("a", "b"),)),
    ],
    "runMenu": [
        ("menus", [MAIN], "menus", (Menu("main"),)),
        ("mainMenu", "main", "main_menu", "main"),
        ("barge", False, "barge", False),
        ("locale", "en-GB", "locale", "en-GB"),
        ("enableVoice", True, "enable_voice", True),
    ],
    "park": [
        ("introPrompt", "#tts[a];b", "intro_prompt", "#tts[a];b"),
        ("holdPrompt", "tts#[a]", "hold_prompt", "tts#[a]"),
        ("maxDuration", 601, "max_duration_s", 600),
        ("locale", "en-GB", "locale", "en-GB"),
    ],
    "recordingOptions": [
        ("destinationUrl", "s3://b/x", "destination_url", "s3://b/x"),
        ("credentials", "a:b:c", "credentials", "a:b:c"),
        ("format", "wav", "format", "wav"),
        ("notificationEvents", False, "notification_events", False),
        (
            "transcriptionOptions",
            {"enabled": True, "locale": "sv-SE"},
            "transcription",
            TranscriptionOptions(enabled=True, locale="sv-SE"),
        ),
    ],
    "transcriptionOptions": [("enabled", True, "enabled", True), ("locale", "sv-SE", "locale", "sv-SE")],
    "amd": [("enabled", True, "enabled", True), ("async", True, "asynchronous", True)],
    "conferenceDtmfOptions": [
        ("mode", "forward", "mode", ConferenceDtmfMode.FORWARD),
        ("maxDigits", 4, "max_digits", 4),
        ("timeoutMills", 1500, "timeout_ms", 1500),
    ],
    "streamingOptions": [
        ("version", "1", "version", 1),
        ("sampleRate", "48000", "sample_rate_hz", 48000),
    ],
    "menus": [
        ("id", "sales", "id", "sales"),
        ("mainPrompt", "#tts[a;b];c", "main_prompt", "#tts[a;b];c"),
        ("repeatPrompt", "c", "repeat_prompt", "c"),
        ("mainText", "a;b", "main_text", "a;b"),
        ("repeatText", "c", "repeat_text", "c"),
        ("repeats", 0, "repeats", 0),
        ("maxDigits", 4, "max_digits", 4),
        ("timeoutMills", "3000", "timeout_ms", 3000),
        ("maxTimeoutMills", 9000, "max_timeout_ms", 9000),
        (
            "options",
            [{"dtmf": 1, "action": "return(x)"}, {"dtmf": "*", "action": "Menu( main )"}],
            "options",
            (MenuOption(MenuReturn("x"), "1"), MenuOption(MenuGoTo("main"), "*")),
        ),
    ],
    "options": [
        ("dtmf", 0, "dtmf", "0"),
        ("action", "return()", "action", MenuReturn("")),
        ("input", "yes", "input", "yes"),
        ("add", PAIRS, "context", (("a", "b"),)),
    ],
    "ttsCallout": [
        *CALLOUT_ROWS,
        *EVENT_ROWS,
        ("text", "Hello", "text", "Hello"),
        ("prompts", "#tts[a;b];c", "prompts", "#tts[a;b];c"),
    ],
    "conferenceCallout": [
        *CALLOUT_ROWS,
        *EVENT_ROWS,
        ("maxDuration", 60, "max_duration_s", 60),
        ("conferenceId", "lobby", "conference_id", "lobby"),
        (
            "conferenceDtmfOptions",
            {"mode": "detect", "maxDigits": 4, "timeoutMills": 2000},
            "conference_dtmf",
            ConferenceDtmf(ConferenceDtmfMode.DETECT, 4, 2000),
        ),
        ("greeting", "Welcome", "greeting", "Welcome"),
        ("mohClass", "music3", "moh", Moh.MUSIC3),
    ],
    "customCallout": [
        *CALLOUT_ROWS,
        ("maxDuration", 60, "max_duration_s", 60),
        ("ice", "https://a.example/ice", "ice", "https://a.example/ice"),
        ("ace", '{"action": {"name": "hangup"}}', "ace", '{"action": {"name": "hangup"}}'),
        ("pie", {"action": {"name": "hangup"}}, "pie", '{"action": {"name": "hangup"}}'),
        ("dice", "http://a.example/dice", "dice", "http://a.example/dice"),
    ],
}
"""Object -> (field on the wire, its JSON, attribute, its value)."""

OTHER_WAYS = [
    ("startRecording", {"recordingOptions": RECORDED}, "options", RECORDING_TO),
    ("connectPstn", {"destination": NUMBER}, "number", "+46700000001"),
    ("connectConf", {"conferenceId": "x", "mohClass": "ring"}, "moh", Moh.RING),
    (
        "connectConf",
        {"conferenceId": "x", "dtmfMode": "Forward"},
        "dtmf",
        ConferenceDtmf(ConferenceDtmfMode.FORWARD),
    ),
    ("park", {"dialTimeout": 30}, "max_duration_s", 30),
    ("recordingOptions", {"destination": "s3://b/x"}, "destination_url", "s3://b/x"),
    ("conferenceCallout", {**REQUIRED["conferenceCallout"], "moh": "ring"}, "moh", Moh.RING),
    ("connectMxp", {"destination": "bob"}, "destination", Identity(IdentityType.USERNAME, "bob")),
    (
        "connectSip",
        {"destination": "SIP:bob@b.example"},
        "destination",
        Identity(IdentityType.SIP, "bob@b.example"),
    ),
    ("playFiles", {"ids": "welcome"}, "ids", ("welcome",)),
]


def read(wire, value):
    place = Place()
    return SHAPES[wire].read(value, place), place.remarks


def same(one, other):
    return one.replace("_", "").lower() == other.replace("_", "").lower()


@pytest.mark.parametrize(
    ("wire", "field", "json", "attribute", "value"),
    [(wire, *row) for wire, rows in ROWS.items() for row in rows],
)
def test_a_field_says_what_it_is_documented_to_say(wire, field, json, attribute, value):
    rest = {key: given for key, given in REQUIRED.get(wire, {}).items() if not same(key, field)}

    said, _ = read(wire, {**rest, field: json})

    assert getattr(said, attribute) == value


@pytest.mark.parametrize(("wire", "json", "attribute", "value"), OTHER_WAYS)
def test_what_older_clients_write_says_the_same(wire, json, attribute, value):
    said, remarks = read(wire, json)

    assert (getattr(said, attribute), remarks) == (value, [])


def test_every_field_there_is_has_its_row():
    in_tables = {(wire, field.wire.lower()) for wire, shape in SHAPES.items() for field in shape.fields}

    assert {(wire, row[0].lower()) for wire, rows in ROWS.items() for row in rows} == in_tables


@pytest.mark.parametrize("wire", SHAPES)
def test_a_field_that_is_required_is_missed(wire):
    required = [field.wire for field in SHAPES[wire].fields if field.required]
    for field in required:
        rest = {key: given for key, given in REQUIRED[wire].items() if key != field}
        with pytest.raises(Exception, match=f"{field} is missing") as caught:
            read(wire, rest)
        assert (caught.type.__name__, caught.value.missing) == ("SvamlError", True)


@pytest.mark.parametrize(
    ("wire", "field"),
    [(wire, field) for wire, shape in SHAPES.items() for field in shape.unheeded],
)
def test_a_field_that_is_known_to_have_no_effect_is_no_error(wire, field):
    _, remarks = read(wire, {**REQUIRED.get(wire, {}), field: "whatever"})

    assert [str(remark) for remark in remarks] == [f"$.{field}: has no effect here"]


@pytest.mark.parametrize("wire", SHAPES)
def test_absent_and_null_are_one(wire):
    nulls = {field.wire: None for field in SHAPES[wire].fields if not field.required}

    assert read(wire, {**nulls, **REQUIRED.get(wire, {})}) == read(wire, REQUIRED.get(wire, {}))


@pytest.mark.parametrize("wire", SHAPES)
def test_an_unknown_field_is_remarked_and_ignored(wire):
    said, remarks = read(wire, {**REQUIRED.get(wire, {}), "quux": [1]})

    assert said == read(wire, REQUIRED.get(wire, {}))[0]
    assert [remark.path for remark in remarks] == ["$.quux"]
