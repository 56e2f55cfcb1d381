"""The folder where recordings stay."""

import os
from math import inf

from gateway.recording.shelf import Shelf

ALWAYS = {"start": -inf, "stop": inf}


def put(shelf, application, name, *, at=1000.0):
    path = shelf.place(application, name)
    path.write_bytes(b"sound")
    os.utime(path, (at, at))


def test_each_application_sees_its_own_whatever_the_case_of_its_key(tmp_path):
    shelf = Shelf(tmp_path)
    put(shelf, "Key-1", "a.wav")
    put(shelf, "key-2", "b.wav")

    assert [each.key for each in shelf.listed("key-1", **ALWAYS)] == ["a.wav"]
    assert shelf.find("key-2", "a.wav") is None


def test_the_newest_is_first_and_the_end_of_a_time_is_not_in_it(tmp_path):
    shelf = Shelf(tmp_path)
    for name, at in (("a.wav", 10.0), ("b.mp3", 20.0), ("c.ogg", 30.0)):
        put(shelf, "key", name, at=at)

    assert [each.key for each in shelf.listed("key", start=10.0, stop=30.0)] == ["b.mp3", "a.wav"]


def test_nothing_but_recordings_is_found(tmp_path):
    shelf = Shelf(tmp_path)
    put(shelf, "key", "a.wav")
    (tmp_path / "secret.wav").write_bytes(b"x")
    (tmp_path / "key" / "notes.txt").write_bytes(b"x")
    shelf.way_out("r1", "wav").write_bytes(b"x")

    for key in ("../secret.wav", "notes.txt", "", ".", "..", ".outgoing", "b.wav"):
        assert shelf.find("key", key) is None
    assert [each.key for each in shelf.listed("key", **ALWAYS)] == ["a.wav"]
    assert shelf.listed("nobody", **ALWAYS) == ()


def test_what_was_removed_is_gone(tmp_path):
    shelf = Shelf(tmp_path)
    put(shelf, "key", "a.wav")

    assert shelf.remove("key", "a.wav")
    assert not shelf.remove("key", "a.wav")
