"""Promise 45: who reads our logs, our database and our traces learns no secret."""

import base64
import json
import urllib.error
import urllib.request

import pytest

from gateway.testing.processes import TANDEM, Command, Serving, tandem

KEY = "669e367e-6bba-48ab-af15-266871c28135"
PLANTED = {
    "an application's secret": base64.b64encode(b"planted-application").decode(),
    "a wrong secret": base64.b64encode(b"planted-wrong").decode(),
    "a user's password": "planted-alice",
    "a password that nobody called with": "planted-bob",
    "a wrong password": "planted-mistyped",
    "a carrier's password": "planted-carrier",
}
IN_THE_URL = ("planted-url-password", "planted-token")
"""Of a callback: stored as it was given, and never told."""
SETTINGS = f"""
[[applications]]
key = "{KEY}"
secret = "{PLANTED["an application's secret"]}"
callback = "http://us:{IN_THE_URL[0]}@127.0.0.1:9/calls?token={IN_THE_URL[1]}"
[[users]]
name = "alice"
password = "{PLANTED["a user's password"]}"
[[users]]
name = "bob"
password = "{PLANTED["a password that nobody called with"]}"
[[trunks]]
name = "carrier"
uri = "sip:127.0.0.2:9;transport=udp"
username = "us"
password = "{PLANTED["a carrier's password"]}"
ping_s = 0
"""
CALLOUT = {"method": "customCallout", "customCallout": {"custom": "whatever"}}


def ask(switch, secret, path, document=None):
    request = urllib.request.Request(
        f"http://127.0.0.1:{switch.http_port}{path}",
        data=None if document is None else json.dumps(document).encode(),
        headers={
            "Authorization": f"Basic {base64.b64encode(f'{KEY}:{secret}'.encode()).decode()}",
            "Content-Type": "application/json",
        },
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            return response.status
    except urllib.error.HTTPError as error:
        return error.code


@pytest.fixture(scope="module")
def left(tmp_path_factory):
    """What a busy switch has written: its log, and every file of its data but the key."""
    directory = tmp_path_factory.mktemp("secrets") / "switch"
    with Serving(directory, settings=SETTINGS, environment={"TANDEM_LOG__LEVEL": "debug"}) as switch:
        for password in (PLANTED["a user's password"], PLANTED["a wrong password"]):
            login = ("--user", "alice", "--password", password)
            tandem("call", switch.uri("echo"), *login, "--duration", "0.2", "--json")
        assert ask(switch, PLANTED["an application's secret"], "/calling/v1/callouts", CALLOUT) == 200
        assert ask(switch, PLANTED["a wrong secret"], "/v1/configuration/numbers") == 401
        switch.wait_for("callback.failed")
        written = {path.name: path.read_bytes() for path in switch.data.rglob("*") if path.is_file()}
    written |= {path.name: path.read_bytes() for path in switch.data.rglob("*") if path.is_file()}
    del written["store.key"]
    return {"log": switch.complaints().encode(), **written}


@pytest.mark.parametrize("planted", PLANTED.values(), ids=PLANTED)
def test_promise_45_no_secret_is_written_anywhere(left, planted):
    assert {"log", "tandem.db"} <= left.keys()
    assert [name for name, written in left.items() if planted.encode() in written] == []


@pytest.mark.parametrize("planted", IN_THE_URL)
def test_promise_45_no_secret_of_a_url_is_told(left, planted):
    assert planted.encode() not in left["log"]


@pytest.mark.slow
def test_a_switch_whose_key_is_gone_says_so_and_is_not_started_again(tmp_path):
    with Serving(tmp_path / "first") as switch:
        pass
    (switch.data / "store.key").unlink()

    with Command((*TANDEM, "serve", "--config", str(switch.config), "--data", str(switch.data))) as again:
        status = again.wait()

    assert status == 1
    assert str(switch.data / "store.key") in again.complaints()
    assert len(again.events("child.started", child="switch")) == 1
