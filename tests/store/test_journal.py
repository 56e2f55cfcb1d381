"""The journal: whole lines, a torn one forgotten."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.store.changes import (
    CloseCall,
    Forget,
    GiveUp,
    KeepCall,
    KeepState,
    Put,
    Report,
    Retry,
    dumped,
    loaded,
)
from gateway.store.journal import Journal
from gateway.testing.stores import a_call, ended, to_tell

CHANGES = (
    KeepCall(a_call()),
    CloseCall(ended(a_call(tags=(("a", "b"),))), (to_tell(), to_tell("dice-2", body=b"\0\xff"))),
    KeepState("call-1", b"\0\xff"),
    Report("call-1", "bad", "echo"),
    Put(to_tell(headers=(("X-Trace", "1"),))),
    Forget("dice-1"),
    Retry("dice-1", 2_060.5),
    GiveUp("dice-1", 2_060.5),
)


@pytest.fixture
def journal(tmp_path):
    journal = Journal(tmp_path / "journal")
    yield journal
    journal.close()


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: type(change).__name__)
def test_a_change_is_the_same_when_it_is_read_again(change):
    line = dumped(change)

    assert b"\n" not in line
    assert loaded(line) == change


@given(text=st.text(), number=st.floats(allow_nan=False, allow_infinity=False))
def test_whatever_a_call_holds_is_one_line(text, number):
    change = KeepCall(a_call(custom=text, cookies=((text, text),), answered_at=number))

    line = dumped(change)

    assert b"\n" not in line
    assert dumped(loaded(line)) == line


def test_a_journal_that_is_not_there_is_empty(journal):
    assert (journal.lines(), journal.used) == ([], False)


def test_lines_come_back_in_order(journal):
    journal.append([b"one", b"two"])
    journal.append([b"three"])

    assert journal.lines() == [b"one", b"two", b"three"]


def test_a_journal_that_was_cleared_is_empty_and_goes_on(journal):
    journal.append([b"one"])
    journal.clear()
    assert not journal.used

    journal.append([b"two"])

    assert journal.lines() == [b"two"]


def test_half_a_line_is_forgotten(journal, tmp_path):
    (tmp_path / "journal").write_bytes(b"one\ntw")

    assert journal.lines() == [b"one"]


def test_half_a_line_does_not_spoil_the_next_one(journal, tmp_path):
    (tmp_path / "journal").write_bytes(b"one\ntw")
    journal.append([b"three"])

    assert journal.lines() == [b"one", b"three"]


def test_only_its_owner_reads_it(journal, tmp_path):
    journal.append([b"one"])

    assert (tmp_path / "journal").stat().st_mode & 0o077 == 0
