"""`tandem serve --trace`: what a capture shows of calls that really were, whoever was killed meanwhile."""

import os
import shutil
import signal
import subprocess
import time
from itertools import pairwise
from pathlib import Path

import pytest

from gateway.observe.trace.ladder import rungs_of
from gateway.observe.trace.pcap import read_pcap
from gateway.testing.processes import Serving
from gateway.testing.rtp_peer import parse_rtp_untrusted


def traced(directory, *, workers=1, more=""):
    """Return a switch that captures into `call.pcap`, and that file."""
    settings = f'[trace]\npcap = "{directory / "call.pcap"}"\n{more}'
    switch = Serving(directory / "switch", settings=settings, media_settings=f"workers = {workers}\n")
    return switch, directory / "call.pcap"


def media_of(path):
    return [message for message in read_pcap(path) if message.data[:1] >= b"\x80"]


def wait_for_media(path, within_s=20.0):
    deadline = time.monotonic() + within_s
    while not media_of(path):
        assert time.monotonic() < deadline, f"no media in {path}"


def is_rtcp(message):
    return 192 <= message.data[1] <= 223


def test_a_capture_has_the_messages_and_each_packet_both_ways_in_order(tmp_path):
    serving, path = traced(tmp_path)
    with serving as switch:
        report = switch.call("echo", "--duration", "1.5").report

    everything = list(read_pcap(path))
    assert all(earlier.at <= later.at for earlier, later in pairwise(everything))
    assert {rung.text.split()[0] for rung in rungs_of(everything)} >= {"INVITE", "200", "ACK", "BYE"}

    audio = [message for message in media_of(path) if not is_rtcp(message)]
    ours = [message for message in audio if message.source[1] in switch.media_ports]
    theirs = [message for message in audio if message.destination[1] in switch.media_ports]
    assert len(theirs) == report["packets_sent"]
    assert 0 <= len(ours) - report["packets_received"] <= 3  # the last ones meet its BYE
    assert {message.source for message in ours} == {message.destination for message in theirs}
    (ended,) = switch.events("capture.ended")
    assert (ended["lost"], ended["packets"]) == (0, len(media_of(path)))


def test_a_capture_shows_encrypted_media_as_it_was_on_the_wire(tmp_path):
    serving, path = traced(tmp_path)
    with serving as switch:
        switch.call("echo", "--duration", "1", "--srtp")

    audio = [message.data for message in media_of(path) if not is_rtcp(message)]
    assert audio
    assert {len(data) for data in audio} == {12 + 160 + 10}  # the tag of AES_CM_128_HMAC_SHA1_80


def test_a_capture_of_a_media_process_that_was_killed_is_whole_and_goes_on(tmp_path):
    serving, path = traced(tmp_path)
    with serving as switch, switch.calling("echo") as phone:
        switch.wait_for("call.answered")
        wait_for_media(path)
        os.kill(switch.child("media"), signal.SIGKILL)
        kept = switch.wait_for("capture.ended")["packets"]
        assert 0 < kept <= len(media_of(path))
        phone.outcome()

    assert kept < len(media_of(path))
    for message in media_of(path):
        if not is_rtcp(message):
            parse_rtp_untrusted(message.data)


def test_a_disk_that_stands_still_holds_nobody_up(tmp_path):
    """Whoever writes the capture is stopped for a whole call; what was on the wire is in the file nevertheless."""
    serving, path = traced(tmp_path)
    with serving as switch:
        media = switch.child("media")
        (drain,) = Path(f"/proc/{media}/task/{media}/children").read_text().split()
        os.kill(int(drain), signal.SIGSTOP)
        report = switch.call("echo", "--duration", "1").report
        assert media_of(path) == []
        os.kill(int(drain), signal.SIGCONT)

    assert report["packets_received"] >= 45
    assert report["packets_lost"] == 0
    assert len([message for message in media_of(path) if not is_rtcp(message)]) >= 2 * 45


def test_without_media_a_capture_has_the_messages_alone(tmp_path):
    serving, path = traced(tmp_path, more="media = false\n")
    with serving as switch:
        switch.call("echo", "--duration", "0.5")
    assert media_of(path) == []
    assert rungs_of(read_pcap(path))


@pytest.mark.interop
def test_tshark_finds_the_call_and_its_streams_without_being_told(tmp_path):
    assert shutil.which("tshark"), ".ci/install installs tshark"
    serving, path = traced(tmp_path, workers=2)
    with serving as switch:
        report = switch.call("echo", "--duration", "2").report

    def shown(*options):
        return subprocess.run(
            ["tshark", "-r", path, "-q", *options], capture_output=True, text=True, check=True
        ).stdout

    streams = [line.split() for line in shown("-z", "rtp,streams").splitlines() if "127.0.0.1" in line]
    lengths = sorted(int(stream[8]) for stream in streams)
    assert (len(lengths), min(lengths) >= report["packets_received"]) == (2, True)
    assert {stream[7] for stream in streams} == {"g711U"}
    assert "1 calls" in shown("-z", "sip,stat") or "INVITE" in shown("-z", "sip,stat")
