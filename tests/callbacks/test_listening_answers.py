"""What `tandem listen` answers: files in three forms, and what would have happened anyway."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import LocalError
from gateway.lab.listening.answers import LOBBY, Answers, usual_answer

HANGUP = {"action": {"name": "hangup"}}
CONTINUE = {"action": {"name": "continue"}}


@pytest.fixture
def file(tmp_path):
    """Write a document; return the path as an option has it."""

    def write(document, name="a.json"):
        path = tmp_path / name
        path.write_text(json.dumps(document))
        return str(path)

    return write


def answered(event, *options):
    return Answers.from_options(options).answer({"event": event}).document


def test_a_file_answers_the_events_that_it_names(file):
    option = file({"ice": HANGUP, "PIE": CONTINUE})

    assert [answered(event, option) for event in ("ice", "pie")] == [HANGUP, CONTINUE]


def test_events_that_a_file_does_not_name_have_the_usual_answer(file):
    assert answered("ace", file({"ice": HANGUP})) == CONTINUE


def test_a_plain_document_answers_an_ice(file):
    assert [answered(event, file(HANGUP)) for event in ("ice", "ace")] == [HANGUP, CONTINUE]


def test_each_event_may_have_a_file_of_its_own(file):
    options = ["ice=" + file(HANGUP, "a"), "ACE=" + file(HANGUP, "b")]

    assert [answered(event, *options) for event in ("ice", "ace")] == [HANGUP, HANGUP]


def test_a_later_option_overrides(file):
    assert answered("ice", file({"ice": HANGUP, "ace": HANGUP}), "ice=" + file(CONTINUE, "b")) == CONTINUE


@pytest.mark.parametrize("text", ["", "{", "[]", "7", "null", "[" * 100_000])
def test_a_file_that_holds_no_object_is_refused(tmp_path, text):
    path = tmp_path / "a.json"
    path.write_text(text)

    with pytest.raises(LocalError):
        Answers.from_options([str(path)])


def test_what_a_switch_will_not_obey_is_remarked(file):
    answers = Answers.from_options([file({"action": {"name": "connectPtsn"}})])

    (remark,) = answers.answer({"event": "ice"}).remarks
    assert "connectPtsn" in remark


def test_a_good_document_has_no_remarks(file):
    assert Answers.from_options([file(HANGUP)]).answer({"event": "ice"}).remarks == ()


@pytest.mark.parametrize(
    ("to", "action"),
    [
        ({"type": "number", "endpoint": "+4670"}, {"name": "connectPstn", "number": "+4670"}),
        ({"type": "Username", "endpoint": "bob"},
         {"name": "connectMxp", "destination": {"type": "username", "endpoint": "bob"}}),
        ({"type": "sip", "endpoint": "a@b"}, {"name": "connectSip", "destination": {"type": "sip", "endpoint": "a@b"}}),
        ({"type": "conference", "endpoint": "room"}, {"name": "connectConf", "conferenceId": "room"}),
        ({"type": "did", "endpoint": "+4670"}, {"name": "connectConf", "conferenceId": LOBBY, "moh": "music1"}),
        (None, {"name": "connectConf", "conferenceId": LOBBY, "moh": "music1"}),
    ],
)  # fmt: skip
def test_a_call_goes_where_it_would_have_gone(to, action):
    assert usual_answer({"event": "ice", "to": to}) == {"action": action}


@pytest.mark.parametrize("event", ["dice", "notify", "", None, "else"])
def test_what_needs_no_answer_gets_none(event):
    assert usual_answer({"event": event}) is None


@given(st.dictionaries(st.sampled_from(["event", "to"]), st.none() | st.text() | st.lists(st.text())))
def test_no_event_breaks_the_usual_answer(event):
    usual_answer({"event": "ice", **event})
