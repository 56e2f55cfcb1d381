"""`tandem mix`: files in, files out, and plain words about what is not right."""

import json

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from gateway.cli.mix import mix
from gateway.lab.samples import read_wav, speech, write_wav
from gateway.testing.audio import align, correlation

app = typer.Typer()
app.command()(mix)


def run(*arguments):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def voices(tmp_path):
    """Two WAV files of different rates."""
    write_wav(tmp_path / "anna.wav", speech()[:24000])
    write_wav(tmp_path / "ben k.wav", np.repeat(np.roll(speech(), 9000)[:24000], 2), rate_hz=16000)
    return tmp_path


def test_each_hears_the_other_of_two_wav_files(voices):
    result = run(voices / "anna.wav", voices / "ben k.wav", "--out", voices / "out", "--json")

    report = json.loads(result.stdout)
    assert [party["name"] for party in report["parties"]] == ["anna", "ben-k"]
    heard, said = read_wav(voices / "out/ben-k.wav"), read_wav(voices / "anna.wav")
    assert correlation(heard, said, align(heard, said)) > 0.99


def test_a_scenario_is_read_with_its_files(voices):
    (voices / "s.toml").write_text(
        '[[party]]\nname = "anna"\nfile = "anna.wav"\nrepeat = true\n'
        '[[party]]\nname = "music"\nsource = "music"\n'
    )

    result = run(voices / "s.toml", "--out", voices / "out", "--json")

    parties = json.loads(result.stdout)["parties"]
    assert [party["wav"] for party in parties] == [str(voices / "out/anna.wav"), None]


def test_the_demo_writes_what_each_heard_and_a_picture(tmp_path):
    pytest.importorskip("matplotlib")
    result = run("--demo", "--out", tmp_path, "--plot")

    assert result.exit_code == 0
    assert {path.name for path in tmp_path.iterdir()} == {
        "anna.wav",
        "ben.wav",
        "carla.wav",
        "noisy.wav",
        "levels.png",
    }
    assert "carla" in result.stdout


@pytest.mark.parametrize("as_json", [False, True])
def test_a_file_that_is_no_wav_is_told_by_name(tmp_path, as_json):
    (tmp_path / "a.wav").write_bytes(b"RIFFnothing")

    result = run(tmp_path / "a.wav", "--out", tmp_path, *(["--json"] if as_json else []))

    assert result.exit_code == 1
    assert "a.wav is not a WAV file" in (json.loads(result.stdout)["error"] if as_json else result.stderr)


def test_a_wrong_key_is_told_by_its_path(tmp_path):
    (tmp_path / "s.toml").write_text('[[party]]\nname = "anna"\nloss = 7\n')

    result = run(tmp_path / "s.toml")

    assert result.exit_code == 1
    assert "party[0].loss: Input should be less than or equal to 1" in result.stderr


@pytest.mark.parametrize(
    "arguments",
    [[], ["--demo", "a.wav"], ["a.toml", "b.wav"], ["a.wav", "--codec", "mp3"]],
    ids=["nothing", "demo and files", "scenario and files", "no such codec"],
)
def test_an_unclear_command_is_not_understood(arguments):
    assert run(*arguments).exit_code == 2


def test_an_example_is_printed():
    assert "[[party]]" in run("--example").stdout
