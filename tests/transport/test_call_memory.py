"""Notes on calls in memory that outlives the process."""

import pytest

from gateway.transport.call_memory import SLOT_BYTES, SlotMemory


@pytest.fixture
def memory():
    return SlotMemory(bytearray(3 * (SLOT_BYTES + 24)))


def successor(memory):
    return SlotMemory(memory.copied())


def test_a_successor_reads_the_newest_note_of_each_key(memory):
    memory.keep("a", b"old")
    memory.keep("b", b"of b")
    memory.keep("a", b"new")

    assert successor(memory).left() == {"a": b"new", "b": b"of b"}


def test_what_was_forgotten_is_gone(memory):
    memory.keep("a", b"note")
    memory.forget("a")
    memory.forget("a")

    assert successor(memory).left() == {}


def test_slots_are_used_again_for_ever(memory):
    for n in range(100):
        memory.keep("a", b"%d" % n)

    assert (memory.refused, len(memory)) == (0, 1)


def test_a_note_that_finds_no_slot_leaves_no_older_one_behind(memory):
    for key in "abc":
        memory.keep(key, b"old")

    memory.keep("a", b"new")

    assert memory.refused == 1
    assert successor(memory).left() == {"b": b"old", "c": b"old"}


def test_one_that_is_too_long_is_refused(memory):
    memory.keep("a", bytes(SLOT_BYTES))

    assert (memory.refused, len(memory)) == (1, 0)


def test_a_torn_note_is_not_read(memory):
    memory.keep("a", b"whole")
    raw = memory.copied()
    raw[raw.index(b"whole")] ^= 1

    assert SlotMemory(raw).left() == {}


def test_whoever_dies_before_the_old_note_is_cleared_leaves_two_of_which_the_newer_counts(
    memory, monkeypatch
):
    memory.keep("a", b"old")
    monkeypatch.setattr(memory, "_release", lambda slot: None)

    memory.keep("a", b"new")

    assert successor(memory).left() == {"a": b"new"}


def test_an_older_note_does_not_come_back_when_the_newer_is_forgotten(memory, monkeypatch):
    memory.keep("a", b"old")
    monkeypatch.setattr(memory, "_release", lambda slot: None)
    memory.keep("a", b"new")

    following = successor(memory)
    following.forget("a")

    assert successor(following).left() == {}


def test_a_slot_that_a_torn_or_older_note_holds_is_free_for_the_next(memory, monkeypatch):
    memory.keep("a", b"old")
    monkeypatch.setattr(memory, "_release", lambda slot: None)
    memory.keep("a", b"new")

    following = successor(memory)
    for key in "bc":
        following.keep(key, b"note")

    assert following.refused == 0
    assert successor(following).left() == {"a": b"new", "b": b"note", "c": b"note"}
