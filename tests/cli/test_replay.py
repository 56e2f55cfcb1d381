"""`tandem replay`: a file again, what is said of it, and what is not there to be taken."""

import gc
import json
import mmap
import os
import wave

import pytest
from typer.testing import CliRunner

from gateway.cli import application
from gateway.ids import LegId
from gateway.lab.replay.file import write_flight
from gateway.media.flight import MEMORY_NAME, Kind, memory_bytes
from gateway.media.flight_log import Flight, Record, select
from gateway.testing.flight_scenarios import play
from gateway.testing.flights import recorded_bench, ring_of


def run(*arguments):
    return CliRunner().invoke(application(["replay"]), ["replay", *map(str, arguments)])


@pytest.fixture(scope="module")
def records():
    bench = recorded_bench()
    play(bench, [3])
    return ring_of(bench)


def written(path, flight):
    write_flight(path, flight, leg=LegId("3-0"), capacity=64)
    return path


def with_another_byte(flight):
    """Let one packet have said something else."""
    at = [i for i, record in enumerate(flight.records) if record.kind == Kind.ARRIVAL][60]
    data = flight.records[at].data
    changed = Record(Kind.ARRIVAL, 0, data[:-9] + bytes([data[-9] ^ 0x55]) + data[-8:])
    return Flight(flight.legs, [*flight.records[:at], changed, *flight.records[at + 1 :]])


def test_a_flight_is_told_to_people(tmp_path, records):
    told = run(written(tmp_path / "a.flight", select(records, LegId("3-0"))), "--out", tmp_path / "wavs")

    assert told.exit_code == 0
    assert "identical:" in told.stdout
    assert "times as fast as it was" in told.stdout
    assert "DigitHeard" in told.stdout


def test_each_leg_leaves_what_it_said_and_heard(tmp_path, records):
    folder = tmp_path / "wavs"
    run(written(tmp_path / "a.flight", select(records)), "--out", folder)

    assert sorted(path.name for path in folder.iterdir()) == [
        f"3-{i}-{what}.wav" for i in range(3) for what in ("heard", "said")
    ]
    with wave.open(str(folder / "3-0-heard.wav")) as file:
        assert file.getnframes() == pytest.approx(24000, abs=200)


def test_a_flight_is_told_to_programs(tmp_path, records):
    document = json.loads(run(written(tmp_path / "a.flight", select(records)), "--json").stdout)

    assert document["identical"] is True
    assert document["took_s"] < document["duration_s"]
    assert set(document["legs"]) == {"3-0", "3-1", "3-2"}
    assert document["legs"]["3-0"]["statistics"]["packets_sent"] == 150
    assert document["events"][0]["event"] == "DigitHeard"


def test_a_difference_is_found_and_placed(tmp_path, records):
    different = run(written(tmp_path / "a.flight", with_another_byte(select(records))))

    assert different.exit_code == 1
    assert "different from" in different.stdout
    assert "it was sent something else" in different.stdout


@pytest.mark.parametrize("as_json", [(), ("--json",)])
def test_a_file_that_is_no_flight_is_said_to_be_none(tmp_path, as_json):
    (tmp_path / "a.wav").write_bytes(b"RIFF")
    refused = run(tmp_path / "a.wav", *as_json)

    assert refused.exit_code == 1
    assert "is no flight" in (refused.stdout if as_json else refused.stderr)


def test_a_leg_with_the_name_of_a_path_stays_in_its_folder(tmp_path):
    bench = recorded_bench()
    leg = bench.leg("../../escape", source="tone:440")
    leg.count(0, 20)
    bench.run(0.5)
    told = run(written(tmp_path / "a.flight", select(ring_of(bench))), "--out", tmp_path / "wavs")

    assert told.exit_code == 0
    assert {path.name for path in (tmp_path / "wavs").iterdir()} == {
        "______escape-said.wav",
        "______escape-heard.wav",
    }


@pytest.fixture
def live():
    """Be a process with a flight recorder, as a media process is."""
    if not hasattr(os, "memfd_create"):
        pytest.skip("memory that is no file is Linux's")
    fd = os.memfd_create(MEMORY_NAME)
    n_bytes = memory_bytes(64, 1 << 22)
    os.truncate(fd, n_bytes)
    with mmap.mmap(fd, n_bytes) as memory:
        view = memoryview(memory)
        bench = recorded_bench(memory=view)
        play(bench, [3])
        yield
        del bench
        gc.collect()
        view.release()
    os.close(fd)


def test_the_legs_of_this_machine_are_listed(live):
    assert {"process": os.getpid(), "leg": "3-0"} in json.loads(run("--legs", "--json").stdout)
    assert "3-0" in run("--legs").stdout


def test_a_leg_is_taken_and_had_again(tmp_path, live):
    taken = run("--record", "3-0", tmp_path / "a.flight")

    assert taken.exit_code == 0
    assert "keep it to yourself" in taken.stdout
    assert run(tmp_path / "a.flight").exit_code == 0


def test_a_leg_that_nobody_recorded_is_said(tmp_path, live):
    refused = run("--record", "nobody", tmp_path / "a.flight")

    assert (refused.exit_code, "has anything of leg nobody" in refused.stderr) == (1, True)


def test_nothing_to_do_is_a_mistake_of_use():
    assert run().exit_code == 2
