"""`tandem svaml check`."""

import json

import pytest
from typer.testing import CliRunner

from gateway.cli import application

GOOD = b'{"instructions": [{"name": "say", "text": "Hello"}], "action": {"name": "hangup"}}'
BAD = b'{\n "action": {"name": "conectConf"}\n}'


def run(*arguments, given=None):
    return CliRunner().invoke(application(["svaml"]), ["svaml", "check", *map(str, arguments)], input=given)


@pytest.fixture
def bad(tmp_path):
    (tmp_path / "bad.json").write_bytes(BAD)
    return tmp_path / "bad.json"


def test_a_good_document_is_said_to_be_good():
    result = run("-", "--event", "ICE", given=GOOD)

    assert (result.exit_code, result.stdout) == (0, "good  - can be used for ice\n")


def test_a_bad_one_is_told_where_it_is_bad_and_what_would_do(bad):
    result = run(bad)

    assert result.exit_code == 1
    assert result.stdout == (
        f'{bad}:2:13: error: $.action.name "conectConf" is no action; write connectConf\n'
    )


def test_programs_get_one_json_document(bad):
    result = run(bad, "--event", "ace", "--json")

    assert (result.exit_code, json.loads(result.stdout)) == (
        1,
        {
            "ok": False,
            "events": [],
            "findings": [
                {
                    "severity": "error",
                    "path": "$.action.name",
                    "line": 2,
                    "column": 13,
                    "reason": '"conectConf" is no action',
                    "cure": "write connectConf",
                }
            ],
        },
    )


def test_without_an_event_all_that_fit_are_named():
    result = run("-", "--json", given=b'{"action": {"name": "park"}}')

    assert json.loads(result.stdout)["events"] == ["ice", "manage", "manage_parked"]


def test_a_file_that_is_not_there_is_a_usage_error(tmp_path):
    result = run(tmp_path / "none.json")

    assert (result.exit_code, "cannot be read" in result.stderr) == (2, True)
