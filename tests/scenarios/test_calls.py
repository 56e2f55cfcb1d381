"""Calls as people make them: the commands, real sockets, and the audio that came out at the other end."""

import contextlib
import json
import os
import shlex
import subprocess
from itertools import pairwise

import numpy as np
import pytest

from gateway.testing.audio import (
    align,
    correlation,
    gaps,
    level_dbov,
    read_wav,
    speech,
    tone_level,
    window_correlations,
    write_wav,
)

KEYS = "0123456789*#"
SPEECH = speech()


def resemblance(heard, said):
    """Return correlation and gaps of a recording, from its first sound on, against what was said over and over."""
    heard = heard[np.flatnonzero(np.abs(heard) > 100)[0] :]
    endless = np.tile(said, 2 + len(heard) // len(said))
    delay = align(heard, endless, max_delay=len(said))
    covered = endless[max(0, -delay) :][: len(heard) - max(0, delay)]
    heard = heard[max(0, delay) :]
    return correlation(heard, covered, 0), gaps(heard, covered, delay=0)


def window_likeness(heard, said):
    """Return how like the windows are: other processes share the machine, and what is late moves the playout."""
    heard = heard[np.flatnonzero(np.abs(heard) > 100)[0] :]
    return window_correlations(heard, np.tile(said, 2)[: len(heard)])


def talk_with_each_other(switch, directory):
    """Let alice (PCMU) call bob (PCMA); return what each heard beside what the other said, and both reports."""
    said = {"alice": SPEECH[:16000], "bob": SPEECH[16000:32000][::-1]}
    for name, pcm in said.items():
        write_wav(directory / f"{name}.wav", pcm)

    def options(name, codec):
        wav, record = directory / f"{name}.wav", directory / f"{name}-heard.wav"
        return ("--wav", str(wav), "--record", str(record), "--codec", codec)

    with switch.answering("bob", *options("bob", "PCMA"), "--calls", "1") as bob:
        made = switch.call("bob", *options("alice", "PCMU"), "--duration", "2.5")
        (taken,) = bob.report()["calls"]
    heard = {name: read_wav(directory / f"{name}-heard.wav") for name in said}
    return (heard["bob"], said["alice"]), (heard["alice"], said["bob"]), made.report, taken


def test_the_line_that_serve_prints_calls_the_echo_from_any_shell(switch, tmp_path):
    line = next(line for line in switch.printed().splitlines() if " call sip:echo@" in line)

    told = subprocess.run(
        ["sh", "-c", f"{line} --json"],
        capture_output=True,
        cwd="/",
        env={"HOME": str(tmp_path), "PATH": "/bin"},
        text=True,
        timeout=30,
        check=True,
    )

    heard = json.loads(told.stdout)
    assert os.path.isabs(shlex.split(line)[0])
    assert heard["outcome"] == "answered"
    assert heard["correlation"] > 0.98
    assert heard["gaps"] == []
    assert heard["packets_lost"] == 0
    assert heard["mos"] > 4.3


def test_two_phones_of_different_codecs_hear_each_other_over_the_relay(switch, tmp_path):
    bob_heard, alice_heard, made, taken = talk_with_each_other(switch, tmp_path)

    assert (made["codec"], taken["codec"]) == ("pcmu", "pcma")
    for heard, said in (bob_heard, alice_heard):
        likeness, holes = resemblance(heard, said)
        assert likeness > 0.98
        assert holes == []
    modes = {event["mode"] for event in switch.events("leg.ended", call=last_call(switch))}
    assert modes == {"relay"}


def test_two_phones_hear_each_other_when_everything_goes_through_the_tick(serve, tmp_path):
    switch = serve(media_settings="force_tick = true")

    bob_heard, alice_heard, *_ = talk_with_each_other(switch, tmp_path)

    for heard, said in (bob_heard, alice_heard):
        assert np.median(window_likeness(heard, said)) > 0.98
    assert {event["mode"] for event in switch.events("leg.ended")} == {"tick"}


def test_the_portable_path_carries_a_call(serve, tmp_path):
    switch = serve(environment={"TANDEM_PORTABLE": "1"})

    bob_heard, alice_heard, *_ = talk_with_each_other(switch, tmp_path)

    for heard, said in (bob_heard, alice_heard):
        assert resemblance(heard, said)[0] > 0.98


@pytest.mark.parametrize(
    ("destination", "hertz", "above", "below"),
    [("tone", 440, -25, 0), ("music", 262, -90, 0), ("silence", 440, -128, -60)],
)
def test_the_built_in_destinations_sound_as_they_are_called(
    switch, tmp_path, destination, hertz, above, below
):
    record = tmp_path / "heard.wav"

    outcome = switch.call(destination, "--duration", "1.5", "--record", str(record))

    assert outcome.status == 0
    assert outcome.report["packets_received"] >= 60
    heard = read_wav(record)
    assert above <= tone_level(heard, hertz) <= below
    assert (level_dbov(heard) > -40) == (destination != "silence")


def test_every_key_is_heard_once_by_the_other_phone_and_once_in_the_log(switch):
    with switch.answering("bob", "--calls", "1") as bob:
        switch.call("bob", "--dtmf", KEYS, "--duration", "4.5")
        (taken,) = bob.report()["calls"]

    told = switch.events("dtmf.heard", call=last_call(switch))
    assert taken["digits_heard"] == KEYS
    assert "".join(event["digit"] for event in told) == KEYS
    assert all(earlier["time"] < later["time"] for earlier, later in pairwise(told))
    assert {event["leg"] for event in told} == {told[0]["leg"]}


def test_a_call_over_tcp_is_heard_like_any_other(switch):
    report = switch.call("echo", "--transport", "tcp", "--duration", "1").report

    assert (report["outcome"], report["packets_lost"]) == ("answered", 0)


def test_two_calls_at_once_do_not_hear_each_other(switch, tmp_path):
    record = tmp_path / "heard.wav"
    with contextlib.ExitStack() as calls:
        music = calls.enter_context(switch.calling("music", "--duration", "2"))
        tone = switch.call("tone", "--duration", "1", "--record", str(record), caller="bob")

        assert music.report()["packets_lost"] == 0
    heard = read_wav(record)
    assert tone.status == 0
    assert tone_level(heard, 440) - level_dbov(heard) > -0.5


def last_call(switch):
    return switch.wait_for("call.ended", count=len(switch.events("call.offered")))["call"]
