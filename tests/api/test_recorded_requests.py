"""Requests as the Java, .NET and old NuGet clients put them on the wire, over a socket, byte for byte.

None of these clients runs here.  What each of them does with the request line, the Content-Type, the timestamp and
the path that it signs was recorded from it (section 15 of the wire format); the signature is computed here with
nothing of ours.
"""

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import unquote

import pytest

from gateway.ids import CallId
from gateway.switch.records import CallRecord, Number
from gateway.switch.steering import Participant
from gateway.testing.api_server import speak, visiting


@dataclass(frozen=True)
class Client:
    """How a client writes."""

    agent: str
    stamp: str
    """strftime of what stands behind `x-timestamp: `."""
    typed_when_empty: bool
    """It sends a Content-Type although there is no body."""
    content_type: str
    signs: str
    """The path as sent with its query, or decoded."""


JAVA = Client("sinch-sdk/2.0 (Java/17.0.9;;)", "%Y-%m-%dT%H:%M:%S.%fZ", True, "application/json", "decoded")
DOTNET = Client(
    "sinch-sdk/1.0 (csharp/.NET 8.0;;)",
    "%Y-%m-%dT%H:%M:%S.%f7Z",
    False,
    "application/json; charset=utf-8",
    "sent",
)
NUGET = Client("", "%Y-%m-%dT%H:%M:%S.%f1Z", False, "application/json; charset=utf-8", "sent")
CLIENTS = pytest.mark.parametrize("client", [JAVA, DOTNET, NUGET], ids=["java", "dotnet", "nuget"])


def recorded(client, world, method, target, document=None):
    """Return the bytes of a request."""
    body = json.dumps(document, separators=(",", ":")).encode() if document is not None else b""
    stamp = datetime.fromtimestamp(world.clock.wall(), UTC).strftime(client.stamp)
    kind = client.content_type if body or client.typed_when_empty else ""
    digest = base64.b64encode(hashlib.md5(body).digest()).decode() if body else ""
    path = unquote(target) if client.signs == "decoded" else target
    text = "\n".join((method, digest, kind, f"x-timestamp:{stamp}", path))
    key = base64.b64decode(world.application.secret)
    signature = base64.b64encode(hmac.new(key, text.encode(), hashlib.sha256).digest()).decode()
    lines = [
        f"{method} {target} HTTP/1.1",
        "Host: calling.api.sinch.com",
        f"x-timestamp: {stamp}",
        f"Authorization: Application {world.application.key}:{signature}",
        *([f"User-Agent: {client.agent}"] if client.agent else []),
        *([f"Content-Type: {kind}"] if kind else []),
        *([f"Content-Length: {len(body)}"] if body or method != "GET" else []),
        "Connection: close",
        "",
        "",
    ]
    return "\r\n".join(lines).encode() + body


def replay(world, *requests):
    """Send requests one after the other; return each answer's status and body."""

    async def visit(url):
        return [await speak(url, request) for request in requests]

    return visiting(world.api.app, visit)


@pytest.fixture
def peopled(world):
    """Return a world with a call, a conference and a number."""
    key = world.application.key
    world.store.records["c1"] = CallRecord(call="c1", application=key, started_at=1.0)
    world.calls.rooms[key, "my conf"] = [Participant(CallId("c1"), "+46700000000", 1, False, False)]
    world.store.owned["+46700000001", "voice"] = Number("+46700000001")
    return world


@CLIENTS
def test_a_get_is_understood(client, peopled):
    ((status, body),) = replay(peopled, recorded(client, peopled, "GET", "/calling/v1/calls/id/c1"))

    assert (status, json.loads(body)["callId"]) == (200, "c1")


@CLIENTS
def test_an_encoded_path_is_understood_whichever_form_was_signed(client, peopled):
    request = recorded(client, peopled, "GET", "/calling/v1/conferences/id/my%20conf")

    ((status, body),) = replay(peopled, request)

    assert (status, len(json.loads(body)["participants"])) == (200, 1)


def test_dotnet_signs_the_path_with_its_query(peopled):
    request = recorded(
        DOTNET, peopled, "GET", "/v1/users/username/alice/calls?_start=2026-11-01&_stop=2026-11-02"
    )

    ((status, body),) = replay(peopled, request)

    assert (status, json.loads(body)["success"]) == (200, 0)


@CLIENTS
def test_a_delete_without_a_body_and_a_second_one_later_are_understood(client, peopled):
    request = recorded(client, peopled, "DELETE", "/calling/v1/conferences/id/my%20conf/c1")

    ((status, body),) = replay(peopled, request)

    assert (status, body) == (200, b"")
    assert peopled.calls.rooms[peopled.application.key, "my conf"] == []


@pytest.mark.parametrize("client", [JAVA, DOTNET], ids=["java", "dotnet"])
def test_a_number_is_assigned_and_unassigned(client, peopled):
    given = {"numbers": ["+46700000001"], "applicationkey": peopled.application.key, "capability": "voice"}
    taken = {"number": "+46700000001", "applicationkey": peopled.application.key, "capability": "voice"}

    answers = replay(
        peopled,
        recorded(client, peopled, "POST", "/v1/configuration/numbers", given),
        recorded(client, peopled, "DELETE", "/v1/configuration/numbers", taken),
    )

    assert answers == [(200, b""), (200, b"")]


@CLIENTS
def test_a_callout_is_begun(client, peopled):
    document = {
        "method": "ttsCallout",
        "ttsCallout": {
            "cli": "+46000000000",
            "destination": {"type": "number", "endpoint": "+46700000000"},
            "domain": "pstn",
            "locale": "en-US",
            "text": "Hello",
        },
    }

    ((status, body),) = replay(peopled, recorded(client, peopled, "POST", "/calling/v1/callouts", document))

    assert (status, json.loads(body)) == (200, {"callId": "call-1"})


def test_nuget_writes_svaml_in_lower_case_and_documents_inside_documents(peopled):
    ice = {
        "instructions": [],
        "action": {"name": "connectpstn", "number": "+46700000000", "cli": "+46000000000"},
    }
    document = {
        "method": "customCallout",
        "customCallout": {"ice": json.dumps(ice), "dice": "https://e.org/dice"},
    }

    ((status, _),) = replay(peopled, recorded(NUGET, peopled, "POST", "/calling/v1/callouts", document))

    assert status == 200
    assert set(peopled.calls.callouts[0].scripts) == {"ice", "dice"}


def test_nuget_takes_a_201_for_a_report(peopled):
    request = recorded(
        NUGET, peopled, "POST", "/calling/v1/callreport/callId/c1", {"status": "failure", "details": "noise"}
    )

    assert replay(peopled, request) == [(201, b"")]


def test_java_manages_a_call_with_its_own_spelling(peopled):
    document = {
        "action": {"name": "hangup"},
        "instructions": [{"name": "say", "text": "Bye", "locale": "en-US"}],
    }

    answers = replay(peopled, recorded(JAVA, peopled, "PATCH", "/calling/v1/calls/id/c1", document))

    assert answers == [(200, b"")]
    assert json.loads(peopled.calls.orders[0][1]) == document


@CLIENTS
def test_a_byte_that_was_changed_on_the_way_is_noticed(client, peopled):
    request = recorded(client, peopled, "PATCH", "/calling/v1/calls/id/c1", {"action": {"name": "hangup"}})

    ((status, body),) = replay(peopled, request.replace(b"hangup", b"Hangup"))

    assert (status, json.loads(body)["errorCode"]) == (401, 40102)
