"""A process is killed during a call, and an ear that shares nothing with the switch hears the audio go on."""

import asyncio
import contextlib
import os
import signal
from itertools import pairwise

import pytest

from gateway.testing.processes import processes_of
from gateway.testing.wire_phone import longest_silence_ms, wire_phone


async def heard_around(phone, deed, *, n_after=100):
    """Return what a phone heard before and after a deed, and until `n_after` packets more have come."""
    await phone.hears(25)
    deed()
    await phone.hears(n_after)
    return phone.ear.heard()


def assert_one_stream(heard):
    """See that a phone would take all of it for one stream: source, SSRC, rising sequence, rising time (RFC 3550)."""
    assert len({each.source for each in heard}) == 1
    assert len({each.packet.ssrc for each in heard}) == 1
    for earlier, later in pairwise(each.packet for each in heard):
        assert 0 < (later.sequence - earlier.sequence) & 0xFFFF < 0x8000
        assert 0 < (later.timestamp - earlier.timestamp) & 0xFFFFFFFF < 0x80000000


@pytest.mark.parametrize("destination", ["tone", "echo"], ids=["tick", "relay"])
def test_audio_is_back_within_a_second_when_the_media_process_is_killed(serve, destination):
    switch = serve()

    async def scenario():
        async with wire_phone("alice", switch) as alice:
            call = await alice.dial(destination)
            with alice.talking():
                heard = await heard_around(alice, lambda: os.kill(switch.child("media"), signal.SIGKILL))
            call.hang_up()
            await call.ended()
            return heard

    heard = asyncio.run(scenario())

    assert longest_silence_ms(heard) < 1000
    assert_one_stream(heard)
    assert len(switch.events("child.started", child="media")) == 2
    assert len(switch.events("child.started", child="switch")) == 1


def test_audio_never_stops_when_the_switch_is_killed_and_new_calls_are_taken_soon(serve):
    switch = serve()

    async def scenario():
        async with wire_phone("alice", switch) as alice:
            await alice.dial("echo")
            with alice.talking():
                heard = await heard_around(alice, lambda: os.kill(switch.child("switch"), signal.SIGKILL))
                await asyncio.to_thread(switch.wait_for, "child.ready", child="switch", count=2)
                await alice.hears(50)
            return heard, alice.ear.heard()

    heard, all_heard = asyncio.run(scenario())

    assert longest_silence_ms(all_heard) < 100
    assert_one_stream(all_heard)
    assert len(heard) < len(all_heard)
    assert switch.call("echo", "--duration", "0.5").report["outcome"] == "answered"


@pytest.mark.slow
def test_a_call_that_no_new_switch_takes_up_is_freed_after_a_minute(serve):
    switch = serve()
    before = switch.descriptors()["media"]

    async def scenario():
        async with wire_phone("alice", switch) as alice:
            await alice.dial("tone")
            os.kill(switch.child("switch"), signal.SIGKILL)
            with contextlib.suppress(TimeoutError):
                while True:
                    await alice.hears(1, within_s=2)
            return alice.ear.heard()

    heard = asyncio.run(scenario())

    assert 58 < heard[-1].at - heard[0].at < 65
    assert switch.descriptors()["media"] == before


def test_killing_the_supervisor_takes_everybody_along(serve):
    switch = serve()

    os.kill(switch.pid, signal.SIGKILL)

    switch.wait()  # the end of its output: the last process that shared it has ended
    assert processes_of(switch.temporary) == []
