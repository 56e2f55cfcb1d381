"""Recordings that are kept here: listed, fetched and removed (section 5.7)."""

import os

import pytest

from gateway.api import ApiSettings
from gateway.recording.shelf import Shelf

RECORDINGS = "/calling/v1/recording"
AT = 1_717_683_614.0  # 2024-06-06T14:20:14Z


@pytest.fixture
def studio(make_world, tmp_path):
    """Return a world with three recordings of ours, an hour apart, and one of others."""
    world = make_world(settings=ApiSettings(url="https://voice.example"), shelf=Shelf(tmp_path))
    for hour, name in enumerate(("a.wav", "b.mp3", "c.ogg")):
        keep(world, world.application.key, name, AT + 3600 * hour)
    keep(world, world.others.application.key, "theirs.wav", AT)
    return world


def keep(world, application, name, at):
    path = world.platform.shelf.place(application, name)
    path.write_bytes(name.encode())
    os.utime(path, (at, at))


def keys(answer):
    return [each["key"] for each in answer.json]


def test_the_list_says_where_each_is_and_when_it_was_made(studio):
    assert studio.api.get(RECORDINGS).json[-1] == {
        "key": "a.wav",
        "url": "https://voice.example/calling/v1/recording/a.wav",
        "createdOn": "2024-06-06T14:20:14Z",
        "headers": {},
    }


def test_the_newest_is_first_and_the_list_has_pages(studio):
    assert keys(studio.api.get(RECORDINGS)) == ["c.ogg", "b.mp3", "a.wav"]
    assert keys(studio.api.get(f"{RECORDINGS}?page=2&pageSize=2")) == ["a.wav"]
    assert keys(studio.api.get(f"{RECORDINGS}?page=9")) == []


def test_a_time_may_be_asked_for(studio):
    span = "from=2024-06-06T15:00:00Z&to=2024-06-06T16:00:00Z"

    assert keys(studio.api.get(f"{RECORDINGS}?{span}")) == ["b.mp3"]


@pytest.mark.parametrize(
    ("key", "kind"), [("a.wav", "audio/wav"), ("b.mp3", "audio/mpeg"), ("c.ogg", "audio/ogg")]
)
def test_a_recording_is_given_out_as_what_it_is(studio, key, kind):
    answer = studio.api.get(f"{RECORDINGS}/{key}")

    assert (answer.status, answer.body, answer.headers["content-type"]) == (200, key.encode(), kind)


def test_what_was_removed_is_not_found(studio):
    assert studio.api.delete(f"{RECORDINGS}/a.wav").status == 200
    for answer in (studio.api.get(f"{RECORDINGS}/a.wav"), studio.api.delete(f"{RECORDINGS}/a.wav")):
        assert (answer.status, answer.code, answer.json["message"]) == (404, 40400, "Recording not found")


def test_nobody_sees_the_recordings_of_others(studio):
    assert keys(studio.others.get(RECORDINGS)) == ["theirs.wav"]
    assert studio.others.get(f"{RECORDINGS}/a.wav").code == 40400
    assert studio.others.delete(f"{RECORDINGS}/a.wav").code == 40400


def test_no_key_leads_out_of_the_folder(studio):
    for key in ("..%2Fa.wav", "%2Fetc%2Fpasswd", "..", "%00.wav"):
        assert studio.api.get(f"{RECORDINGS}/{key}").status in (400, 404)
