"""What the checker says of a document: for which events it is good, or where it is wrong."""

import json

import pytest
from hypothesis import given, settings

from gateway.svaml.check import Severity, check
from gateway.svaml.locate import line_and_column, offset_of, offsets
from gateway.svaml.model import Moment
from gateway.svaml.write import dump
from gateway.testing.svaml_documents import documents

BAD_MENU = b"""{
  "instructions": [{"name": "say", "text": "Hello, \\"you\\" [;] {"}],
  "Action": {
    "name": "runMenu",
    "menus": [
      {"id": "main",
       "options": [
         {"dtmf": "1", "action": "return(1)"},
         {"dtmf": "2", "action": "menu(sales)"}]}]
  }
}"""


def only(judgement):
    (finding,) = judgement.findings
    return finding


def test_a_good_document_is_good_for_some_events():
    judgement = check(b'{"action": {"name": "continue"}}')

    assert judgement.findings == ()
    assert judgement.moments == (
        Moment.ACE,
        Moment.PIE,
        Moment.MANAGE,
        Moment.MANAGE_PARKED,
        Moment.MANAGE_CONFERENCE,
    )


def test_a_good_document_may_be_wrong_for_the_event_that_was_asked_about():
    finding = only(check(b'{"action": {"name": "continue"}}', [Moment.ICE]))

    assert (finding.severity, finding.path) == (Severity.ERROR, "$.action")
    assert finding.reason == "continue is not possible in the answer to an ICE"
    assert finding.cure.startswith("there are hangup, connectPstn")


def test_an_error_has_its_line_and_column():
    finding = only(check(BAD_MENU, [Moment.ICE]))

    assert finding.path == "$.Action.menus[0].options[1].action"
    assert (finding.line, finding.column) == (9, 24)
    assert (finding.reason, finding.cure) == ("no menu has the id sales", "there are main")


def test_without_an_event_the_error_is_that_of_most_events():
    finding = only(check(BAD_MENU))

    assert finding.reason == "no menu has the id sales"


def test_what_is_no_json_has_its_line_and_column_too():
    finding = only(check(b'{"action": {\n  "name": "hangup",,\n}}'))

    assert (finding.line, finding.column) == (2, 20)
    assert finding.reason.startswith("is not JSON")


@pytest.mark.parametrize("data", [b"\xff", b"[" * 100, b"7", b"{}"])
def test_what_has_no_place_is_at_the_beginning(data):
    finding = only(check(data, [Moment.ICE]))

    assert (finding.line, finding.column) == (1, 1)


def test_what_is_ignored_is_a_warning():
    data = b'{"instructions": [\n  {"name": "answer"}], "action": {"name": "continue",\n "x_y": 1}}'

    judgement = check(data, [Moment.ACE])

    assert judgement.good
    assert [(each.severity, each.path, each.line) for each in judgement.findings] == [
        (Severity.WARNING, "$.instructions[0]", 2),
        (Severity.WARNING, "$.action.x_y", 3),
    ]


def test_without_an_event_a_warning_is_what_no_event_heeds():
    data = b'{"instructions": [{"name": "answer"}], "action": {"name": "hangup", "quux": 1}, "more": 1}'

    judgement = check(data, [Moment.ICE, Moment.ACE])

    assert [each.path for each in judgement.findings] == ["$.action.quux", "$.more"]


@settings(max_examples=50)
@given(documents())
def test_every_part_of_a_document_is_found_where_it_stands(document):
    value = dump(document)
    text = json.dumps(value, indent=1)
    found = offsets(text)

    for index, _ in enumerate(value["instructions"]):
        assert text[offset_of(f"$.instructions[{index}]", found)] == "{"
    for key in value["action"]:
        at = offset_of(f"$.action.{key}", found)
        assert text[at:].startswith(json.dumps(key))
        assert line_and_column(text, at) == (
            text[:at].count("\n") + 1,
            len(text[:at].rpartition("\n")[2]) + 1,
        )
