"""`tandem trace` over files that a switch has left."""

import json

from typer.testing import CliRunner

from gateway.cli import application
from gateway.observe.trace import Traced
from gateway.observe.trace.ring import trace_ring

INVITE = (
    b"INVITE sip:bob@192.0.2.2 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bK1\r\n"
    b"From: <sip:a@192.0.2.1>;tag=1\r\nTo: <sip:bob@192.0.2.2>\r\nCall-ID: x1\r\n"
    b"CSeq: 7 INVITE\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
)


def run(*arguments):
    return CliRunner().invoke(application(["trace"]), ["trace", *map(str, arguments)])


def kept(folder):
    ring = trace_ring(folder, 10_000)
    ring.write(Traced(1000.0, ("192.0.2.1", 5070), ("192.0.2.2", 5060), "udp", INVITE))
    ring.flush()


def test_calls_are_listed_and_one_is_drawn(tmp_path):
    kept(tmp_path)
    assert "x1" in run("--data", tmp_path).stdout
    assert "-- INVITE bob (7)" in run("x1", "--data", tmp_path).stdout
    assert json.loads(run("x1", "--data", tmp_path, "--json").stdout)[0]["message"] == "INVITE bob (7)"


def test_a_call_that_nobody_made_and_a_folder_without_traces_are_said(tmp_path):
    assert "nothing was traced here yet" in run("--data", tmp_path).stderr
    kept(tmp_path)
    unknown = run("y", "--data", tmp_path)
    assert (unknown.exit_code, "no message of a call y" in unknown.stderr) == (1, True)
