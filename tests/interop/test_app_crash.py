"""The switch is killed while a callout is under way: what its client was told stays true."""

import asyncio
import os
import signal

import pytest

from gateway.testing.platform import NUMBER, Platform, Steering

pytestmark = [pytest.mark.interop, pytest.mark.alone]

RINGS = "+46000000000"
"""A test number that rings for seven seconds."""
CALLOUT = {
    "method": "conferenceCallout",
    "conferenceCallout": {
        "destination": {"type": "number", "endpoint": RINGS},
        "conferenceId": "lounge",
        "cli": NUMBER,
        "custom": "through a crash",
        "enableDice": True,
    },
}


async def crash(platform):
    """Kill the switch as soon as a callout has its id; return what is known of the call once it is back."""
    async with Steering(platform) as application:
        call = (await platform.ask("POST", "/calling/v1/callouts", CALLOUT))["callId"]
        os.kill(platform.child("switch"), signal.SIGKILL)
        await asyncio.to_thread(platform.wait_for, "switch.ready", count=2)
        dice = await application.told("dice", callid=call)
        return call, await platform.look_up(call), await platform.records("phone-terminated", call), dice


def test_a_callout_that_has_its_id_is_answered_for_recorded_once_and_told_after_a_kill(tmp_path):
    with Platform(tmp_path) as platform:
        call, found, records, dice = asyncio.run(crash(platform))

    assert (found["callId"], found["status"], found["custom"]) == (call, "FINAL", "through a crash")
    assert (found["result"], found["reason"]) == (dice["result"], dice["reason"])
    assert [(record["Result"], record["Reason"]) for record in records] == [(dice["result"], dice["reason"])]
