"""What the README tells a reader to type about applications, typed: the blocks of its section, to the letter."""

import json
import os
import re
import signal
import sys
from pathlib import Path

import pytest

from gateway.testing.processes import Command

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.interop

SECTION = "An application"
SIP, HTTP = "127.0.0.1:5060", "127.0.0.1:8080"
"""Where `make run` listens, which the test puts its own switch in place of."""


def blocks():
    """Return the fenced blocks of the section, in order."""
    text = (ROOT / "README.md").read_text()
    section = text.split(f"## {SECTION}\n", 1)[1].split("\n## ", 1)[0]
    return re.findall(r"^```\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)


class Terminal(Command):
    """A shell in which a block is typed; leaving the `with` ends all that it has begun."""

    def __init__(self, block, switch, directory):
        for usual, ours in ((SIP, switch.address), (HTTP, f"127.0.0.1:{switch.http_port}")):
            block = block.replace(usual, ours)
        environment = {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "TANDEM_DATA": str(switch.data),
            "TANDEM_CONFIG": str(switch.config),
        }
        typed = f"set -eu -o pipefail\n{block}"
        super().__init__(("setsid", "bash", "-c", typed), environment=environment, directory=directory)

    def __exit__(self, *raised):
        if self.process.poll() is None:
            os.killpg(self.pid, signal.SIGTERM)
            self.wait()
        super().__exit__(*raised)


def documents(printed):
    """Return the JSON documents in what a terminal shows; the API writes each without a line's end."""
    decoder, found = json.JSONDecoder(), []
    while (start := printed.find("{")) >= 0:
        document, length = decoder.raw_decode(printed[start:])
        found.append(document)
        printed = printed[start + length :]
    return found


def test_the_readme_walks_from_app_to_phone_to_a_conference_and_to_speech(serve, tmp_path):
    setting, calls = blocks()
    directory = tmp_path / "typed"
    directory.mkdir()
    switch = serve(speech=True)
    switch.wait_for("speech.ready")
    with Terminal(setting, switch, directory) as second:
        switch.wait_for("user.registered", user="alice")
        switch.wait_for("user.registered", user="bob")
        second.wait_for_line("listening at")
        with Terminal(calls, switch, directory) as third:
            outcome = third.outcome(within_s=60.0)
        assert outcome.status == 0, outcome.complaints
        told = second.printed()

    assert re.findall(r"[0-9] +(ICE|ACE|DICE) ", told) == ["ICE", "ACE", "DICE", "ICE", "DICE"]
    assert told.count("signature right") == 5
    assert outcome.printed.count("Call with ") == 2
    callout, room, speech, look_up = documents(outcome.printed)
    assert set(callout) == set(speech) == {"callId"}
    assert (
        switch.wait_for("call.ended", call=speech["callId"])["lasted_s"] > 1.5
    )  # it takes two seconds to say
    assert sorted((each["cli"], each["muted"]) for each in room["participants"]) == [
        ("alice", False),
        ("bob", True),
    ]
    assert (look_up["result"], look_up["reason"]) == ("ANSWERED", "MANAGERHANGUP")
    assert f"\n{look_up['callId']}," in outcome.printed
