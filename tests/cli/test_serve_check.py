"""`tandem check`, and how `tandem serve` refuses what cannot work; that it works is shown in tests/scenarios."""

import json
import os
import shlex
import socket
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.cli import COMMANDS, application
from gateway.cli.serve import callout_to_copy, command_to_copy
from gateway.config import load

FREE = ("--sip", "udp:127.0.0.1:0", "--http", "127.0.0.1:0")


@pytest.fixture(autouse=True)
def no_environment(monkeypatch):
    for name in [name for name in os.environ if name.startswith("TANDEM_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def tandem(tmp_path):
    """Run a subcommand with a data directory of its own."""

    def tandem(command, *arguments):
        told = [command, "--data", str(tmp_path / "data"), *arguments]
        return CliRunner().invoke(application(told), told)

    return tandem


@pytest.fixture
def taken():
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_help_names_every_command():
    shown = CliRunner().invoke(application(["--help"]), ["--help"]).output

    assert all(command in shown for command in COMMANDS)


def test_a_command_that_does_not_exist_is_answered_with_a_near_one():
    result = CliRunner().invoke(application(["serv"]), ["serv"])

    assert result.exit_code == 2
    assert "serve" in result.output


def test_the_version_is_told():
    assert CliRunner().invoke(application(["--version"]), ["--version"]).output.startswith("tandem ")


def test_check_says_that_all_is_well_and_writes_nothing(tandem, tmp_path):
    result = tandem("check", *FREE)

    assert result.exit_code == 0
    assert "Phones may register as alice, bob." in result.output
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("command", ["check", "serve"])
def test_a_taken_port_is_named_with_its_holder_and_its_cure(tandem, taken, command):
    result = tandem(command, "--sip", "udp:127.0.0.1:0", "--http", f"127.0.0.1:{taken}")

    said = " ".join(result.output.split())
    assert result.exit_code == 1
    assert f"http://127.0.0.1:{taken} taken by" in said
    assert f"(pid {os.getpid()})" in said
    assert "--http or the key http.listen" in said


@pytest.mark.parametrize("command", ["check", "serve"])
def test_a_wrong_key_is_named_and_the_status_is_two(tandem, tmp_path, command):
    (tmp_path / "tandem.toml").write_text("[sip]\nlisen = []\n[http]\nlisten = 'x'")

    result = tandem(command, "--config", str(tmp_path / "tandem.toml"))

    assert result.exit_code == 2
    assert "sip.lisen: no such key; did you mean `listen`?" in result.output
    assert "http.listen: " in result.output


def test_check_as_json_is_one_document_without_secrets(tandem, tmp_path):
    (tmp_path / "tandem.toml").write_text(
        "[store]\nurl = 'postgresql+asyncpg://tandem:hunter2@db/tandem'\n"
        "[[users]]\nname = 'carol'\npassword = 'hunter2'\n"
        "[[applications]]\nkey = 'one'\nsecret = 'hunter2'"
    )

    result = tandem("check", "--json", "--config", str(tmp_path / "tandem.toml"), *FREE)

    document = json.loads(result.output)
    assert document["ok"] is True
    assert document["settings"]["users"] == [
        {"application": "one", "name": "carol", "srtp": "accepted", "media": "auto"}
    ]
    assert document["most_calls"]["ports"] == 5000
    assert "hunter2" not in result.output


def test_check_as_json_tells_every_mistake(tandem, tmp_path):
    (tmp_path / "tandem.toml").write_text("[sip]\nlisen = []\n[http]\nlisten = 'x'")

    result = tandem("check", "--json", "--config", str(tmp_path / "tandem.toml"))

    assert result.exit_code == 2
    assert len(json.loads(result.output)["errors"]) == 2


def test_the_line_to_copy_names_an_executable_by_its_whole_path(tmp_path):
    config = load(None, tmp_path)

    words = shlex.split(command_to_copy(config))

    assert Path(words[0]).is_absolute()
    assert os.access(words[0], os.X_OK)
    assert words[1:] == [
        "call",
        "sip:echo@127.0.0.1:5060",
        "--user",
        "alice",
        "--password",
        config.users[0].password,
    ]


def test_the_line_to_copy_calls_an_address_that_can_be_called(tmp_path):
    config = load(None, tmp_path, overrides={"sip": {"listen": ["tcp:0.0.0.0:5062"]}})

    words = shlex.split(command_to_copy(config))

    assert "sip:echo@127.0.0.1:5062" in words
    assert words[-2:] == ["--transport", "tcp"]


def test_the_callout_to_copy_asks_the_api_of_this_switch(tmp_path):
    config = load(None, tmp_path)

    words = shlex.split(callout_to_copy(config))

    assert words[:3] == ["curl", "-u", f"{config.applications[0].key}:{config.applications[0].secret}"]
    assert words[5] == "http://127.0.0.1:8080/calling/v1/callouts"
    assert json.loads(words[-1])["conferenceCallout"]["destination"] == {
        "type": "username",
        "endpoint": "alice",
    }


def test_a_trace_that_would_overwrite_another_kind_of_file_is_refused(tandem, tmp_path):
    (tmp_path / "letter.txt").write_text("Dear Sir or Madam, this is no capture.")

    result = tandem("serve", *FREE, "--trace", str(tmp_path / "letter.txt"))

    assert result.exit_code == 1
    assert "choose another name" in " ".join(result.output.split())
