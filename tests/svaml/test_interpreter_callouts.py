"""Calls that an application begins."""

import json
from dataclasses import replace
from decimal import Decimal

import pytest

from gateway.errors import LocalError, Overload
from gateway.switch.records import Identity, IdentityType, Money
from gateway.switch.steering import (
    Callout,
    CalloutKind,
    ConferenceWish,
    Forbidden,
    NoCredit,
    Prompt,
    UnknownCall,
)
from gateway.testing.application import APPLICATION, NUMBER, application_board
from gateway.testing.virtual_time import run_virtual

TO_NUMBER = Identity(IdentityType.NUMBER, NUMBER)
SPEECH = Callout(
    APPLICATION.key, CalloutKind.SPEECH, TO_NUMBER, custom="seven", prompts=(Prompt("Hello", spoken=True),)
)
CONFERENCE = Callout(
    APPLICATION.key, CalloutKind.CONFERENCE, TO_NUMBER, conference=ConferenceWish("standup", moh="music1")
)
CUSTOM = Callout(APPLICATION.key, CalloutKind.CUSTOM, TO_NUMBER)
EVERYTHING = frozenset({"ace", "pie", "dice"})


async def called(house, request):
    """Begin a callout, and have the carrier answer; return the id and the carrier's end."""
    carrier = await house.carrier()
    call = await house.desk.callout(request)
    ringing = await carrier.rung()
    ringing.ring()
    await ringing.answer()
    await house.board.settle()
    return call, ringing


def test_a_speech_is_said_and_the_call_ends():
    async def scenario():
        async with application_board() as house:
            _, ringing = await called(house, replace(SPEECH, digits="1#", tells=EVERYTHING))
            await ringing.ended()
            await house.board.settle()

            heard = [row.hold for row in house.board.media.history if row.hold]
            assert heard == ["silence"]
            assert [key for _, key, _ in house.board.media.pressed] == ["1", "#"]
            assert house.server.events == ["ace"]
            assert house.server.told("ace")["custom"] == "seven"
            assert (house.dice()["result"], house.dice()["reason"]) == ("ANSWERED", "MANAGERHANGUP")

    run_virtual(scenario())


def test_without_being_asked_for_nothing_is_told():
    async def scenario():
        async with application_board() as house:
            _, ringing = await called(house, SPEECH)
            await ringing.ended()
            await house.board.settle()

            assert not house.server.asked
            assert not house.outbox.waiting
            assert house.ended().result == "ANSWERED"

    run_virtual(scenario())


def test_an_ace_may_replace_what_a_speech_says():
    async def scenario():
        async with application_board() as house:
            house.server.says(
                "ace",
                {"instructions": [{"name": "say", "text": "Bye"}], "action": {"name": "hangup"}},
            )
            _, ringing = await called(house, replace(SPEECH, tells=EVERYTHING))
            await ringing.ended()
            await house.board.settle()

            assert [row.hold for row in house.board.media.history if row.hold] == ["silence"]

    run_virtual(scenario())


def test_a_conference_callout_joins_the_room():
    async def scenario():
        async with application_board() as house:
            call, ringing = await called(house, CONFERENCE)

            (participant,) = house.desk.conference(APPLICATION.key, "standup")
            assert participant.call == call
            assert [row.hold for row in house.board.media.rows.values()] == ["music"]
            ringing.hang_up()
            await house.board.settle()
            assert house.ended().reason == "CALLEEHANGUP"

    run_virtual(scenario())


def test_an_ace_renames_the_conference():
    async def scenario():
        async with application_board() as house:
            house.server.says("ace", {"action": {"name": "connectConf", "conferenceId": "elsewhere"}})
            _, ringing = await called(house, replace(CONFERENCE, tells=EVERYTHING))

            assert len(house.desk.conference(APPLICATION.key, "elsewhere")) == 1
            ringing.hang_up()

    run_virtual(scenario())


def test_an_application_that_calls_on_and_on_is_stopped_and_keeps_nobody_on_the_line():
    async def scenario():
        async with application_board() as house:
            house.server.says("ace", {"action": {"name": "connectPstn", "number": NUMBER}})
            carrier = await house.carrier()
            await house.desk.callout(replace(CONFERENCE, tells=EVERYTHING))
            rung = []
            for _ in range(16):
                rung.append(await carrier.rung())
                await rung[-1].answer()
            await house.board.settle()

            assert house.server.events == ["ace"] * 16
            assert (house.ended().result, house.ended().reason) == ("ANSWERED", "GENERALERROR")
            for ringing in rung:
                await ringing.ended()

    run_virtual(scenario())


def test_a_custom_callout_without_documents_calls_the_number():
    async def scenario():
        async with application_board() as house:
            _, ringing = await called(house, replace(CUSTOM, max_duration_s=10))
            await ringing.ended()
            await house.board.settle()

            assert house.server.events == ["ace"]
            assert (house.dice()["reason"], house.dice()["duration"]) == ("TIMEOUT", 10)

    run_virtual(scenario())


def test_a_custom_callout_obeys_its_own_documents():
    async def scenario():
        async with application_board() as house:
            ice = json.dumps({"action": {"name": "connectPstn", "number": NUMBER}})
            ace = json.dumps({"action": {"name": "connectConf", "conferenceId": "mine"}})
            scripts = {"ice": ice, "ace": ace, "dice": "https://example.org/dice"}
            _, ringing = await called(house, replace(CUSTOM, to=None, scripts=scripts))

            assert len(house.desk.conference(APPLICATION.key, "mine")) == 1
            ringing.hang_up()
            await house.board.settle()
            assert not house.server.asked
            assert [each.url for each in house.outbox.waiting] == ["https://example.org/dice"]

    run_virtual(scenario())


def test_a_custom_callout_asks_where_it_was_told_to():
    async def scenario():
        async with application_board() as house:
            house.server.says("ice", {"action": {"name": "connectPstn", "number": NUMBER}})
            marks = (("X-CB-Trace", "7"),)
            scripts = {"ice": "https://example.org/ice"}
            _, ringing = await called(house, replace(CUSTOM, to=None, scripts=scripts, forwarded=marks))
            ringing.hang_up()

            assert house.server.urls == ["https://example.org/ice", None]
            assert house.server.forwarded == [marks, marks]
            assert house.server.told("ice")["originationType"] == "server"

    run_virtual(scenario())


@pytest.mark.parametrize(
    ("limits", "refusal"),
    [
        ({"balance": Money(Decimal(0), "USD")}, NoCredit),
        ({"destinations": ("+46",)}, Forbidden),
        ({"calls_per_s": 0.0}, None),
    ],
)
def test_an_application_calls_as_much_as_it_may(limits, refusal):
    async def scenario():
        async with application_board(application=replace(APPLICATION, **limits)) as house:
            if refusal is not None:
                with pytest.raises(refusal):
                    await house.desk.callout(SPEECH)
                return
            to = replace(SPEECH, to=Identity(IdentityType.NUMBER, "+46000000000"))
            await house.desk.callout(to)
            with pytest.raises(Overload):
                await house.desk.callout(to)

    run_virtual(scenario())


@pytest.mark.parametrize("number", ["", "alice", "+12"])
def test_what_is_no_number_is_not_called(number):
    async def scenario():
        async with application_board() as house:
            with pytest.raises(LocalError):
                await house.desk.callout(replace(SPEECH, to=Identity(IdentityType.NUMBER, number)))

    run_virtual(scenario())


def test_a_callout_is_in_the_book_before_its_id_is_given():
    async def scenario():
        async with application_board() as house:
            carrier = await house.carrier()
            call = await house.desk.callout(SPEECH)

            assert (await house.book.find(call)).ongoing
            assert (await house.desk.find(APPLICATION.key, call)).custom == "seven"
            with pytest.raises(UnknownCall):
                await house.desk.find("another", call)
            (await carrier.rung()).reject(486)

    run_virtual(scenario())


def test_a_client_that_goes_away_takes_its_callout_with_it():
    async def scenario():
        async with application_board() as house:
            carrier = await house.carrier()
            call = await house.desk.callout(SPEECH)
            ringing = await carrier.rung()

            await house.desk.abandon(APPLICATION.key, call)

            await ringing.ended()
            await house.board.settle()
            assert (house.ended().result, house.ended().reason) == ("NOANSWER", "CANCEL")

    run_virtual(scenario())


@pytest.mark.parametrize(
    ("number", "result", "reason", "lasts_s"),
    [
        ("+46000000000", "ANSWERED", "CALLEEHANGUP", 7.5),
        ("+460000000010", "ANSWERED", "CALLEEHANGUP", 127.5),
        ("+460000000030", "FAILED", "BLOCKED", 0),
        ("+460000000031", "FAILED", "BLOCKED", 7.5),
        ("+460000000040", "NOANSWER", "TIMEOUT", 45),
        ("+460000000050", "FAILED", "CONGESTION", 0),
        ("+460000000051", "FAILED", "CONGESTION", 7.5),
    ],
)
def test_test_numbers_do_what_they_are_known_for(number, result, reason, lasts_s):
    async def scenario():
        async with application_board() as house:
            await house.desk.callout(replace(CUSTOM, to=Identity(IdentityType.NUMBER, number)))
            await house.board.settle(200)

            record = house.ended()
            assert (record.result, record.reason) == (result, reason)
            assert record.ended_at - record.started_at == pytest.approx(lasts_s, abs=3)

    run_virtual(scenario())


def test_two_callouts_meet_in_one_conference():
    async def scenario():
        async with application_board() as house:
            bob, carrier = await house.board.phone("bob"), await house.carrier()
            to_bob = Identity(IdentityType.USERNAME, "bob")
            await house.desk.callout(replace(CONFERENCE, tells=EVERYTHING))
            await house.desk.callout(replace(CONFERENCE, to=to_bob, tells=EVERYTHING))
            one, two = await carrier.rung(), await bob.rung()
            await one.answer()
            await two.answer()
            await house.board.settle()

            ((_, members),) = house.board.media.rooms.items()
            assert len(members) == 2
            assert {each.cli for each in house.desk.conference(APPLICATION.key, "standup")} == {NUMBER, "bob"}
            house.desk.kick_all(APPLICATION.key, "standup")
            await one.ended()
            await two.ended()
            await house.board.settle()
            assert house.server.events == ["ace"], "calls to users have no ACE"
            assert len(house.outbox.bodies("dice")) == 1, "nor a DiCE, when they were called out"

    run_virtual(scenario())


def test_a_switch_that_shuts_down_begins_no_callouts():
    async def scenario():
        async with application_board() as house:
            house.board.switch.drain()

            with pytest.raises(Overload):
                await house.desk.callout(SPEECH)
            assert not house.book.ongoing()

    run_virtual(scenario())
