"""Calls that an application steers: app to phone, phone to phone, and what they do when nobody steers them.

The carrier is SIPp, the application a server on a socket, the app's users are phones of the lab.
"""

import asyncio
from pathlib import Path

import pytest

from gateway.lab.phone.phone import CallFailed
from gateway.testing.audio import speech, write_wav
from gateway.testing.baresip import Baresip
from gateway.testing.platform import KEY, NUMBER, PASSWORD, Platform, Refused, Steering, phone
from gateway.testing.processes import free_block

pytestmark = [pytest.mark.interop, pytest.mark.alone]

SCENARIOS = Path(__file__).parent / "application"
ANSWERS, CALLS = SCENARIOS / "answers.xml", SCENARIOS / "calls.xml"
CALLEE = "+46700000001"
FREE = {"currencyId": "USD", "amount": 0.0}
CONTINUE = {"action": {"name": "continue"}}


def without(body, *names):
    """Return an event without what no test can know: the moment."""
    return {key: value for key, value in body.items() if key not in ("timestamp", *names)}


async def app_to_phone(platform):
    """Let alice call a number and hang up a second after the answer; return all that was told."""
    async with Steering(platform) as application, phone(platform, "alice") as alice:
        application.says("ice", {"action": {"name": "connectPstn", "number": CALLEE, "cli": NUMBER}})
        application.says("ace", CONTINUE)
        call = await alice.talk(CALLEE)
        await application.told("ace")
        await asyncio.sleep(1.1)  # it lasts a second, by whole seconds of the wire
        alice.hang_up(call)
        dice = await application.told("dice")
        assert application.events == ["ice", "ace", "dice"]
        return await application.told("ice"), await application.told("ace"), dice


def test_app_to_phone_tells_ice_ace_and_dice_in_order_and_right_in_every_field(platform):
    with platform.carrier(ANSWERS) as carrier:
        ice, ace, dice = asyncio.run(app_to_phone(platform))
        carrier.wait()

    call = ice["callid"]
    assert without(ice) == {
        "event": "ice",
        "callid": call,
        "callResourceUrl": f"http://127.0.0.1:{platform.http_port}/calling/v1/calls/id/{call}",
        "version": 1,
        "user": "alice",
        "userRate": FREE,
        "cli": "alice",
        "to": {"type": "number", "endpoint": CALLEE},
        "domain": "pstn",
        "applicationKey": KEY,
        "originationType": "MXP",
        "rdnis": "",
    }
    assert without(ace) == {
        "event": "ace",
        "callid": call,
        "version": 1,
        "user": "alice",
        "applicationKey": KEY,
    }
    assert without(dice) == {
        "event": "dice",
        "callid": call,
        "reason": "CALLERHANGUP",
        "result": "ANSWERED",
        "version": 1,
        "user": "alice",
        "debit": FREE,
        "userRate": FREE,
        "to": {"type": "number", "endpoint": CALLEE.removeprefix("+")},
        "applicationKey": KEY,
        "duration": 1,
        "from": "alice",
    }
    assert carrier.counted() == (1, 0), carrier.complaint()


async def baresip_calls(platform, device):
    async with Steering(platform) as application:
        application.says("ice", {"action": {"name": "connectPstn", "number": CALLEE}})
        application.says("ace", CONTINUE)
        await asyncio.to_thread(device.dial, f"sip:{CALLEE}@{platform.address}")
        await application.told("ace")
        await asyncio.to_thread(device.hang_up)
        return await application.told("dice"), application.events


def test_a_baresip_is_an_app_like_any_other(platform, tmp_path):
    write_wav(tmp_path / "says.wav", speech())
    device = Baresip(
        tmp_path / "bob",
        user="bob",
        password=PASSWORD,
        server=platform.address,
        ports=free_block(),
        codec="PCMU",
        says=tmp_path / "says.wav",
    )
    with platform.carrier(ANSWERS) as carrier, device:
        dice, events = asyncio.run(baresip_calls(platform, device))
        carrier.wait()

    assert events == ["ice", "ace", "dice"]
    assert (dice["user"], dice["result"], dice["reason"]) == ("bob", "ANSWERED", "CALLERHANGUP")
    assert carrier.counted() == (1, 0), carrier.complaint()


async def managed_by(platform):
    async with Steering(platform) as application, phone(platform, "alice") as alice:
        application.says("ice", {"action": {"name": "connectPstn", "number": CALLEE}})
        application.says("ace", CONTINUE)
        call = await alice.talk(CALLEE)
        url = (await application.told("ice"))["callResourceUrl"]
        shown = await platform.ask("GET", url)
        await platform.ask("PATCH", url, {"action": {"name": "hangup"}})
        await asyncio.wait_for(call.ended.wait(), 5)
        return shown, await application.told("dice")


def test_a_call_is_managed_by_the_url_that_its_ice_gave(platform):
    with platform.carrier(ANSWERS) as carrier:
        shown, dice = asyncio.run(managed_by(platform))
        carrier.wait()

    assert (shown["callId"], shown["status"]) == (dice["callid"], "ONGOING")
    assert dice["reason"] == "MANAGERHANGUP"


async def to_our_number(platform, action):
    """Let the carrier call our number; the call is hung up by its manager once somebody has answered."""
    async with Steering(platform) as application, phone(platform, "bob") as bob:
        application.says("ice", {"action": action})
        application.says("ace", CONTINUE)
        with platform.carrier(CALLS, "-s", NUMBER, calls=True) as carrier:
            ice = await application.told("ice")
            if action["name"] == "connectMxp":
                await bob.answered()
            else:
                await application.told("ace")
            await platform.ask("PATCH", ice["callResourceUrl"], {"action": {"name": "hangup"}})
            dice = await application.told("dice")
            await asyncio.to_thread(carrier.wait)
        assert carrier.counted() == (1, 0), carrier.complaint()
        return ice, dice, application.events


def test_a_phone_reaches_a_phone_through_our_number(platform):
    action = {"name": "connectPstn", "number": CALLEE, "cli": NUMBER}
    with platform.carrier(ANSWERS) as callee:
        ice, dice, events = asyncio.run(to_our_number(platform, action))
        callee.wait()

    assert events == ["ice", "ace", "dice"]
    assert ice["to"] == {"type": "did", "endpoint": NUMBER}
    assert (ice["cli"], ice["originationType"], ice["domain"]) == ("46700000042", "PSTN", "pstn")
    assert (dice["result"], dice["reason"]) == ("ANSWERED", "MANAGERHANGUP")
    assert dice["from"] == "46700000042"
    assert callee.counted() == (1, 0), callee.complaint()


def test_a_phone_reaches_a_user_through_our_number_and_no_ace_is_told(platform):
    action = {"name": "connectMxp", "destination": {"type": "username", "endpoint": "bob"}}
    _, dice, events = asyncio.run(to_our_number(platform, action))

    assert events == ["ice", "dice"]
    assert (dice["result"], dice["reason"]) == ("ANSWERED", "MANAGERHANGUP")


async def denied(platform):
    async with Steering(platform) as application, phone(platform, "alice") as alice:
        application.says("ice", {"action": {"name": "hangup"}})
        with pytest.raises(CallFailed):
            await alice.talk(CALLEE)
        return await application.told("dice")


def test_ice_denies_a_call(platform):
    dice = asyncio.run(denied(platform))

    assert (dice["result"], dice["reason"]) == ("FAILED", "MANAGERHANGUP")
    assert "duration" not in dice


# Nobody is asked.


async def unasked(platform, dialled, *, user="alice", answers=None):
    """Call somebody and hang up once it is answered; return the call's id and what GetCall says in the end."""
    async with (
        phone(platform, user, registers=user != KEY) as caller,
        phone(platform, answers or "carol") as callee,
    ):
        before = len(platform.events("call.answered"))
        call = await caller.talk(dialled)
        if answers is not None:
            await callee.answered()
        answered = await asyncio.to_thread(platform.wait_for, "call.answered", count=before + 1)
        caller.hang_up(call)
        return answered["call"], await platform.over(answered["call"])


def test_without_callbacks_app_to_phone_connects_as_dialled(platform):
    with platform.carrier(ANSWERS) as carrier:
        _, found = asyncio.run(unasked(platform, CALLEE))
        carrier.wait()

    assert (found["result"], found["reason"]) == ("ANSWERED", "CALLERHANGUP")
    assert found["to"] == {"type": "Number", "endpoint": CALLEE}
    assert carrier.counted() == (1, 0), carrier.complaint()


def test_without_callbacks_app_to_app_connects(platform):
    call, found = asyncio.run(unasked(platform, "bob", answers="bob"))

    assert (found["result"], found["to"]["endpoint"], found["domain"]) == ("ANSWERED", "bob", "mxp")
    assert len(asyncio.run(platform.records("app-app", call))) == 1


def test_without_callbacks_a_sip_server_that_shows_the_key_reaches_the_number_in_to(platform):
    with platform.carrier(ANSWERS) as carrier:
        _, found = asyncio.run(unasked(platform, CALLEE, user=KEY))
        carrier.wait()

    assert (found["result"], found["to"]["endpoint"]) == ("ANSWERED", CALLEE)
    assert carrier.counted() == (1, 0), carrier.complaint()


async def joins(platform, dialled):
    async with phone(platform, "alice") as alice:
        call = await alice.talk(dialled)
        members = (await platform.ask("GET", "/calling/v1/conferences/id/lounge"))["participants"]
        alice.hang_up(call)
        await platform.over(members[0]["id"])
        with pytest.raises(Refused) as gone:
            await platform.ask("GET", "/calling/v1/conferences/id/lounge")
        return members, gone.value.status


def test_without_callbacks_app_to_conference_joins_the_dialled_room(platform):
    members, afterwards = asyncio.run(joins(platform, "conf-lounge"))

    assert [set(member) for member in members] == [{"cli", "id", "duration", "muted", "onhold"}]
    assert members[0]["cli"] == "alice"
    assert afterwards == 404


async def renamed(platform):
    async with Steering(platform) as application:
        application.says("ice", {"action": {"name": "connectConf", "conferenceId": "lounge"}})
        return await joins(platform, "conf-kitchen")


def test_ice_renames_the_conference(platform):
    members, _ = asyncio.run(renamed(platform))

    assert [member["cli"] for member in members] == ["alice"]


async def forwarded(platform):
    async with phone(platform, "bob") as bob:
        with platform.carrier(CALLS, "-s", NUMBER, calls=True) as carrier:
            bob.hang_up(await bob.answered())
            await asyncio.to_thread(carrier.wait)
        return carrier.counted()


def test_without_callbacks_our_number_goes_where_it_is_forwarded_to(tmp_path):
    with Platform(tmp_path, forward="bob") as platform:
        assert asyncio.run(forwarded(platform)) == (1, 0)
