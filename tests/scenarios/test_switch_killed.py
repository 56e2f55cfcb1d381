"""The switch process is killed with calls up: their audio never stops, and soon they are managed, ended and billed."""

import asyncio
import os
import signal
import time
from collections import Counter, defaultdict
from contextlib import ExitStack

import pytest

from gateway.sip.events import SessionAnswered
from gateway.testing.media_workers import audio_of
from gateway.testing.phone import port_in
from gateway.testing.platform import PASSWORD, Platform, Refused, Steering
from gateway.testing.wire_phone import HOST, longest_silence_ms, speaking, wire_phone

CALLS = 40
SPOKEN = 4
"""Calls in which somebody speaks all the time."""
TO_BOB = {"action": {"name": "connectMxp", "destination": {"type": "username", "endpoint": "bob"}}}
HANG_UP = {"action": {"name": "hangup"}}


async def put_through(alice, bob):
    """Return both ends of a call and the port at which alice speaks to the switch."""
    calling = await alice.phone.call("bob")
    ringing = await bob.phone.rung()
    await ringing.answer()
    answered = await calling.expect(SessionAnswered)
    return calling, ringing, port_in(answered.sdp)


async def known_again(platform, calls):
    """Return when every call that can be is ongoing by GetCall, and obeys an order without consequence."""
    while True:
        try:
            found = await asyncio.gather(*(platform.look_up(call) for call in calls))
            await asyncio.gather(*(obeys(platform, call) for call in calls))
            return [each["status"] for each in found]
        except (OSError, Refused):
            await asyncio.sleep(0.05)


async def obeys(platform, call):
    await platform.ask("PATCH", f"/calling/v1/calls/id/{call}", {"action": {"name": "continue"}})


async def killed_and_taken_up(platform):
    async with (
        Steering(platform) as application,
        wire_phone("alice", platform, password=PASSWORD) as alice,
        wire_phone("bob", platform, password=PASSWORD) as bob,
    ):
        await bob.phone.register()
        application.says("ice", TO_BOB)
        application.says("ace", {"action": {"name": "continue"}})
        began = time.monotonic()
        ends = [await put_through(alice, bob) for _ in range(CALLS)]
        calls = [body["callid"] for body in application.heard("ice")]
        with ExitStack() as speech:
            for _, _, port in ends[:SPOKEN]:
                speech.enter_context(speaking(alice.ear, (HOST, port)))
            await bob.hears(100)
            killed = time.monotonic()
            os.kill(platform.child("switch"), signal.SIGKILL)
            statuses = await known_again(platform, calls)
            took_s = time.monotonic() - killed
            await bob.hears(100)
        for nth, (calling, ringing, _) in enumerate(ends):
            (calling, ringing)[nth % 2].hang_up() if nth % 3 else None
        for call in calls:
            if (await platform.look_up(call))["status"] == "ONGOING":
                await platform.ask("PATCH", f"/calling/v1/calls/id/{call}", HANG_UP)
        for calling, ringing, _ in ends:
            await asyncio.gather(calling.ended(), ringing.ended())
        told = [await application.told("dice", callid=call) for call in calls]
        lasted_s = time.monotonic() - began
        counted = Counter(body["callid"] for body in application.heard("dice"))
        records = {call: await platform.records("app-app", call) for call in calls}
        return statuses, took_s, bob.ear.heard(), told, lasted_s, counted, records


@pytest.mark.slow
def test_promise_14_calls_are_heard_taken_up_managed_and_billed_when_the_switch_is_killed(tmp_path):
    with Platform(tmp_path) as platform:
        statuses, took_s, heard, told, lasted_s, counted, records = asyncio.run(killed_and_taken_up(platform))
        (inherited,) = platform.events("calls.inherited")

    assert statuses.count("ONGOING") >= 0.99 * CALLS
    assert took_s < 5
    assert (inherited["calls"], inherited["ended"]) == (CALLS, 0)
    streams = defaultdict(list)
    for each in audio_of(heard):
        streams[each.source].append(each)
    assert len(streams) == SPOKEN
    assert all(longest_silence_ms(stream) < 200 for stream in streams.values())
    assert {dice["result"] for dice in told} == {"ANSWERED"}
    assert {dice["reason"] for dice in told} == {"CALLERHANGUP", "CALLEEHANGUP", "MANAGERHANGUP"}
    assert set(counted.values()) == {1}
    assert all(took_s - 1 <= dice["duration"] <= lasted_s for dice in told)
    assert all(len(each) == 1 for each in records.values())
