"""Conferences that an application makes, looks into and steers by the API; what is heard is told by its tone."""

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from gateway.testing.platform import NUMBER, Line, Refused, Steering, phone

pytestmark = [pytest.mark.interop, pytest.mark.alone]

TONES = {"alice": 440.0, "bob": 1000.0, "carol": 2100.0}
ANSWERS = Path(__file__).parent / "application" / "answers.xml"
ROOM = "/calling/v1/conferences/id/lounge"
SETTLED_S = 0.5
AT_ONCE_S = 0.1
"""Within this a command has to have taken effect."""
WINDOW_S = 0.2
LOUD, SILENT = -25, -50
"""dBov: what a tone is above when it is heard, and below when it is not."""


@asynccontextmanager
async def three_in_a_room(platform):
    """Give three calls in one conference, by user, and the id of each."""
    async with AsyncExitStack() as stack:
        lines = [await stack.enter_async_context(phone(platform, user, hz)) for user, hz in TONES.items()]
        calls = {user: await line.talk("conf-lounge") for user, line in zip(TONES, lines, strict=True)}
        members = (await platform.ask("GET", ROOM))["participants"]
        yield calls, {member["cli"]: member["id"] for member in members}


async def heard_by(calls, *, since):
    """Return who hears whom in the window that begins at `since`, by the loop's clock."""
    now = asyncio.get_running_loop().time()
    await asyncio.sleep(since + WINDOW_S + 0.15 - now)  # what was said by then has arrived and lies in order
    return {user: {other for other in TONES if loud(call, other, since)} for user, call in calls.items()}


def loud(call, other, since):
    """Tell whether a tone is there; in between is neither."""
    level = Line.level(call, TONES[other], since=since, for_s=WINDOW_S)
    assert not SILENT < level < LOUD, f"{other}'s tone is heard at {level:.1f} dBov"
    return level >= LOUD


async def in_the_room(platform):
    """Return the ids of the calls in the room; none if there is no room yet."""
    try:
        return [each["id"] for each in (await platform.ask("GET", ROOM))["participants"]]
    except Refused:
        return []


async def after(platform, calls, method, path, document=None):
    """Do something by the API; return who hears whom from 100 ms after its answer on."""
    await platform.ask(method, path, document)
    answered = asyncio.get_running_loop().time()
    return await heard_by(calls, since=answered + AT_ONCE_S)


EVERYBODY = {user: set(TONES) - {user} for user in TONES}


def test_each_of_three_hears_the_two_others(platform):
    async def scene():
        async with three_in_a_room(platform) as (calls, _):
            return await heard_by(calls, since=asyncio.get_running_loop().time() + SETTLED_S)

    assert asyncio.run(scene()) == EVERYBODY


def test_mute_takes_effect_within_100_ms_and_so_does_unmute(platform):
    async def scene():
        async with three_in_a_room(platform) as (calls, ids):
            member = f"{ROOM}/{ids['alice']}"
            await asyncio.sleep(SETTLED_S)
            muted = await after(platform, calls, "PATCH", member, {"command": "mute"})
            shown = (await platform.ask("GET", ROOM))["participants"]
            unmuted = await after(platform, calls, "PATCH", member, {"command": "unmute"})
            return muted, {each["cli"] for each in shown if each["muted"]}, unmuted

    muted, shown, unmuted = asyncio.run(scene())
    assert muted == {"alice": {"bob", "carol"}, "bob": {"carol"}, "carol": {"bob"}}
    assert shown == {"alice"}
    assert unmuted == EVERYBODY


def test_hold_takes_effect_within_100_ms_and_so_does_resume(platform):
    async def scene():
        async with three_in_a_room(platform) as (calls, ids):
            member = f"{ROOM}/{ids['alice']}"
            await asyncio.sleep(SETTLED_S)
            held = await after(platform, calls, "PATCH", member, {"command": "onhold"})
            shown = (await platform.ask("GET", ROOM))["participants"]
            resumed = await after(platform, calls, "PATCH", member, {"command": "resume"})
            return held, {each["cli"] for each in shown if each["onhold"]}, resumed

    held, shown, resumed = asyncio.run(scene())
    assert held == {"alice": set(), "bob": {"carol"}, "carol": {"bob"}}
    assert shown == {"alice"}
    assert resumed == EVERYBODY


def test_whoever_is_kicked_is_gone_within_100_ms_and_the_others_talk_on(platform):
    async def scene():
        async with three_in_a_room(platform) as (calls, ids):
            await asyncio.sleep(SETTLED_S)
            await platform.ask("DELETE", f"{ROOM}/{ids['alice']}")
            answered = asyncio.get_running_loop().time()
            await asyncio.wait_for(calls["alice"].ended.wait(), 2)
            took_s = calls["alice"].ended_s - answered
            left = {user: calls[user] for user in ("bob", "carol")}
            return took_s, await heard_by(left, since=answered + AT_ONCE_S), await platform.over(ids["alice"])

    took_s, heard, found = asyncio.run(scene())
    assert took_s < AT_ONCE_S
    assert heard == {"bob": {"carol"}, "carol": {"bob"}}
    assert (found["result"], found["reason"]) == ("ANSWERED", "MANAGERHANGUP")


def test_a_conference_callout_brings_two_phones_together(platform):
    def callout(user):
        destination = {"type": "username", "endpoint": user}
        body = {"destination": destination, "conferenceId": "lounge", "cli": NUMBER, "custom": user}
        return {"method": "conferenceCallout", "conferenceCallout": body}

    async def scene():
        async with (
            phone(platform, "alice", TONES["alice"]) as alice,
            phone(platform, "bob", TONES["bob"]) as bob,
        ):
            ids = [
                (await platform.ask("POST", "/calling/v1/callouts", callout(user)))["callId"]
                for user in ("alice", "bob")
            ]
            calls = {"alice": await alice.answered(), "bob": await bob.answered()}
            heard = await heard_by(calls, since=asyncio.get_running_loop().time() + SETTLED_S)
            members = {each["id"] for each in (await platform.ask("GET", ROOM))["participants"]}
            await platform.ask("DELETE", ROOM)
            return ids, members, heard, [await platform.over(call) for call in ids]

    ids, members, heard, found = asyncio.run(scene())
    assert members == set(ids)
    assert heard == {"alice": {"bob"}, "bob": {"alice"}}
    assert [(each["custom"], each["reason"]) for each in found] == [
        ("alice", "MANAGERHANGUP"),
        ("bob", "MANAGERHANGUP"),
    ]


def test_a_conference_callout_brings_two_phones_of_the_carrier_together(platform):
    numbers = ["+46700000001", "+46700000002"]

    def callout(number):
        destination = {"type": "number", "endpoint": number}
        body = {"destination": destination, "conferenceId": "lounge", "cli": NUMBER, "enableDice": True}
        return {"method": "conferenceCallout", "conferenceCallout": body}

    async def scene():
        async with Steering(platform) as application:
            asked = [
                await platform.ask("POST", "/calling/v1/callouts", callout(number)) for number in numbers
            ]
            ids = [each["callId"] for each in asked]
            async with asyncio.timeout(5):
                while sorted(await in_the_room(platform)) != sorted(ids):  # noqa: ASYNC110 - it tells nobody
                    await asyncio.sleep(0.05)
            await platform.ask("DELETE", ROOM)
            return [await application.told("dice", callid=call) for call in ids], application.events

    with platform.carrier(ANSWERS, n_calls=2) as carrier:
        dices, events = asyncio.run(scene())
        carrier.wait()

    assert [(each["result"], each["reason"]) for each in dices] == [("ANSWERED", "MANAGERHANGUP")] * 2
    assert [each["to"]["endpoint"] for each in dices] == [number.removeprefix("+") for number in numbers]
    assert events == ["dice", "dice"]
    assert carrier.counted() == (2, 0), carrier.complaint()


def test_three_phones_dial_one_owned_number_into_one_room(platform):
    async def scene():
        async with Steering(platform) as application, AsyncExitStack() as stack:
            application.says("ice", {"action": {"name": "connectConf", "conferenceId": "lounge"}})
            lines = [await stack.enter_async_context(phone(platform, user, hz)) for user, hz in TONES.items()]
            calls = {user: await line.talk(NUMBER) for user, line in zip(TONES, lines, strict=True)}
            heard = await heard_by(calls, since=asyncio.get_running_loop().time() + SETTLED_S)
            await platform.ask("DELETE", ROOM)
            for call in calls.values():
                await asyncio.wait_for(call.ended.wait(), 2)
            return heard, await application.told("ice")

    heard, ice = asyncio.run(scene())
    assert heard == EVERYBODY
    assert ice["to"] == {"type": "did", "endpoint": NUMBER}
