"""After twenty calls of every kind the reports say what was called: usage, counter, service, the four CDR layouts."""

import asyncio
from collections import Counter
from pathlib import Path

import pytest

from gateway.lab.phone.phone import CallFailed
from gateway.testing.platform import CARRIER, NUMBER, Platform, Steering, phone

pytestmark = pytest.mark.interop

SCENARIOS = Path(__file__).parent / "application"
CALLEE, DENIED = "+46700000001", "+46000000030"
MADE = {
    "app-app": ("CALLERHANGUP", 6),
    "phone-terminated": ("BLOCKED", 5),
    "phone-originated": ("CALLEEHANGUP", 4),
    "sip-terminated": ("CALLERHANGUP", 5),
}
"""How the calls of each layout end, and how many there are."""


def to_user(name):
    return {"name": "connectMxp", "destination": {"type": "username", "endpoint": name}}


def to_sip(platform):
    return {
        "name": "connectSip",
        "destination": {"type": "sip", "endpoint": f"desk@{CARRIER}:{platform.carrier_port}"},
    }


async def call_often(alice, dialled, n_calls):
    """Let alice call, and hang up once she is answered."""
    for _ in range(n_calls):
        call = await alice.talk(dialled)
        alice.hang_up(call)
        await call.ended.wait()


async def call_in(platform, bob, n_calls):
    """Let the carrier call our number; bob, who answers, hangs up."""
    while not bob.idle:
        await bob.answered()
    with platform.carrier(
        SCENARIOS / "calls.xml", "-s", NUMBER, "-r", "5", n_calls=n_calls, calls=True
    ) as carrier:
        for _ in range(n_calls):
            bob.hang_up(await bob.answered())
        await asyncio.to_thread(carrier.wait)


async def twenty_calls(platform):
    """Make the calls; return the counter amid one of them, and what is reported at the end."""
    async with (
        Steering(platform) as application,
        phone(platform, "alice") as alice,
        phone(platform, "bob") as bob,
    ):
        application.says("ice", {"action": to_user("bob")})
        await call_often(alice, "bob", MADE["app-app"][1])
        await call_in(platform, bob, MADE["phone-originated"][1])
        application.says("ice", {"action": {"name": "connectPstn", "number": DENIED}})
        for _ in range(MADE["phone-terminated"][1]):
            with pytest.raises(CallFailed):
                await alice.talk(CALLEE)
        application.says("ice", {"action": to_sip(platform)})
        application.says("ace", {"action": {"name": "continue"}})
        n_calls = MADE["sip-terminated"][1]
        with platform.carrier(SCENARIOS / "answers.xml", n_calls=n_calls) as carrier:
            await call_often(alice, CALLEE, n_calls - 1)
            last = await alice.talk(CALLEE)
            amid = await platform.ask("GET", "/v1/counters/currentcalls")
            alice.hang_up(last)
            await asyncio.to_thread(carrier.wait)
        async with asyncio.timeout(5):
            while application.events.count("dice") < 20:  # noqa: ASYNC110 - the last one is any of them
                await asyncio.sleep(0.05)
        return amid, await reported(platform)


async def reported(platform):
    """Return the reports by name."""
    asked = {
        "after": "/v1/counters/currentcalls",
        "data": "/v1/users/username/alice/calls/data",
        "pstn": "/v1/users/username/alice/calls/pstn",
        "bob": "/v1/users/username/bob/calls/data",
        "service": "/v1/services/rtpproxy",
    }
    found = {name: await platform.ask("GET", path) for name, path in asked.items()}
    return found | {layout: await platform.records(layout) for layout in MADE}


def test_after_twenty_calls_every_report_equals_the_calls_made(tmp_path):
    with Platform(tmp_path) as platform:
        amid, found = asyncio.run(twenty_calls(platform))

    for layout, (reason, n_calls) in MADE.items():
        assert Counter(record["Reason"] for record in found[layout]) == {reason: n_calls}, layout
    assert len({record["CallId"] for layout in MADE for record in found[layout]}) == 20
    assert (amid["value"], found["after"]["value"]) == (1, 0)
    assert found["service"] == {"status": "up"}
    usage = {name: (found[name]["success"], found[name]["failed"]) for name in ("data", "bob", "pstn")}
    assert usage == {"data": (6, 0), "bob": (6, 0), "pstn": (0, 5)}
