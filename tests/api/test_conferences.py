"""Who is in a conference, and what may be done to its members (section 5.4)."""

import pytest

from gateway.ids import CallId
from gateway.switch.steering import Participant

ROOMS = "/calling/v1/conferences/id"
ALICE = Participant(CallId("call-a"), "+46700000000", 14, False, False)
BOB = Participant(CallId("call-b"), "bob", 3, True, True)


@pytest.fixture
def meeting(world):
    """Return a world with a conference of two."""
    world.calls.rooms[world.application.key, "room"] = [ALICE, BOB]
    return world


def members(world, room="room"):
    return world.calls.rooms[world.application.key, room]


def test_members_have_exactly_five_keys(meeting):
    assert meeting.api.get(f"{ROOMS}/room").json == {
        "participants": [
            {"cli": "+46700000000", "id": "call-a", "duration": 14, "muted": False, "onhold": False},
            {"cli": "bob", "id": "call-b", "duration": 3, "muted": True, "onhold": True},
        ]
    }


def test_a_conference_that_is_not_there_is_not_found(world):
    answer = world.api.get(f"{ROOMS}/nowhere")

    assert (answer.status, answer.code, answer.json["message"]) == (404, 40400, "Conference not found")


def test_nobody_sees_the_conferences_of_others(meeting):
    assert meeting.others.get(f"{ROOMS}/room").code == 40400
    assert meeting.others.delete(f"{ROOMS}/room").code == 40400
    assert len(members(meeting)) == 2


@pytest.mark.parametrize(
    ("command", "muted", "on_hold"),
    [
        ("mute", True, False),
        ("unmute", False, False),
        ("onhold", False, True),
        ("resume", False, False),
        ("MUTE", True, False),
    ],
)
def test_a_command_is_done_to_the_member(meeting, command, muted, on_hold):
    answer = meeting.api.patch(f"{ROOMS}/room/call-a", {"command": command, "moh": "music1"})

    assert (answer.status, answer.body) == (200, b"")
    assert (members(meeting)[0].muted, members(meeting)[0].on_hold) == (muted, on_hold)


def test_a_command_to_nobody_is_not_found(meeting):
    assert meeting.api.patch(f"{ROOMS}/room/call-x", {"command": "mute"}).code == 40400


@pytest.mark.parametrize(
    ("order", "code"),
    [({}, 40002), ({"command": "sing"}, 40001), ({"command": "onhold", "moh": "techno"}, 40001), ([], 40001)],
)
def test_a_command_that_there_is_not_is_refused(meeting, order, code):
    assert meeting.api.patch(f"{ROOMS}/room/call-a", order).code == code


def test_one_member_is_kicked(meeting):
    answer = meeting.api.delete(f"{ROOMS}/room/call-a")

    assert (answer.status, answer.body) == (200, b"")
    assert members(meeting) == [BOB]


def test_all_are_kicked(meeting):
    assert meeting.api.delete(f"{ROOMS}/room").status == 200
    assert meeting.calls.rooms == {}


@pytest.mark.parametrize("written", ["my%20conf%2F1", "my%20conf/1"], ids=["encoded", "as node sends it"])
def test_a_conference_may_have_a_slash_in_its_name(world, written):
    world.calls.rooms[world.application.key, "my conf/1"] = [ALICE, BOB]

    seen = world.api.get(f"{ROOMS}/{written}").json["participants"]
    world.api.patch(f"{ROOMS}/{written}/call-a", {"command": "mute"})
    world.api.delete(f"{ROOMS}/{written}/call-b")
    left = list(members(world, "my conf/1"))
    world.api.delete(f"{ROOMS}/{written}")

    assert len(seen) == 2
    assert [(each.call, each.muted) for each in left] == [("call-a", True)]
    assert world.calls.rooms == {}


def test_a_room_may_be_named_in_any_script(world):
    world.calls.rooms[world.application.key, "möte 会"] = [ALICE]

    assert world.api.get(f"{ROOMS}/m%C3%B6te%20%E4%BC%9A").status == 200
