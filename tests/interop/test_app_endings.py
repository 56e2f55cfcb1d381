"""How calls end: result and reason are the same in DiCE, in GetCall and in the call's one detail record."""

import asyncio
import contextlib
from pathlib import Path

import pytest

from gateway.lab.phone.phone import CallFailed
from gateway.testing.platform import Steering, phone

pytestmark = pytest.mark.interop

SCENARIOS = Path(__file__).parent / "application"
CALLEE = "+46700000001"
DENIED = "+46000000030"
"""A test number that refuses at once."""
CONNECT = {"name": "connectPstn", "number": CALLEE}
HANGUP = {"action": {"name": "hangup"}}


async def nobody_does_anything(_platform, _application, _alice, call):
    await asyncio.wait_for(call.decided.wait(), 8)


async def caller_gives_up(_platform, _application, alice, call):
    while call.ringing_s is None:  # noqa: ASYNC110 - the phone has no event for it
        await asyncio.sleep(0.02)
    alice.hang_up(call)


async def caller_hangs_up(_platform, application, alice, call):
    await application.told("ace")
    await call.decided.wait()
    alice.hang_up(call)


async def manager_hangs_up(platform, application, _alice, call):
    await call.decided.wait()
    await platform.ask("PATCH", (await application.told("ice"))["callResourceUrl"], HANGUP)


async def call_once(platform, action, what_happens):
    """Let alice call; return what DiCE, GetCall and the detail record say of the end."""
    async with Steering(platform) as application, phone(platform, "alice") as alice:
        application.says("ice", {"action": action})
        call = await alice.dial(CALLEE)
        await what_happens(platform, application, alice, call)
        await asyncio.wait_for(call.ended.wait(), 8)
        dice = await application.told("dice")
        found = await platform.look_up(dice["callid"])
        (record,) = await platform.records("phone-terminated", dice["callid"])
        assert application.events.count("dice") == 1
    ends = [(dice["result"], dice["reason"]), (found["result"], found["reason"])]
    return [*ends, (record["Result"], record["Reason"])], (dice.get("duration"), record["Duration"])


@pytest.mark.parametrize(
    ("carrier", "action", "what_happens", "result", "reason"),
    [
        pytest.param("busy", CONNECT, nobody_does_anything, "BUSY", "N/A", id="busy"),
        pytest.param(
            "rings",
            {**CONNECT, "dialTimeout": 1},
            nobody_does_anything,
            "NOANSWER",
            "TIMEOUT",
            id="dial timeout",
        ),
        pytest.param("rings", CONNECT, caller_gives_up, "NOANSWER", "CANCEL", id="cancel"),
        pytest.param("answers", CONNECT, caller_hangs_up, "ANSWERED", "CALLERHANGUP", id="caller hangs up"),
        pytest.param(
            "hangs_up", CONNECT, nobody_does_anything, "ANSWERED", "CALLEEHANGUP", id="callee hangs up"
        ),
        pytest.param(
            "answers",
            {**CONNECT, "maxDuration": 1},
            nobody_does_anything,
            "ANSWERED",
            "TIMEOUT",
            id="max duration",
        ),
        pytest.param("answers", CONNECT, manager_hangs_up, "ANSWERED", "MANAGERHANGUP", id="manager"),
        pytest.param(
            None, {**CONNECT, "number": DENIED}, nobody_does_anything, "FAILED", "BLOCKED", id="blocked"
        ),
    ],
)
def test_a_call_ends_as_documented_in_dice_get_call_and_record(
    platform, carrier, action, what_happens, result, reason
):
    with contextlib.ExitStack() as stack:
        sipp = stack.enter_context(platform.carrier(SCENARIOS / f"{carrier}.xml")) if carrier else None
        ends, (told, recorded) = asyncio.run(call_once(platform, action, what_happens))
        if sipp is not None:
            sipp.wait()
            assert sipp.counted() == (1, 0), sipp.complaint()

    assert ends == [(result, reason)] * 3
    assert told == (int(recorded) if result == "ANSWERED" else None)


async def nobody_registered(platform):
    async with Steering(platform) as application, phone(platform, "alice") as alice:
        application.says("ice", {"action": {"name": "connectMxp"}})
        with pytest.raises(CallFailed):
            await alice.talk("bob")
        dice = await application.told("dice")
        return dice, await platform.look_up(dice["callid"])


def test_a_user_without_a_phone_is_not_found(platform):
    dice, found = asyncio.run(nobody_registered(platform))

    assert (dice["result"], dice["reason"]) == ("FAILED", "USERNOTFOUND")
    assert (found["result"], found["reason"]) == ("FAILED", "USERNOTFOUND")
