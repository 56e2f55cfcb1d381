"""`tandem prompt`: add, list, remove."""

import json

from typer.testing import CliRunner

from gateway.cli import application
from gateway.testing.audio import tone, write_wav


def _run(tmp_path, *arguments):
    return CliRunner().invoke(application(["prompt"]), ["prompt", *arguments, "--data", str(tmp_path)])


def test_a_sound_is_added_listed_and_removed(tmp_path):
    write_wav(tmp_path / "beep.wav", tone(440, duration_ms=500))

    added = _run(tmp_path, "add", "welcome", str(tmp_path / "beep.wav"), "--json")
    listed = _run(tmp_path, "list", "--json")

    assert (added.exit_code, listed.exit_code) == (0, 0)
    assert '"seconds": 0.5' in added.stdout
    assert "welcome.wav" in json.dumps(json.loads(listed.stdout))
    assert _run(tmp_path, "remove", "welcome").exit_code == 0
    assert "welcome" not in _run(tmp_path, "list", "--json").stdout


def test_what_is_no_sound_is_refused_in_words(tmp_path):
    (tmp_path / "text.wav").write_text("hello " * 100)

    refused = _run(tmp_path, "add", "welcome", str(tmp_path / "text.wav"))

    assert refused.exit_code == 1
    assert "no sound" in refused.stderr
