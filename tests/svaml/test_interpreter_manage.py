"""Calls that are managed while they go on: prompts, parking, menus."""

import json

import pytest

from gateway.errors import GatewayError
from gateway.sip.events import SessionAnswered
from gateway.svaml.errors import SvamlError
from gateway.switch.steering import Ear, NotManageable, UnknownCall
from gateway.testing.application import APPLICATION, NUMBER, application_board
from gateway.testing.virtual_time import run_virtual

KEY = APPLICATION.key
SAY = {"instructions": [{"name": "say", "text": "Hello", "locale": "en-US"}], "action": {"name": "continue"}}
HANG_UP = {"action": {"name": "hangup"}}


def written(document):
    return json.dumps(document).encode()


async def talking(house):
    house.server.says("ice", {"action": {"name": "connectPstn"}})
    alice, carrier = await house.board.phone("alice"), await house.carrier()
    calling = await alice.call(NUMBER)
    ringing = await carrier.rung()
    await ringing.answer()
    await calling.expect(SessionAnswered)
    await house.board.settle()
    return calling, house.server.told("ice")["callid"]


@pytest.mark.parametrize(("ear", "heard_by"), [(Ear.CALLER, 1), (Ear.CALLEE, 1), (Ear.BOTH, 2)])
def test_a_prompt_is_heard_by_the_side_that_was_chosen(ear, heard_by):
    async def scenario():
        async with application_board() as house:
            calling, call = await talking(house)
            await house.desk.manage(KEY, call, written(SAY), ear=ear)
            await house.board.settle(5)

            assert len({row.leg for row in house.board.media.history if row.hold == "silence"}) == heard_by
            assert {row.hold for row in house.board.media.rows.values()} == {None}
            calling.hang_up()

    run_virtual(scenario())


def test_a_prompt_may_be_followed_by_the_end():
    async def scenario():
        async with application_board() as house:
            calling, call = await talking(house)
            await house.desk.manage(KEY, call, written({**SAY, **HANG_UP}))

            await calling.ended()
            await house.board.settle()
            assert house.dice()["reason"] == "MANAGERHANGUP"

    run_virtual(scenario())


def test_a_call_that_rings_can_be_ended_and_nothing_else():
    async def scenario():
        async with application_board() as house:
            house.server.says("ice", {"action": {"name": "connectPstn"}})
            alice, carrier = await house.board.phone("alice"), await house.carrier()
            calling = await alice.call(NUMBER)
            await carrier.rung()
            call = house.server.told("ice")["callid"]
            with pytest.raises(NotManageable):
                await house.desk.manage(KEY, call, written(SAY))
            await house.desk.manage(KEY, call, written(HANG_UP))

            await calling.ended()

    run_virtual(scenario())


@pytest.mark.parametrize("document", [b"", b"no JSON", b"{}", b'{"action": {"name": "connectPstn"}}'])
def test_a_document_that_cannot_be_obeyed_is_refused_and_changes_nothing(document):
    async def scenario():
        async with application_board() as house:
            calling, call = await talking(house)

            with pytest.raises(SvamlError):
                await house.desk.manage(KEY, call, document)
            await house.board.settle()
            assert house.desk.ongoing(KEY)
            calling.hang_up()

    run_virtual(scenario())


@pytest.mark.parametrize("key", ["another", ""])
def test_nobody_manages_another_applications_call(key):
    async def scenario():
        async with application_board() as house:
            calling, call = await talking(house)

            with pytest.raises(UnknownCall):
                await house.desk.manage(key, call, written(HANG_UP))
            calling.hang_up()

    run_virtual(scenario())


def test_a_call_that_is_over_is_not_managed_any_more():
    async def scenario():
        async with application_board() as house:
            calling, call = await talking(house)
            calling.hang_up()
            await house.board.settle()

            with pytest.raises(GatewayError):
                await house.desk.manage(KEY, call, written(HANG_UP))

    run_virtual(scenario())


PARK = {
    "action": {"name": "park", "introPrompt": "#tts[Wait]", "holdPrompt": "#tts[Still]", "maxDuration": 60}
}


async def parked(house):
    house.server.says("ice", PARK)
    alice = await house.board.phone("alice")
    calling = await alice.call(NUMBER)
    await calling.expect(SessionAnswered)
    await house.board.settle(10)
    return calling, house.server.told("ice")["callid"]


def test_a_parked_call_is_connected_by_whoever_takes_it_up():
    async def scenario():
        async with application_board() as house:
            calling, call = await parked(house)
            carrier = await house.carrier()

            await house.desk.manage(KEY, call, written({"action": {"name": "connectPstn", "number": NUMBER}}))

            ringing = await carrier.rung()
            await ringing.answer()
            await house.board.settle()
            ((_, members),) = house.board.media.rooms.items()
            assert len(members) == 2
            calling.hang_up()
            await ringing.ended()

    run_virtual(scenario())


def test_a_call_is_not_parked_for_ever():
    async def scenario():
        async with application_board() as house:
            calling, _ = await parked(house)
            await calling.ended()
            await house.board.settle()

            assert house.dice()["duration"] == pytest.approx(62, abs=3)
            assert (house.dice()["result"], house.dice()["reason"]) == ("ANSWERED", "TIMEOUT")

    run_virtual(scenario())


def menu(**fields):
    main = {"id": "main", "mainPrompt": "#tts[Press]", "timeoutMills": 2000, "repeats": 1, **fields}
    return {
        "action": {"name": "runMenu", "menus": [main, {"id": "more", "maxDigits": 4, "timeoutMills": 2000}]}
    }


@pytest.mark.parametrize(
    ("fields", "keys", "result"),
    [
        ({"options": [{"dtmf": "1", "action": "return(sales)"}]}, "1", ("return", "sales", "main")),
        ({"options": [{"dtmf": "1", "action": "menu(more)"}]}, "1234#", ("sequence", "234", "more")),
        ({"options": [{"dtmf": "1", "action": "return(sales)"}]}, "", ("timeout", "", "main")),
        ({"options": [{"dtmf": "1", "action": "return(sales)"}]}, "99", ("invalidinput", "9", "main")),
        ({"maxDigits": 3}, "123", ("sequence", "123", "main")),
        ({"maxDigits": 3}, "12#", ("sequence", "12", "main")),
        ({"maxDigits": 3}, "12", ("sequence", "12", "main")),
    ],
)
def test_a_menu_tells_what_was_pressed(fields, keys, result):
    async def scenario():
        async with application_board() as house:
            house.server.says("ice", menu(**fields))
            house.server.says("pie", {"action": {"name": "hangup"}})
            alice = await house.board.phone("alice")
            calling = await alice.call(NUMBER)
            await calling.expect(SessionAnswered)
            for key in keys:
                await house.board.settle(0.7)
                calling.press(key)
            await calling.ended()

            told = house.server.told("pie")["menuResult"]
            assert (told["type"], told["value"], told["menuId"]) == result

    run_virtual(scenario())


def test_who_hangs_up_in_a_menu_is_told_of_before_the_end():
    async def scenario():
        async with application_board() as house:
            house.server.says("ice", menu(options=[{"dtmf": "1", "action": "menu(more)"}]))
            alice = await house.board.phone("alice")
            calling = await alice.call(NUMBER)
            await calling.expect(SessionAnswered)
            await house.board.settle(0.7)
            calling.press("1")
            await house.board.settle(0.7)
            calling.hang_up()
            await house.board.settle()

            assert [each.event for each in house.outbox.waiting] == ["pie", "dice"]
            (told,) = house.outbox.bodies("pie")
            assert (told["menuResult"]["type"], told["menuResult"]["menuId"]) == ("hangup", "more")
            assert "pie" not in house.server.events

    run_virtual(scenario())


def test_a_manager_who_ends_a_call_in_a_menu_is_told_of_the_end_alone():
    async def scenario():
        async with application_board() as house:
            house.server.says("ice", menu(maxDigits=3))
            alice = await house.board.phone("alice")
            calling = await alice.call(NUMBER)
            await calling.expect(SessionAnswered)
            await house.desk.manage(KEY, house.server.told("ice")["callid"], written(HANG_UP))
            await calling.ended()
            await house.board.settle()

            assert [each.event for each in house.outbox.waiting] == ["dice"]

    run_virtual(scenario())
