"""Sinch's own clients, unmodified, pointed here: every voice operation they have, and what they think of callbacks.

PyPI `sinch` 1.1.4 is the last one of its kind with Voice v1 (dependency group `interop`); npm's `@sinch/sdk-core`
is installed into `build/` when it is not there yet.  For every operation there is a switch of memory behind a real
server; at the end each client holds a conference on a real switch.
"""

import asyncio
import importlib.util
import shutil
import subprocess
import sys
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from yarl import URL

from gateway.api import ApiSettings, create_app
from gateway.callbacks.letter import envelope, letter_of
from gateway.clock import SystemClock
from gateway.ids import CallId
from gateway.svaml import events
from gateway.switch.records import (
    Application,
    CallReason,
    CallRecord,
    CallResult,
    Identity,
    IdentityType,
    Money,
    Notification,
    Number,
)
from gateway.switch.steering import Ear, Participant
from gateway.testing.api_server import run_client, visiting
from gateway.testing.memory_platform import memory_platform

pytestmark = pytest.mark.interop

SCRIPTS = Path(__file__).parent / "sinch"
NODE_CLIENT = "@sinch/sdk-core@1.4.0"
NODE_MODULES = Path(__file__).parents[2] / "build" / "sinch-node"
NUMBER = "+46700000001"
OURS = Application(
    key="5F5C418A-0F91-4BBC-8234-A9BF5EDDAD97",
    secret="JViE5vDor0Sw3WllZka15Q==",
    callback="https://example.org/old",
    fallback="https://example.org/fallback",
)
RECORD = CallRecord(
    call="4398599d1ba84ef3bde0a82dfb61abed",
    application=OURS.key,
    caller=Identity(IdentityType.NUMBER, "+46700000000"),
    called=Identity(IdentityType.NUMBER, "+12017777777"),
    cli="+46700000000",
    domain="pstn",
    origination="pstn",
    started_at=1_717_695_360.0,
    answered_at=1_717_695_365.0,
    ended_at=1_717_695_379.0,
    result=CallResult.ANSWERED,
    reason=CallReason.MANAGERHANGUP,
    custom="Söme text",
    rate=Money(Decimal("0.1758"), "EUR"),
    debit=Money(Decimal("0.1758"), "EUR"),
)


class Status:
    """What the health page would tell."""

    ready = True
    census = ()


class House:
    """A platform of memory with a conference, a number and a server."""

    def __init__(self, room, settings):
        platform, self.calls, self.store = memory_platform(OURS, settings=settings, clock=SystemClock())
        members = [
            Participant(CallId("call-a"), "+46700000000", 14, False, False),
            Participant(CallId("call-b"), "bob", 3, True, False),
        ]
        self.calls.rooms[OURS.key, room] = members
        self.store.owned[NUMBER, "voice"] = Number(NUMBER)
        self.app = create_app(Status(), platform=platform)

    @property
    def application(self):
        """Return the application as it is now."""
        return self.store.application(OURS.key)


@pytest.fixture(scope="session")
def node_client():
    """Return the folder in which npm's client is installed."""
    if shutil.which("npm") is None:
        pytest.skip("no npm: apt-get install nodejs npm")
    if not (NODE_MODULES / "node_modules" / "@sinch" / "voice").is_dir():
        NODE_MODULES.mkdir(parents=True, exist_ok=True)
        command = ["npm", "install", "--no-audit", "--no-fund", "--prefix", str(NODE_MODULES), NODE_CLIENT]
        installed = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
        if installed.returncode != 0:
            pytest.skip(f"npm has no registry: {installed.stderr.strip()[-300:]}")
    return NODE_MODULES


# Python.


def demand_python_client():
    """Skip the test where there is none."""
    if importlib.util.find_spec("sinch") is None:
        pytest.skip("PyPI sinch is missing: pip install --group interop")


def ask_python(house, **alone):
    """Run every operation of PyPI's client, or ask for one `call` alone; return what its models say."""
    demand_python_client()

    async def visit(url):
        given = {
            "host": url.removeprefix("http://"),
            "key": OURS.key,
            "secret": OURS.secret,
            "number": NUMBER,
        }
        return await run_client(sys.executable, SCRIPTS / "every_operation.py", given=given | alone)

    return visiting(house.app, visit)


def test_every_operation_of_the_python_client_does_what_its_models_expect():
    house = House("room", ApiSettings(call_from=False))

    told = ask_python(house)

    assert told["callouts"] == ["call-1", "call-2", "call-3", "call-4"]
    assert told["call"]["call_id"] == "call-1"
    assert told["call"]["status"] == "ONGOING"
    assert told["call"]["user_rate"] == {"currency_id": "USD", "amount": 0.0}
    assert [ear for _, _, ear in house.calls.orders] == [Ear.CALLER, Ear.BOTH]
    assert told["conference"]["participants"][0] == {
        "cli": "+46700000000",
        "id": "call-a",
        "duration": 14,
        "muted": False,
        "onhold": False,
    }
    assert [each["onhold"] for each in told["held"]["participants"]] == [True, False]
    assert told["gone"] == "Conference not found"
    assert told["unknown_call"] == "Call not found"
    assert told["numbers"]["numbers"] == [
        {"number": NUMBER, "capability": "voice", "applicationkey": OURS.key}
    ]
    assert house.store.number(NUMBER).application is None
    assert told["callbacks"] == {"primary": "https://example.org/calls", "fallback": None}
    assert (told["query"]["country_id"], told["query"]["normalized_number"]) == ("SE", "+46730170101")


def test_the_python_client_dies_of_a_from_and_that_is_why_it_can_be_left_out():
    house = House("room", ApiSettings(call_from=True))
    house.store.records["c1"] = RECORD

    with pytest.raises(AssertionError, match="not subscriptable"):
        ask_python(house, call="c1")


# Node.


def ask_node(house, folder):
    """Run every operation of npm's client; return what it made of the answers."""

    async def visit(url):
        given = {"url": url, "key": OURS.key, "secret": OURS.secret, "number": NUMBER}
        return await run_client("node", SCRIPTS / "every_operation.mjs", given=given, cwd=folder)

    return visiting(house.app, visit)


def test_every_operation_of_the_node_client_does_what_its_models_expect(node_client):
    house = House("my conf/1", ApiSettings())

    told = ask_node(house, node_client)

    assert told["callouts"] == ["call-1", "call-2", "call-3"]
    assert told["call"]["to"] == {"type": "Number", "endpoint": "+14045005000"}
    assert told["timestampIsDate"] is True
    assert [ear for _, _, ear in house.calls.orders] == [Ear.CALLER, Ear.CALLEE]
    assert told["unknownCall"]["status"] == 404
    assert told["unknownCall"]["data"]["errorCode"] == 40400
    assert len(told["conference"]["participants"]) == 2
    assert [each["onhold"] for each in told["held"]["participants"]] == [True, False]
    assert told["gone"]["data"]["message"] == "Conference not found"
    assert told["numbers"]["numbers"] == [
        {"number": NUMBER, "applicationkey": OURS.key, "capability": "voice"}
    ]
    assert told["callbacks"] == {"url": {"primary": "https://example.org/calls"}}
    assert told["query"]["number"]["normalizedNumber"] == "+46730170101"
    assert [told[name] for name in ("update", "leg", "mute", "kick", "kickAll", "assign", "unassign")] == [
        {}
    ] * 7


def callback(event, body):
    """Return a callback as it goes out: headers, body and path."""
    letter = letter_of(
        Notification(
            id="n1",
            call=RECORD.call,
            application=OURS.key,
            event=event,
            body=events.encoded(body),
            created_at=RECORD.started_at,
        )
    )
    headers = envelope(letter, OURS, URL("https://example.org/sinch/voice"), wall=RECORD.started_at)
    return {"headers": dict(headers), "body": letter.body.decode(), "path": "/sinch/voice"}


ONGOING = replace(RECORD, ended_at=None, result=CallResult.NA, reason=CallReason.NA)
CALLBACKS = {
    "ice": callback("ice", events.ice(ONGOING, at=RECORD.started_at, resource_url="http://e.org/calls/id/1")),
    "ace": callback("ace", events.ace(ONGOING, at=RECORD.started_at)),
    "dice": callback("dice", events.dice(RECORD)),
    "notify": callback("notify", events.calling_error(RECORD, "$.action: nonsense")),
}


def judge(folder, callbacks):
    """Return what node's validator says of callbacks."""

    async def visit(_url):
        given = {"key": OURS.key, "secret": OURS.secret, "callbacks": callbacks}
        return await run_client("node", SCRIPTS / "validate_webhooks.mjs", given=given, cwd=folder)

    return visiting(House("room", ApiSettings()).app, visit)


def test_the_node_validator_accepts_our_callbacks_and_knows_their_events(node_client):
    verdicts = judge(node_client, list(CALLBACKS.values()))

    assert verdicts == [{"valid": True, "event": event} for event in CALLBACKS]


def test_the_node_validator_rejects_every_changed_byte(node_client):
    """Body, path, timestamp and content type are all in the signature."""
    sound = CALLBACKS["dice"]
    stale = {**sound["headers"], "x-timestamp": "2024-06-06T17:36:01.000Z"}
    retyped = {**sound["headers"], "Content-Type": "application/json; charset=utf-8"}

    verdicts = judge(
        node_client,
        [
            {**sound, "body": sound["body"].replace("ANSWERED", "ANSWEREd")},
            {**sound, "path": "/sinch/voicE"},
            {**sound, "headers": stale},
            {**sound, "headers": retyped},
        ],
    )

    assert [verdict["valid"] for verdict in verdicts] == [False] * 4


# With a real switch: one call each, to the test number that rings for 7.5 s and answers.


REAL = f"""
[[applications]]
key = "{OURS.key}"
secret = "{OURS.secret}"
"""
STATIONS = {"isMember": True, "muted": [False, True], "over": ["ANSWERED", "MANAGERHANGUP", "mine"]}


def test_the_node_client_holds_a_conference_on_a_real_switch(node_client, serve):
    url = f"http://127.0.0.1:{serve(settings=REAL).http_port}"
    given = {"url": url, "key": OURS.key, "secret": OURS.secret, "phone": "+46000000000"}

    told = asyncio.run(run_client("node", SCRIPTS / "live_conference.mjs", given=given, cwd=node_client))

    assert told == STATIONS


def test_the_python_client_holds_a_conference_on_a_real_switch(serve):
    demand_python_client()
    host = f"127.0.0.1:{serve(settings=REAL, environment={'TANDEM_HTTP__CALL_FROM': 'false'}).http_port}"
    given = {"host": host, "key": OURS.key, "secret": OURS.secret, "phone": "+46000000000"}

    told = asyncio.run(run_client(sys.executable, SCRIPTS / "live_conference.py", given=given))

    assert told == STATIONS
