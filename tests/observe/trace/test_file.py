"""Capture files: bounded, whole after whatever ends a writer, and shared by several."""

import os
import subprocess
import sys

import pytest

from gateway.errors import LocalError
from gateway.observe.trace.file import CaptureFile, older
from gateway.observe.trace.order import put_in_order
from gateway.observe.trace.pcap import HEADER, pcap_record, read_pcap

A, B = ("192.0.2.1", 5070), ("192.0.2.2", 5060)
WRITER = """
import sys
from pathlib import Path
from gateway.observe.trace.file import CaptureFile
from gateway.observe.trace.pcap import pcap_record

file = CaptureFile(Path(sys.argv[1]), 40_000)
for number in range(100):
    record = pcap_record(number, ("192.0.2.1", 1), ("192.0.2.2", int(sys.argv[2])), b"x" * 200)
    file.append(record * 3)
"""


def record(at, data):
    return pcap_record(at, A, B, data)


def prepared(path, max_bytes=10_000):
    file = CaptureFile(path, max_bytes)
    file.prepare()
    return file


def said(path):
    return [message.data for message in read_pcap(path)]


def test_a_full_file_is_moved_aside_and_the_one_before_it_is_gone(tmp_path):
    path = tmp_path / "call.pcap"
    file = CaptureFile(path, 4000)
    for number in range(100):
        file.append(record(number, b"%03d" % number * 100))

    kept = said(older(path)) + said(path)
    assert kept == [b"%03d" % number * 100 for number in range(100 - len(kept), 100)]
    assert 2000 < path.stat().st_size + older(path).stat().st_size < 4700


def test_a_file_goes_on_where_another_run_has_stopped(tmp_path):
    for number in range(3):
        prepared(tmp_path / "call.pcap").append(record(number, b"%d" % number))
    assert said(tmp_path / "call.pcap") == [b"0", b"1", b"2"]


@pytest.mark.parametrize("torn", [1, 20, 43])
def test_half_a_record_of_somebody_who_was_killed_is_cut_off(tmp_path, torn):
    path = tmp_path / "call.pcap"
    prepared(path).append(record(1, b"whole"))
    with path.open("ab") as file:
        file.write(record(2, b"torn")[:torn])

    prepared(path).append(record(3, b"after"))

    assert said(path) == [b"whole", b"after"]


def test_half_a_head_is_written_anew(tmp_path):
    (tmp_path / "call.pcap").write_bytes(HEADER[:7])
    prepared(tmp_path / "call.pcap").append(record(1, b"x"))
    assert said(tmp_path / "call.pcap") == [b"x"]


def test_a_file_of_another_kind_is_left_alone(tmp_path):
    (tmp_path / "letter.txt").write_text("Dear Sir or Madam, this is not a capture file.")
    with pytest.raises(LocalError, match="no capture file of ours"):
        prepared(tmp_path / "letter.txt")
    assert (tmp_path / "letter.txt").read_text().startswith("Dear Sir")


def test_a_folder_that_is_not_there_is_said(tmp_path):
    with pytest.raises(LocalError, match="cannot write"):
        prepared(tmp_path / "nowhere" / "call.pcap")


def test_two_processes_write_to_one_file_and_move_it_aside_once_each_time(tmp_path):
    path = tmp_path / "call.pcap"
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, path, str(port)]) for port in (7, 8)]
    assert [writer.wait(30) for writer in writers] == [0, 0]

    for each in (older(path), path):
        assert each.read_bytes()[: len(HEADER)] == HEADER
        assert {len(message.data) for message in read_pcap(each)} <= {200}
    assert older(path).stat().st_size >= 20_000
    last = {message.destination[1] for message in read_pcap(older(path)) if message.at > 90}
    last |= {message.destination[1] for message in read_pcap(path) if message.at > 90}
    assert last <= {7, 8}
    assert last


def test_a_file_is_put_in_order_of_time_and_keeps_the_order_of_what_was_at_once(tmp_path):
    path = tmp_path / "call.pcap"
    prepared(path).append(record(2, b"c") + record(1, b"a") + record(2, b"d") + record(1.5, b"b"))

    assert put_in_order(path)
    assert said(path) == [b"a", b"b", b"c", b"d"]
    assert path.stat().st_mode & 0o077 == 0
    assert os.listdir(tmp_path) == ["call.pcap"]


def test_a_file_in_order_is_not_written_again(tmp_path):
    path = tmp_path / "call.pcap"
    prepared(path).append(record(1, b"a") + record(2, b"b"))
    before = path.stat().st_ino
    assert put_in_order(path)
    assert path.stat().st_ino == before
