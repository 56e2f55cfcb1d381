"""`tandem listen --app` beside a running switch: a call is steered without a line of code."""

import base64
import json
import signal
import tomllib
import urllib.request

from gateway.testing.processes import TANDEM, Command, Serving

CALLOUT = {"method": "customCallout", "customCallout": {"cli": "+46700000001", "custom": "from a test"}}
TEST_NUMBER = "+46000000000"
"""It answers, says something once and hangs up."""


def made(switch):
    """Return key and secret of the application that the switch made at its start."""
    secrets = tomllib.loads((switch.data / "secrets.toml").read_text())
    return secrets["application_key"], secrets["application_secret"]


def ask(switch, path, body=None):
    """Ask the REST API by Basic authentication; return its document."""
    shown = base64.b64encode(":".join(made(switch)).encode()).decode()
    request = urllib.request.Request(
        f"http://127.0.0.1:{switch.http_port}{path}",
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": f"Basic {shown}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=10) as response:
        return json.loads(response.read() or b"{}")


def listening(switch, svaml):
    """Start the command as the callback of the switch's application; its secret is in the data directory."""
    key, _ = made(switch)
    told = ("--port", "0", "--config", str(switch.config), "--data", str(switch.data), "--app", key, "--json")
    told = (*told, "--svaml", str(svaml))
    return Command((*TANDEM, "listen", *told))


def test_it_hears_and_steers_the_calls_of_a_switch(tmp_path):
    answers = tmp_path / "answers.json"
    answers.write_text(json.dumps({"ice": {"action": {"name": "connectPstn", "number": TEST_NUMBER}}}))
    with Serving(tmp_path / "switch") as switch, listening(switch, answers) as listener:
        listener.wait_for_line("listening at")
        urls = f"/v1/configuration/callbacks/applications/{made(switch)[0]}"
        during = ask(switch, urls)["url"]["primary"]
        call = ask(switch, "/calling/v1/callouts", CALLOUT)["callId"]
        listener.wait_for_line('"event": "dice"', within_s=40.0)
        listener.tell(signal.SIGINT)
        status = listener.wait()
        after = ask(switch, urls)["url"]["primary"]

    heard = [json.loads(line) for line in listener.printed().splitlines()]
    assert during.startswith("http://127.0.0.1:")
    assert [one["event"] for one in heard] == ["ice", "ace", "dice"]
    assert {(one["call"], one["signed"], one["body"]["custom"]) for one in heard} == {
        (call, True, "from a test")
    }
    assert (status, after) == (0, "")
