"""A process is killed during a call, and an ear that shares nothing with the switch hears the audio go on."""

import asyncio
import os
import signal
import tempfile
import time
from collections import defaultdict
from datetime import datetime
from pathlib import Path

import pytest

from gateway.testing.media_workers import assert_one_stream, audio_of
from gateway.testing.ports import FIRST_PORT
from gateway.testing.processes import TANDEM, Command, Serving, processes_of
from gateway.testing.wire_phone import longest_silence_ms, wire_phone


async def heard_around(phone, deed, *, n_after=100):
    """Return what a phone heard before and after a deed, and until `n_after` packets more have come."""
    await phone.hears(25)
    deed()
    await phone.hears(n_after)
    return phone.ear.heard()


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


CALLS = 200


def streams_of(heard):
    """Return what was heard by the port that it came from."""
    streams = defaultdict(list)
    for each in audio_of(heard):
        streams[each.source].append(each)
    return streams


def seconds_after(killed_at, event):
    return datetime.fromisoformat(event["time"]).timestamp() - killed_at


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_two_hundred_calls_go_on_when_a_media_process_is_killed(serve, workers):
    switch = serve(
        media_ports=range(FIRST_PORT, FIRST_PORT + 4 * CALLS + 4), media_settings=f"workers = {workers}"
    )
    name = "media" if workers == 1 else "media-1"

    async def scenario():
        async with wire_phone("alice", switch) as alice:
            calls = [await alice.dial("tone") for _ in range(CALLS)]
            await alice.hears(CALLS * 50)
            killed_at = time.time()
            os.kill(switch.child(name), signal.SIGKILL)
            await asyncio.to_thread(switch.wait_for, "child.ready", child=name, count=2)
            await alice.hears(CALLS * 150, within_s=20)
            for call in calls:
                call.hang_up()
                await call.ended()
            return killed_at, alice.ear.heard()

    killed_at, heard = asyncio.run(scenario())

    assert seconds_after(killed_at, switch.events("child.died", child=name)[0]) < 0.2
    assert seconds_after(killed_at, switch.events("child.ready", child=name)[1]) < 2.0
    streams = streams_of(heard)
    assert len(streams) == CALLS
    end = max(each.at for each in heard)
    on = [one for one in streams.values() if longest_silence_ms(one) < 3000 and one[-1].at > end - 3]
    assert len(on) >= 0.99 * CALLS
    for one in on:
        assert_one_stream(one)
    switch.wait_for("call.ended", count=CALLS)


def test_a_call_that_the_next_switch_has_taken_up_leaves_nothing_behind(serve):
    switch = serve()
    before = switch.descriptors()["media"]

    async def scenario():
        async with wire_phone("alice", switch) as alice:
            call = await alice.dial("tone")
            await alice.hears(10)
            os.kill(switch.child("switch"), signal.SIGKILL)
            await asyncio.to_thread(switch.wait_for, "call.resumed")
            call.hang_up()
            await call.ended()

    asyncio.run(scenario())

    switch.wait_for("call.ended")
    assert switch.descriptors()["media"] == before


def test_killing_the_supervisor_takes_everybody_along(serve):
    switch = serve()

    os.kill(switch.pid, signal.SIGKILL)

    switch.wait()  # the end of its output: the last process that shared it has ended
    assert processes_of(switch.temporary) == []


def test_the_next_switch_tidies_up_after_one_that_was_killed():
    with tempfile.TemporaryDirectory(prefix="t") as short:  # the path of a socket has 100 bytes
        with Serving(Path(short) / "switch") as switch:
            os.kill(switch.pid, signal.SIGKILL)
            switch.wait()
        (left,) = switch.temporary.glob("tandem-*")

        arguments = ("serve", "--config", str(switch.config), "--data", str(switch.data))
        with Command((*TANDEM, *arguments), environment={"TMPDIR": str(switch.temporary)}) as following:
            following.wait_for("supervisor.ready")
            assert not left.exists()
            following.tell(signal.SIGINT)
            assert following.wait() == 0


def test_a_second_switch_with_the_same_data_is_refused_with_the_cure(serve, tmp_path):
    switch = serve()
    elsewhere = tmp_path / "elsewhere.toml"
    first = switch.ports[-4]
    elsewhere.write_text(
        f'[sip]\nlisten = ["udp:127.0.0.1:{first}"]\n[http]\nlisten = "127.0.0.1:{first + 1}"\n'
    )

    with Command((*TANDEM, "serve", "--config", str(elsewhere), "--data", str(switch.data))) as second:
        outcome = second.outcome()

    assert outcome.status == 1
    assert f"process {switch.pid}" in outcome.complaints
    assert "--data DIR" in outcome.complaints
