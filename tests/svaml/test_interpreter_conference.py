"""Conferences of an application: three in a room, and what a manager does to them."""

import json

import pytest

from gateway.sip.events import SessionAnswered
from gateway.switch.records import Number
from gateway.switch.steering import ParticipantCommand, UnknownConference
from gateway.testing.application import APPLICATION, application_board
from gateway.testing.phone import port_in
from gateway.testing.virtual_time import run_virtual

KEY = APPLICATION.key
DID = "+46700000001"
OWNED = Number(DID, KEY)
JOIN = {"name": "connectConf", "conferenceId": "standup"}


async def joined(house, name):
    """Have a user dial the number; return the phone's end, and the row."""
    phone = await house.board.phone(name)
    calling = await phone.call(DID)
    answered = await calling.expect(SessionAnswered)
    await house.board.settle(0.1)
    return calling, port_in(answered.sdp)


def row(house, port):
    return house.board.media.row_at(port)


def ids(house):
    return {each.cli: each.call for each in house.desk.conference(KEY, "standup")}


def test_three_phones_that_dial_one_number_are_in_one_room():
    async def scenario():
        async with application_board(numbers=[OWNED]) as house:
            house.server.says("ice", {"action": JOIN})
            members = [await joined(house, name) for name in ("alice", "bob", "carol")]

            ((_, legs),) = house.board.media.rooms.items()
            assert len(legs) == 3
            assert sorted(ids(house)) == ["alice", "bob", "carol"]
            for calling, _ in members:
                calling.hang_up()
            await house.board.settle()
            with pytest.raises(UnknownConference):
                house.desk.conference(KEY, "standup")
            assert {record.reason for record in house.book.finished.values()} == {"CALLERHANGUP"}

    run_virtual(scenario())


def test_whoever_is_alone_hears_music_until_another_comes_and_after_they_left():
    async def scenario():
        async with application_board(numbers=[OWNED]) as house:
            house.server.says("ice", {"action": {**JOIN, "moh": "ring"}})
            first, port = await joined(house, "alice")
            assert row(house, port).hold == "ring"

            second, _ = await joined(house, "bob")
            assert row(house, port).hold is None

            second.hang_up()
            await house.board.settle()
            assert row(house, port).hold == "ring"
            first.hang_up()

    run_virtual(scenario())


def test_commands_take_effect_at_once():
    async def scenario():
        async with application_board(numbers=[OWNED]) as house:
            house.server.says("ice", {"action": JOIN})
            alice, port = await joined(house, "alice")
            bob, _ = await joined(house, "bob")
            call = ids(house)["alice"]

            house.desk.command(KEY, "standup", call, ParticipantCommand.MUTE)
            assert row(house, port).muted
            house.desk.command(KEY, "standup", call, ParticipantCommand.UNMUTE)
            assert not row(house, port).muted
            house.desk.command(KEY, "standup", call, ParticipantCommand.HOLD, moh="music2")
            assert row(house, port).hold == "music"
            assert [each.on_hold for each in house.desk.conference(KEY, "standup")] == [True, False]
            house.desk.command(KEY, "standup", call, ParticipantCommand.RESUME)
            assert row(house, port).hold is None
            alice.hang_up()
            bob.hang_up()

    run_virtual(scenario())


def test_a_member_is_kicked_and_the_others_talk_on():
    async def scenario():
        async with application_board(numbers=[OWNED]) as house:
            house.server.says("ice", {"action": JOIN})
            alice, _ = await joined(house, "alice")
            bob, _ = await joined(house, "bob")

            house.desk.kick(KEY, "standup", ids(house)["alice"])

            await alice.ended()
            await house.board.settle()
            assert list(ids(house)) == ["bob"]
            assert (house.dice()["result"], house.dice()["reason"]) == ("ANSWERED", "MANAGERHANGUP")
            bob.hang_up()

    run_virtual(scenario())


def test_everybody_is_kicked():
    async def scenario():
        async with application_board(numbers=[OWNED]) as house:
            house.server.says("ice", {"action": JOIN})
            alice, _ = await joined(house, "alice")
            bob, _ = await joined(house, "bob")

            house.desk.kick_all(KEY, "standup")

            await alice.ended()
            await bob.ended()

    run_virtual(scenario())


@pytest.mark.parametrize("application", ["another", ""])
def test_nobody_reaches_another_applications_conference(application):
    async def scenario():
        async with application_board(numbers=[OWNED]) as house:
            house.server.says("ice", {"action": JOIN})
            alice, _ = await joined(house, "alice")

            with pytest.raises(UnknownConference):
                house.desk.kick_all(application, "standup")
            with pytest.raises(UnknownConference):
                house.desk.kick(KEY, "standup", "nobody")
            alice.hang_up()

    run_virtual(scenario())


def test_keys_are_told_to_the_application_where_it_wants_them():
    async def scenario():
        async with application_board(numbers=[OWNED]) as house:
            options = {"mode": "detect", "maxDigits": 3}
            house.server.says("ice", {"action": {**JOIN, "conferenceDtmfOptions": options}})
            alice, _ = await joined(house, "alice")
            for key in "12#":
                alice.press(key)
                await house.board.settle(0.5)

            pie = house.server.told("pie")
            assert pie["menuResult"] == {
                "type": "sequence",
                "value": "12",
                "menuId": "standup",
                "inputMethod": "dtmf",
            }
            assert pie["callid"] == ids(house)["alice"]
            alice.hang_up()

    run_virtual(scenario())


def test_keys_are_forwarded_to_the_others():
    async def scenario():
        async with application_board(numbers=[OWNED]) as house:
            house.server.says("ice", {"action": {**JOIN, "conferenceDtmfOptions": {"mode": "forward"}}})
            alice, mine = await joined(house, "alice")
            bob, his = await joined(house, "bob")
            alice.press("7")
            await house.board.settle()

            assert [(leg, key) for leg, key, _ in house.board.media.pressed] == [(row(house, his).leg, "7")]
            assert (row(house, mine).hold, row(house, his).hold) == (None, None)
            alice.hang_up()
            bob.hang_up()

    run_virtual(scenario())


def test_keys_are_ignored_by_default():
    async def scenario():
        async with application_board(numbers=[OWNED]) as house:
            house.server.says("ice", {"action": JOIN})
            alice, _ = await joined(house, "alice")
            alice.press("7")
            await house.board.settle()

            assert house.server.events == ["ice"]
            alice.hang_up()

    run_virtual(scenario())


def test_a_member_is_asked_something_and_goes_on_as_before():
    async def scenario():
        async with application_board(numbers=[OWNED]) as house:
            house.server.says("ice", {"action": {**JOIN, "conferenceDtmfOptions": {"mode": "detect"}}})
            house.server.says("pie", {"action": {"name": "continue"}})
            alice, _ = await joined(house, "alice")
            menu = {"id": "main", "mainPrompt": "#tts[Code]", "maxDigits": 4}
            order = json.dumps({"action": {"name": "runMenu", "menus": [menu]}}).encode()
            await house.desk.manage(KEY, ids(house)["alice"], order)
            for key in "12347":
                await house.board.settle(0.5)
                alice.press(key)
            await house.board.settle()

            results = [body["menuResult"] for body in house.server.asked if body["event"] == "pie"]
            assert [(each["menuId"], each["value"]) for each in results] == [
                ("main", "1234"),
                ("standup", "7"),
            ]
            alice.hang_up()

    run_virtual(scenario())
