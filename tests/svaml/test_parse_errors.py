"""A document that cannot be obeyed: one kind of error, with the place and the reason."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import GatewayError
from gateway.svaml.load import MOST_BYTES
from gateway.svaml.model import Moment
from gateway.svaml.parse import SvamlError, parse
from gateway.testing.svaml_documents import damaged, jsonish

MENU = {"id": "main", "options": [{"dtmf": 1, "action": "menu(sales)"}]}
HANGUP = '{"action": {"name": "hangup"}}'

BAD = [
    ("{", "$: is not JSON: Expecting property name enclosed in double quotes at line 1, column 2"),
    (b"\xff{}", "$: is not UTF-8: byte 0 is 0xff"),
    ("NaN", "$: is not JSON: NaN is no JSON number"),
    ("[]", "$: [] is no object"),
    ('"hangup"', '$: "hangup" is no object'),
    ("", "$: action is missing"),
    ("{}", "$: action is missing"),
    (" " * (MOST_BYTES + 1), f"$: {MOST_BYTES + 1} bytes are too many, {MOST_BYTES} is the most"),
    ("[" * 50_000, "$: is nested too deeply, 32 levels are the most"),
    ('{"a":' * 33 + "1" + "}" * 33, "$: is nested too deeply, 32 levels are the most"),
    ('{"action": {"name": "hangup"}, "action": {"name": "park"}}', "$.action: is given twice"),
    ('{"action": {"name": "hangup"}, "Action": {}}', '$.Action: is given twice, also as "action"'),
    ('{"action": {"name": "hangup", "barge": 1, "barge": 2}}', "$.action.barge: is given twice"),
    ('{"action": "hangup"}', '$.action: "hangup" is no object'),
    ('{"action": {}}', "$.action: name is missing"),
    ('{"action": {"name": 7}}', "$.action.name: 7 is no action"),
    ('{"action": {"name": "hangout"}}', '$.action.name: "hangout" is no action'),
    ('{"action": {"name": "continue"}}', "$.action: continue is not possible in the answer to an ICE"),
    ('{"instructions": {}, ' + HANGUP[1:], "$.instructions: {} is no array"),
    ('{"instructions": [7], ' + HANGUP[1:], "$.instructions[0]: 7 is no object"),
    (
        '{"instructions": [{"name": "sing"}], ' + HANGUP[1:],
        '$.instructions[0].name: "sing" is no instruction',
    ),
    ({"action": {"name": "connectConf"}}, "$.action: conferenceId is missing"),
    ({"action": {"name": "connectConf", "conferenceId": " "}}, "$.action: conferenceId is missing"),
    ({"action": {"name": "connectConf", "conferenceId": []}}, "$.action.conferenceId: [] is no string"),
    (
        {"action": {"name": "connectConf", "conferenceId": "x" * 129}},
        "$.action.conferenceId: has 129 characters, 128 is the most",
    ),
    (
        {"action": {"name": "connectConf", "conferenceId": "\ud800"}},
        "$.action.conferenceId: holds half of a surrogate",
    ),
    (
        {"action": {"name": "connectPstn", "maxDuration": "long"}},
        '$.action.maxDuration: "long" is no whole number',
    ),
    ({"action": {"name": "connectPstn", "maxDuration": 1.5}}, "$.action.maxDuration: 1.5 is no whole number"),
    (
        {"action": {"name": "connectPstn", "maxDuration": True}},
        "$.action.maxDuration: true is no whole number",
    ),
    (
        {"action": {"name": "connectPstn", "maxDuration": -1}},
        "$.action.maxDuration: -1 is too small, 1 is the least",
    ),
    (
        {"action": {"name": "connectPstn", "record": "maybe"}},
        '$.action.record: "maybe" is neither true nor false',
    ),
    ({"action": {"name": "connectPstn", "dtmf": "12a"}}, '$.action.dtmf: "a" in "12a" is no key'),
    (
        {"action": {"name": "connectPstn", "cli": "a\r\nVia: b"}},
        "$.action.cli: has a control character in it",
    ),
    ({"action": {"name": "connectPstn", "amd": True}}, "$.action.amd: true is no object"),
    ({"action": {"name": "connectPstn", "tags": 1}}, "$.action.tags: 1 is no array"),
    ({"action": {"name": "connectPstn", "tags": [{}]}}, "$.action.tags[0]: key is missing"),
    ({"action": {"name": "connectSip"}}, "$.action: destination is missing"),
    ({"action": {"name": "connectSip", "destination": {}}}, "$.action: destination is missing"),
    (
        {"action": {"name": "connectSip", "destination": {"endpoint": "a b@c"}}},
        '$.action.destination.endpoint: "a b@c" is no address',
    ),
    (
        {"action": {"name": "connectSip", "destination": {"type": "number", "endpoint": "+1"}}},
        '$.action.destination.type: "number" is not possible here',
    ),
    (
        {"action": {"name": "connectSip", "destination": "a@b", "transport": "sctp"}},
        '$.action.transport: "sctp" is not',
    ),
    (
        {"action": {"name": "connectSip", "destination": "a@b", "callHeaders": {"a": "c\n"}, "cli": "x\ny"}},
        "$.action.cli: has a control character in it",
    ),
    (
        {"action": {"name": "connectMxp", "callHeaders": {"a": "b" * 1000, "c": "ä" * 12}}},
        "$.action.callHeaders: has 1026 bytes, 1024 is the most",
    ),
    ({"action": {"name": "runMenu", "menus": []}}, "$.action.menus: no menu has the id main"),
    ({"action": {"name": "runMenu", "menus": [{"id": "x"}]}}, "$.action.menus: no menu has the id main"),
    (
        {"action": {"name": "runMenu", "menus": [{"id": "main"}] * 2}},
        "$.action.menus[1].id: another menu has the id",
    ),
    (
        {"action": {"name": "runMenu", "menus": [MENU]}},
        "$.action.menus[0].options[0].action: no menu has the id sales",
    ),
    (
        {"action": {"name": "runMenu", "menus": [{"id": "main", "options": [{"action": "dial(1)"}]}]}},
        '$.action.menus[0].options[0].action: "dial(1)" leads nowhere',
    ),
    (
        {"action": {"name": "park", "holdPrompt": "#tts[Hello"}},
        "$.action.holdPrompt: a [ is never closed",
    ),
]
INSTRUCTIONS = [
    ({"name": "playFiles"}, "$.instructions[0]: ids is missing"),
    ({"name": "playFiles", "ids": [7, {}]}, "$.instructions[0].ids[1]: {} is no string"),
    ({"name": "playFiles", "ids": ["#foo[x]"]}, "$.instructions[0].ids[0]: #foo[...] is no prompt"),
    ({"name": "playFiles", "ids": ["x"] * 65}, "$.instructions[0].ids: has more than 64 prompts"),
    ({"name": "say", "text": "x" * 601}, "$.instructions[0].text: has 601 characters, 600 is the most"),
    (
        {"name": "setCookie", "key": "a", "value": "b" * 1024},
        "$.instructions[0]: key and value have 1025 bytes",
    ),
    ({"name": "startRecording", "options": "s3"}, '$.instructions[0].options: "s3" is no object'),
]


def error(data, moment=Moment.ICE):
    with pytest.raises(SvamlError) as caught:
        parse(data, moment=moment)
    return caught.value


@pytest.mark.parametrize(("data", "said"), BAD)
def test_a_bad_document_is_told_where_and_why(data, said):
    assert str(error(data)).startswith(said)


@pytest.mark.parametrize(("instruction", "said"), INSTRUCTIONS)
def test_a_bad_instruction_is_told_where_and_why(instruction, said):
    assert str(error({"instructions": [instruction], "action": {"name": "hangup"}})).startswith(said)


def test_an_error_has_a_cure():
    assert error({"action": {"name": "conectConf"}}).cure == "write connectConf"


def test_a_svaml_error_is_one_of_ours():
    assert isinstance(error("{"), GatewayError)


def test_an_array_that_holds_itself_is_nested_too_deeply():
    ids = []
    ids.append(ids)

    said = str(error({"instructions": [{"name": "playFiles", "ids": ids}], "action": {"name": "hangup"}}))

    assert said.endswith("is nested too deeply")


def test_brackets_in_a_text_are_no_nesting():
    text = json.dumps({"instructions": [{"name": "say", "text": "[" * 100}], "action": {"name": "hangup"}})

    assert parse(text, moment=Moment.ICE).document.instructions[0].text == "[" * 100


def test_an_object_that_nobody_reads_may_say_a_thing_twice():
    text = '{"action": {"name": "hangup", "quux": {"a": 1, "a": 2}}}'

    assert [remark.path for remark in parse(text, moment=Moment.ICE).ignored] == ["$.action.quux"]


def said_of(data):
    """Return what is said of a document at every moment: why it is refused, and what in it is ignored."""
    for moment in Moment:
        try:
            yield from map(str, parse(data, moment=moment).ignored)
        except SvamlError as refused:
            yield str(refused)


def survives(data):
    """Tell whether nothing worse than a `SvamlError` comes of a document, and all that is said can be printed."""
    return all(said.startswith("$") and said.encode() for said in said_of(data))


@given(st.one_of(st.binary(max_size=64), st.text(max_size=64)))
def test_noise_is_refused_in_one_way(data):
    assert survives(data)


@given(st.dictionaries(st.sampled_from(["action", "instructions", "Action", "x"]), jsonish()))
def test_any_json_is_read_or_refused_in_one_way(data):
    assert survives(data)


@given(damaged())
def test_a_damaged_document_is_read_or_refused_in_one_way(data):
    assert survives(data)
