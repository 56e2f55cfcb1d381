"""Traces: what is written can be read again, by us and by tshark."""

import shutil
import socket
import struct
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import LocalError
from gateway.observe.trace import Traced, without_secrets
from gateway.observe.trace.file import CaptureFile
from gateway.observe.trace.hep import HepSender, hep_packet
from gateway.observe.trace.ladder import draw, rungs_of
from gateway.observe.trace.pcap import read_pcap
from gateway.observe.trace.ring import ring_files, trace_ring
from gateway.observe.trace.sink import CaptureSink

A, B, C = ("192.0.2.1", 5070), ("192.0.2.2", 5060), ("192.0.2.3", 5080)
UUID = "ab30317f1a784dc48ff824d0d3715d86"


def invite(call_id="x1", session=""):
    return (
        "INVITE sip:bob@192.0.2.2 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bK1\r\n"
        f"From: <sip:a@192.0.2.1>;tag=1\r\nTo: <sip:bob@192.0.2.2>\r\nCall-ID: {call_id}\r\n"
        f"CSeq: 7 INVITE\r\n{session}Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
    ).encode()


def ringing(call_id="x1"):
    return (
        "SIP/2.0 180 Ringing\r\nVia: SIP/2.0/UDP 192.0.2.1:5070;branch=z9hG4bK1\r\n"
        f"From: <sip:a@192.0.2.1>;tag=1\r\nTo: <sip:bob@192.0.2.2>;tag=2\r\nCall-ID: {call_id}\r\n"
        "CSeq: 7 INVITE\r\nContent-Length: 0\r\n\r\n"
    ).encode()


def traced(data, at=1000.0, source=A, destination=B):
    return Traced(at, source, destination, "udp", data)


def write(path, *messages):
    sink = CaptureSink(CaptureFile(path, 1_000_000), secrets=True)
    for message in messages:
        sink.write(message)
    sink.flush()


@given(
    data=st.binary(min_size=1, max_size=2000),
    at=st.integers(0, 2**32 - 1),
    ends=st.sampled_from([(A, B), (("2001:db8::1", 5060), ("2001:db8::2", 65535))]),
)
def test_a_capture_file_gives_back_what_was_written(tmp_path_factory, data, at, ends):
    path = tmp_path_factory.mktemp("pcap") / "t.pcap"
    message = Traced(float(at), *ends, "udp", data)
    write(path, message)
    assert list(read_pcap(path)) == [message]


def test_a_file_that_is_still_written_to_is_read_up_to_its_last_whole_record(tmp_path):
    path = tmp_path / "t.pcap"
    write(path, traced(invite()), traced(ringing()))
    path.write_bytes(path.read_bytes()[:-10])
    assert [message.data for message in read_pcap(path)] == [invite()]


@pytest.mark.parametrize("content", [b"", b"RIFF" + b"\0" * 40])
def test_what_is_no_capture_file_is_named(tmp_path, content):
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(LocalError, match="no capture file"):
        list(read_pcap(tmp_path / "x"))


def test_only_the_owner_reads_a_trace(tmp_path):
    write(tmp_path / "t.pcap", traced(invite()))
    assert (tmp_path / "t.pcap").stat().st_mode & 0o077 == 0


@pytest.mark.interop
def test_tshark_reads_our_files_and_finds_no_bad_checksum(tmp_path):
    assert shutil.which("tshark"), ".ci/install installs tshark"
    other = Traced(1001.0, ("2001:db8::1", 5060), ("2001:db8::2", 5060), "tls", ringing())
    write(tmp_path / "t.pcap", traced(invite()), other)
    options = ["-o", "ip.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE", "-T", "fields"]
    fields = ["-e", "sip.CSeq", "-e", "ip.checksum.status", "-e", "udp.checksum.status"]
    seen = subprocess.run(
        ["tshark", "-r", tmp_path / "t.pcap", *options, *fields], capture_output=True, text=True, check=True
    )
    assert [line.split("\t") for line in seen.stdout.splitlines()] == [
        ["7 INVITE", "1", "3"],
        ["7 INVITE", "", "1"],
    ]


def test_the_ring_keeps_the_newest_and_bounds_the_rest(tmp_path):
    ring = trace_ring(tmp_path, 8000)
    for number in range(100):
        ring.write(traced(invite(f"call-{number}")))
        ring.flush()
    kept = [message.data for path in ring_files(tmp_path) for message in read_pcap(path)]
    assert kept[-1] == invite("call-99")
    assert sum(path.stat().st_size for path in ring_files(tmp_path)) <= 9000


def test_a_ring_whose_folder_is_gone_counts_what_it_loses(tmp_path):
    (tmp_path / "folder").mkdir()
    ring = trace_ring(tmp_path / "folder", 8000)
    shutil.rmtree(tmp_path / "folder")
    ring.write(traced(invite()))
    ring.flush()
    assert ring.lost == 1


def test_what_the_disk_does_not_take_in_time_is_bounded_and_counted(tmp_path):
    sink = trace_ring(tmp_path, 8000)
    for _ in range(100):
        sink.write(traced(b"x" * 60_000))
    sink.flush()
    kept = [message for path in ring_files(tmp_path) for message in read_pcap(path)]
    assert (sink.lost > 0, len(kept) + sink.lost) == (True, 100)


def test_the_keys_of_srtp_are_not_kept_in_any_trace_of_messages():
    key = b"WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz"
    body = b"a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:" + key + b"|2^31;inline:" + key + b"\r\n"
    masked = without_secrets(b"INVITE sip:a SIP/2.0\r\n\r\n" + body)

    assert masked == b"INVITE sip:a SIP/2.0\r\n\r\n" + body.replace(key, b"x" * len(key))


def test_the_password_of_a_browsers_checks_is_not_kept_in_any_trace_of_messages():
    body = b"a=ice-ufrag:8hhY\r\na=ice-pwd:asd88fgpdd777uzjYhagZg\r\n"
    masked = without_secrets(b"INVITE sip:a SIP/2.0\r\n\r\n" + body)

    assert masked == b"INVITE sip:a SIP/2.0\r\n\r\n" + body.replace(b"asd88fgpdd777uzjYhagZg", b"x" * 22)


def test_a_digest_response_is_masked_and_the_length_stays():
    head = b'REGISTER sip:x SIP/2.0\r\nProxy-Authorization: Digest realm="r", response="0a1b", nc=1, cnonce="z9"\r\n'
    masked = without_secrets(head)
    assert (b"0a1b" in masked, b"z9" in masked, len(masked)) == (False, False, len(head))


def test_a_hep_packet_says_its_length_addresses_time_and_message():
    packet = hep_packet(traced(invite(), at=5.25), agent=7, call_id="x1")
    assert (packet[:4], struct.unpack(">H", packet[4:6])[0]) == (b"HEP3", len(packet))
    chunks, at = {}, 6
    while at < len(packet):
        _, kind, length = struct.unpack_from(">HHH", packet, at)
        chunks[kind] = packet[at + 6 : at + length]
        at += length
    assert chunks[3] == socket.inet_aton("192.0.2.1")
    assert (chunks[9], chunks[10]) == (struct.pack(">I", 5), struct.pack(">I", 250_000))
    assert (chunks[15], chunks[17], chunks[12]) == (invite(), b"x1", struct.pack(">I", 7))


def test_a_collector_gets_each_message():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as collector:
        collector.bind(("127.0.0.1", 0))
        collector.settimeout(5)
        sender = HepSender(collector.getsockname())
        sender.write(traced(invite()))
        assert invite() in collector.recv(4000)
        sender.close()


def test_the_legs_of_a_call_are_joined_by_their_session():
    """RFC 7989."""
    both = f"Session-ID: {UUID};remote={'0' * 32}\r\n"
    messages = [
        traced(invite("left", both)),
        traced(invite("right", both), 1000.1, B, C),
        traced(invite("other"), 1000.2),
    ]
    assert [rung.call_id for rung in rungs_of(messages, "lef")] == ["left", "right"]


def test_a_ladder_has_a_column_for_each_party_and_an_arrow_for_each_message():
    lines = draw(rungs_of([traced(invite()), traced(ringing(), 1000.5, B, A), traced(invite(), 1001.0)]))
    assert "192.0.2.1:5070" in lines[0]
    assert "192.0.2.2:5060" in lines[0]
    assert ("0.000" in lines[1], "-- INVITE bob" in lines[1], lines[1].endswith(">|")) == (True, True, True)
    assert ("<-" in lines[2], "180 Ringing" in lines[2]) == (True, True)
    assert "-- again INVITE bob" in lines[3]
    assert len({len(line) for line in lines[1:]}) == 1
