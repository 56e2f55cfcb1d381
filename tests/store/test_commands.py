"""`tandem app`, `number`, `user` and what `tandem check` says of the store: the shell beside the API."""

import asyncio
import json
import os
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.cli import application
from gateway.testing.stores import KEY, eventually, opened


@pytest.fixture(autouse=True)
def no_environment(monkeypatch):
    for name in [name for name in os.environ if name.startswith("TANDEM_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def tandem(tmp_path):
    """Run a command on a data directory of this test."""

    def tandem(*told, status=0):
        arguments = [*told, "--data", str(tmp_path)]
        result = CliRunner().invoke(application(arguments), arguments)
        assert result.exit_code == status, result.output
        return result.output

    return tandem


def documents(tandem, *told):
    return json.loads(tandem(*told, "--json"))


def test_a_new_application_is_told_its_key_and_its_secret(tandem):
    made = documents(tandem, "app", "new", "--name", "shop", "--callback", "http://127.0.0.1:9/cb")

    listed = documents(tandem, "app", "list")
    assert [each["name"] for each in listed] == ["", "shop"]
    assert (listed[1]["key"], listed[1]["callback"]) == (made["key"], "http://127.0.0.1:9/cb")
    assert made["secret"] not in tandem("app", "list")


def test_the_first_application_is_that_of_the_first_start(tandem, tmp_path):
    (listed,) = documents(tandem, "app", "list")

    assert listed["key"] in (tmp_path / "secrets.toml").read_text()
    assert listed["users"] == 2


def test_a_rotated_secret_is_shown_and_is_another_one(tandem):
    made = documents(tandem, "app", "new")

    rotated = documents(tandem, "app", "rotate", made["key"].upper())

    assert rotated["key"] == made["key"]
    assert rotated["secret"] != made["secret"]


def test_an_application_that_is_not_there_is_named(tandem):
    assert "there is no application nobody" in tandem("app", "rotate", "nobody", status=1)


def test_what_an_application_may_is_set_and_the_rest_is_left(tandem):
    made = documents(tandem, "app", "new", "--name", "shop", "--callback", "http://127.0.0.1:9/cb")

    tandem("app", "set", made["key"], "--balance", "10.5 USD", "--calls-per-s", "2", "--destination", "+46")
    (changed,) = documents(tandem, "app", "set", made["key"], "--callback", "")

    assert (changed["name"], changed["callback"], changed["balance"]) == ("shop", None, "10.5 USD")


@pytest.mark.parametrize("text", ["10", "USD", "x USD", "10 usd"])
def test_an_amount_has_a_currency(tandem, text):
    key = documents(tandem, "app", "new")["key"]

    tandem("app", "set", key, "--balance", text, status=2)


def test_rates_are_read_from_a_file(tandem, tmp_path):
    (tmp_path / "rates.csv").write_text("+1;US;Fixed;0.01;USD\n+46;SE;Mobile;0.02;EUR\n")

    tandem("rate", "load", str(tmp_path / "rates.csv"))

    assert [each["prefix"] for each in documents(tandem, "rate", "list")] == ["+1", "+46"]


@pytest.mark.parametrize("lines", ["+1;US;Fixed;0.01\n", "1;US;Fixed;0.01;USD\n", "+1;;;1;EUR\n+1;;;2;EUR\n"])
def test_a_line_that_is_no_rate_is_named(tandem, tmp_path, lines):
    (tmp_path / "rates.csv").write_text(lines)

    said = tandem("rate", "load", str(tmp_path / "rates.csv"), status=2)

    assert "rates.csv:" in re.sub(r"[\s│]", "", said)  # the frame breaks lines wherever they end


def test_a_number_goes_to_the_first_application_or_to_the_one_that_is_named(tandem):
    key = documents(tandem, "app", "new")["key"]
    tandem("number", "add", "+46700000001")
    tandem("number", "add", "+46700000002", "--app", key, "--forward", "sip:bob@example.org")

    listed = documents(tandem, "number", "list")
    assert [each["number"] for each in listed] == ["+46700000001", "+46700000002"]
    assert documents(tandem, "number", "list", "--app", key) == [
        {
            "number": "+46700000002",
            "application": key,
            "capability": "voice",
            "forward": "sip:bob@example.org",
        }
    ]


def test_a_number_is_verified_for_one_application_until_that_is_revoked(tandem):
    key = documents(tandem, "app", "new")["key"]
    tandem("number", "verify", "+46709990001", "--app", key)
    tandem("number", "verify", "+46709990002", "--app", key)

    tandem("number", "verify", "+46709990001", "--app", key, "--revoke")

    shown = [
        (each["number"], each["capability"]) for each in documents(tandem, "number", "list", "--app", key)
    ]
    assert shown == [("+46709990002", "verified")]


@pytest.mark.parametrize("command", ["add", "verify"])
def test_what_is_no_number_is_a_mistake_of_the_command(tandem, command):
    tandem("number", command, "070-1", status=2)


def test_a_new_key_is_drawn_and_its_file_named(tandem):
    said = documents(tandem, "rekey")

    assert Path(said["key_file"]).name == "store.key"


def test_a_user_without_a_password_is_given_one(tandem):
    (made,) = documents(tandem, "user", "add", "carol")

    assert re.fullmatch("[0-9a-f]{16}", made["password"])
    assert "carol" in tandem("user", "list")
    assert made["password"] not in tandem("user", "list")


def test_a_built_in_destination_is_no_user(tandem):
    assert "built-in" in tandem("user", "add", "echo", status=2)


def test_a_running_switch_hears_of_it(tandem, tmp_path):
    async def story():
        async with opened(tmp_path) as switch:
            await asyncio.to_thread(tandem, "number", "add", "+46700000001")

            async def seen():
                return switch.directory.number("+46700000001")

            await eventually(seen)
            return switch.directory.number("+46700000001").application

    assert asyncio.run(story()) == KEY


def test_check_says_how_the_store_differs_from_the_file(tandem):
    tandem("user", "add", "carol")

    checked = json.loads(tandem("check", "--sip", "udp:127.0.0.1:0", "--http", "127.0.0.1:0", "--json"))

    assert checked["differences"] == ["The user carol stands in the store and not in the file."]


def test_check_says_where_the_key_of_the_secrets_is(tandem, tmp_path):
    check = ("check", "--sip", "udp:127.0.0.1:0", "--http", "127.0.0.1:0")

    assert json.loads(tandem(*check, "--json"))["key_file"] == str(tmp_path / "store.key")
    assert "made at the first start" in tandem(*check)
    tandem("app", "list")
    assert "made at the first start" not in tandem(*check)


def test_check_of_a_store_as_the_file_says_says_nothing(tandem):
    tandem("app", "list")

    checked = json.loads(tandem("check", "--sip", "udp:127.0.0.1:0", "--http", "127.0.0.1:0", "--json"))

    assert checked["differences"] == []
