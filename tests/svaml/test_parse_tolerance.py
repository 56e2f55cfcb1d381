"""What clients of ten years write, and every one of them is understood."""

import pytest

from gateway.svaml.model import (
    Answer,
    ConnectConf,
    ConnectMxp,
    ConnectPstn,
    ConnectSip,
    Continue,
    Document,
    Hangup,
    Menu,
    MenuGoTo,
    MenuOption,
    MenuReturn,
    Moment,
    PlayFiles,
    RecordingOptions,
    ReportCallStatus,
    RunMenu,
    Say,
    SetCookie,
    StartRecording,
    StopRecording,
)
from gateway.svaml.parse import parse


def read(data, moment=Moment.ICE):
    return parse(data, moment=moment).document


@pytest.mark.parametrize("name", ["hangup", "Hangup", "HANGUP", " hangUp "])
@pytest.mark.parametrize("key", ["action", "Action", "ACTION"])
def test_names_have_any_case(key, name):
    assert read({key: {"Name": name}}) == Document((), Hangup())


def test_bytes_may_begin_with_a_byte_order_mark():
    assert read(b'\xef\xbb\xbf{"action": {"name": "hangup"}}') == Document((), Hangup())


def test_a_document_is_instructions_in_their_order_and_an_action():
    text = """{
      "instructions": [
        {"name": "answer"},
        {"name": "Say", "text": "Hello", "locale": "en-GB"},
        {"name": "playfiles", "ids": [["welcome"], ["#tts[you]"]], "locale": null},
        {"name": "setcookie", "key": "a", "value": "b"},
        null
      ],
      "action": {"name": "ConnectPSTN", "maxDuration": "60", "suppressCallbacks": "false", "cli": "private"}
    }"""

    assert read(text) == Document(
        (Answer(), Say("Hello", "en-GB"), PlayFiles(("welcome", "#tts[you]")), SetCookie("a", "b")),
        ConnectPstn(max_duration_s=60, cli="private"),
    )


def test_instructions_may_be_absent_or_null():
    assert read({"instructions": None, "action": {"name": "hangup"}}) == Document((), Hangup())


@pytest.mark.parametrize("data", [b"", "  \n", "null", "{}", {}])
def test_an_empty_answer_lets_an_answered_call_go_on(data):
    assert read(data, Moment.ACE) == Document((), Continue())


@pytest.mark.parametrize("data", [b"", "{}", '{"action": {"name": "continue"}}', '{"action": 7}'])
def test_whatever_is_said_of_a_call_that_is_over_leaves_it_over(data):
    assert read(data, Moment.DICE) == Document((), Hangup())


def test_the_outcome_that_a_customer_saw_is_reported():
    data = {"instructions": [{"name": "ReportCallStatus", "value": "Success"}], "action": {"name": "Hangup"}}

    assert read(data, Moment.DICE).instructions == (ReportCallStatus("success"),)


@pytest.mark.parametrize(
    "instruction",
    [{"name": "reportCallStatus", "value": "great"}, {"name": "reportCallStatus"}, {"name": "x"}, 7],
)
def test_a_report_that_is_none_is_ignored(instruction):
    parsed = parse({"instructions": [instruction]}, moment=Moment.DICE)

    assert (parsed.document.instructions, [remark.path for remark in parsed.ignored]) == (
        (),
        ["$.instructions[0]"],
    )


@pytest.mark.parametrize(
    ("action", "instruction"),
    [
        (
            {"name": "startRecording", "recordingOptions": {"destinationUrl": "s3://b/x"}},
            StartRecording(RecordingOptions("s3://b/x")),
        ),
        ({"name": "StopRecording"}, StopRecording()),
    ],
)
def test_a_recording_may_be_the_action_of_a_request(action, instruction):
    assert read({"action": action}, Moment.MANAGE) == Document((instruction,), Continue())


def test_a_request_may_record_as_it_continues():
    assert read({"action": {"name": "continue", "record": True}}, Moment.MANAGE).action == Continue(
        record=True
    )


@pytest.mark.parametrize("code", ["false", "False", False, "no", "NO"])
def test_norway_may_be_false(code):
    assert read({"action": {"name": "connectPstn", "indications": code}}).action.indications == "no"


def test_an_unknown_ring_tone_is_remarked_and_not_played():
    parsed = parse({"action": {"name": "connectPstn", "indications": "xx"}}, moment=Moment.ICE)

    assert parsed.document.action.indications is None
    assert [str(remark) for remark in parsed.ignored] == [
        '$.action.indications: there is no ring tone of "xx": no effect'
    ]


def test_a_time_above_its_limit_is_cut_down_to_it():
    parsed = parse({"action": {"name": "connectPstn", "maxDuration": 99999}}, moment=Moment.ICE)

    assert parsed.document.action.max_duration_s == 14400
    assert [remark.path for remark in parsed.ignored] == ["$.action.maxDuration"]


def test_a_header_that_will_not_go_along_is_remarked():
    headers = {"X-Ticket": "7", "Via": "x", "X-a b": "y"}
    action = {"name": "connectSip", "destination": "a@b.example", "callHeaders": headers}

    ignored = parse({"action": action}, moment=Moment.ICE).ignored

    assert [remark.path for remark in ignored] == [
        "$.action.callHeaders.Via",
        '$.action.callHeaders["X-a b"]',
    ]
    assert ignored[0].reason == '"Via" has no effect: private headers of SIP are named X-...'


def test_a_tag_that_does_not_fit_is_made_to_fit():
    tags = [{"key": "Zoë", "value": "x" * 40}]
    parsed = parse({"action": {"name": "connectPstn", "tags": tags}}, moment=Moment.ICE)

    assert parsed.document.action.tags == (("Zo?", "x" * 32),)
    assert [remark.path for remark in parsed.ignored] == ["$.action.tags[0].key", "$.action.tags[0].value"]


def test_no_time_at_all_is_as_good_as_none_given():
    assert read({"action": {"name": "connectPstn", "maxDuration": 0}}).action.max_duration_s is None


def test_an_empty_string_is_as_good_as_absent():
    empty = {
        "maxDuration": "",
        "cli": "",
        "suppressCallbacks": "",
        "dtmf": "",
        "indications": "",
        "number": " ",
    }

    assert read({"action": {"name": "connectPstn", **empty}}).action == ConnectPstn()


def test_a_client_of_python_writes_underscores():
    action = read({"action": {"name": "connectConf", "conference_id": "lobby"}}).action

    assert action == ConnectConf("lobby")


def test_identities_come_with_more_than_they_need():
    to = {"type": "SIP", "endpoint": "a@b.example", "verified": None}

    assert (
        read({"action": {"name": "connectSip", "destination": to}}).action.destination.endpoint
        == "a@b.example"
    )
    assert isinstance(read({"action": {"name": "connectSip", "destination": to}}).action, ConnectSip)


@pytest.mark.parametrize("endpoint", [{}, {"endpoint": None}, {"endpoint": ""}])
def test_an_old_client_sends_an_identity_of_nobody_for_whoever_was_dialled(endpoint):
    def action(name, type_):
        return read(
            {"action": {"name": name, "destination": {"type": type_, **endpoint}, "cli": "private"}}
        ).action

    assert action("connectpstn", "number") == ConnectPstn(cli="private")
    assert action("connectmxp", "username") == ConnectMxp(cli="private")


def test_a_menu_is_read_whole():
    text = """{"action": {"name": "runMenu", "barge": true, "menus": [
        {"id": "main", "mainPrompt": "#tts[Press 1]", "repeats": 2,
         "options": [{"dtmf": 1, "action": "menu(sub)"}, {"dtmf": "2", "action": "return(cancel)"}]},
        {"id": "sub", "mainPrompt": "#tts[Enter 4 digits]", "maxDigits": "4"}]}}"""

    assert read(text).action == RunMenu(
        (
            Menu(
                "main",
                main_prompt="#tts[Press 1]",
                repeats=2,
                options=(MenuOption(MenuGoTo("sub"), "1"), MenuOption(MenuReturn("cancel"), "2")),
            ),
            Menu("sub", main_prompt="#tts[Enter 4 digits]", max_digits=4),
        )
    )


def test_what_is_said_twice_counts_once():
    action = {"name": "connectPstn", "destination": {"endpoint": "+1"}, "number": "+2"}
    parsed = parse({"action": action}, moment=Moment.ICE)

    assert parsed.document.action.number == "+2"
    assert [remark.path for remark in parsed.ignored] == ["$.action.destination"]


def test_an_unknown_field_is_told_what_it_may_have_been_meant_to_be():
    parsed = parse({"action": {"name": "connectPstn", "maxDurations": 5}}, moment=Moment.ICE)

    assert str(parsed.ignored[0]) == "$.action.maxDurations: is not known and has no effect"
    assert parsed.ignored[0].cure == "write maxDuration"
