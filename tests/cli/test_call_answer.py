"""`tandem call` and `tandem answer` as two processes, as a person runs them."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from gateway.lab import measures
from gateway.lab.samples import read_wav, speech


def command(name: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "gateway", name, *arguments]


@contextmanager
def answering(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run `tandem answer` on a free port; gives the process and its address once it is ready."""
    process = subprocess.Popen(
        command("answer", "--listen", "127.0.0.1:0", *arguments),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            assert process.stderr is not None
            yield process, process.stderr.readline().split()[-1]
        finally:
            process.kill()


def test_a_call_to_an_echo_reports_both_ends_and_records(tmp_path: Path) -> None:
    record = tmp_path / "heard.wav"
    with answering("--echo", "--calls", "1", "--json") as (process, where):
        call = subprocess.run(
            command("call", where, "--duration", "2.5", "--dtmf", "12#", "--record", str(record), "--json"),
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
        answered, _ = process.communicate(timeout=10)

    report, (taken,) = json.loads(call.stdout), json.loads(answered)["calls"]
    assert (call.returncode, process.returncode) == (0, 0)
    assert call.stderr == ""
    assert report["correlation"] > 0.98
    assert report["gaps"] == []
    assert taken["digits_heard"] == "12#"
    assert measures.correlation(read_wav(record)[-8000:], speech()) > 0.5


def test_ctrl_c_on_the_answering_phone_ends_the_call_for_both() -> None:
    with answering("--tone", "440") as (process, where):
        call = subprocess.Popen(command("call", where, "--duration", "10", "--json"), stdout=subprocess.PIPE)
        with call:
            assert process.stderr is not None
            assert process.stderr.readline() == "call from sip:tandem@127.0.0.1\n"
            process.send_signal(signal.SIGINT)
            heard, _ = call.communicate(timeout=10)

    report = json.loads(heard)
    assert (report["answered"], report["ended_by"]) == (True, "remote")


@pytest.mark.parametrize("name", ["call", "answer"])
def test_help_names_every_option(name: str) -> None:
    text = subprocess.run(command(name, "--help"), capture_output=True, text=True, check=True).stdout

    for option in ("--wav", "--mic", "--record", "--codec", "--user", "--password", "--json"):
        assert option in text
