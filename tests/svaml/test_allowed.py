"""The table of what may be said when: section by section, as the wire's documentation has it."""

import pytest

from gateway.svaml.allowed import ACTIONS_ALLOWED, INSTRUCTIONS_ALLOWED
from gateway.svaml.fields import ACTIONS, INSTRUCTIONS
from gateway.svaml.model import Moment
from gateway.svaml.parse import SvamlError, parse

MOMENTS = [Moment.ICE, Moment.ACE, Moment.PIE, Moment.MANAGE, Moment.MANAGE_PARKED, Moment.MANAGE_CONFERENCE]
WRITTEN = {
    "connectConf": {"conferenceId": "x"},
    "connectSip": {"destination": "a@b.example"},
    "connectStream": {"destination": "wss://a.example"},
    "runMenu": {"menus": [{"id": "main"}]},
    "playFiles": {"ids": ["x"]},
    "say": {"text": "x"},
    "sendDtmf": {"value": "1"},
    "setCookie": {"key": "a", "value": "b"},
    "reportCallStatus": {"value": "success"},
}
ACTION_ROWS = {
    # columns: ICE ACE PIE request parked conference
    "hangup": "x x x x x x",
    "continue": "- x x x x x",
    "connectPstn": "x x x - x -",
    "connectMxp": "x x - - x -",
    "connectConf": "x x x - x -",
    "connectSip": "x x x - x -",
    "connectStream": "x - - - x -",
    "runMenu": "x x x - x x",
    "park": "x - - x x -",
}
INSTRUCTION_ROWS = {
    "playFiles": "x x x x x x",
    "say": "x x x x x x",
    "sendDtmf": "x - x x x x",
    "setCookie": "x x x x x x",
    "answer": "x - - - x -",
    "startRecording": "x x x x x x",
    "stopRecording": "x x x x x x",
    "reportCallStatus": "- - - - - -",
}


def cells(rows):
    return [
        (name, moment, cell == "x")
        for name, row in rows.items()
        for moment, cell in zip(MOMENTS, row.split(), strict=True)
    ]


@pytest.mark.parametrize(("name", "moment", "allowed"), cells(ACTION_ROWS))
def test_an_action_is_obeyed_where_it_is_allowed_and_an_error_elsewhere(name, moment, allowed):
    document = {"action": {"name": name, **WRITTEN.get(name, {})}}

    if allowed:
        assert type(parse(document, moment=moment).document.action).__name__.lower() == name.lower()
    else:
        with pytest.raises(SvamlError, match=f"{name} is not possible") as caught:
            parse(document, moment=moment)
        assert "hangup" in caught.value.cure


@pytest.mark.parametrize(("name", "moment", "allowed"), cells(INSTRUCTION_ROWS))
def test_an_instruction_is_obeyed_where_it_is_allowed_and_ignored_elsewhere(name, moment, allowed):
    document = {"instructions": [{"name": name, **WRITTEN.get(name, {})}], "action": {"name": "hangup"}}

    parsed = parse(document, moment=moment)

    assert [type(each).__name__.lower() for each in parsed.document.instructions] == [name.lower()] * allowed
    assert [remark.path for remark in parsed.ignored] == ["$.instructions[0]"] * (not allowed)


def test_an_instruction_that_is_ignored_may_be_wrong():
    document = {"instructions": [{"name": "sendDtmf", "value": {}}], "action": {"name": "continue"}}

    assert parse(document, moment=Moment.ACE).document.instructions == ()


def test_only_the_report_of_a_status_follows_a_call():
    assert [name for name, moments in INSTRUCTIONS_ALLOWED.items() if Moment.DICE in moments] == [
        "reportCallStatus"
    ]
    assert [name for name, moments in ACTIONS_ALLOWED.items() if Moment.DICE in moments] == ["hangup"]


def test_the_tables_know_everything_that_can_be_said():
    assert list(ACTIONS_ALLOWED) == [shape.wire for shape in ACTIONS.shapes]
    assert list(INSTRUCTIONS_ALLOWED) == [shape.wire for shape in INSTRUCTIONS.shapes]
