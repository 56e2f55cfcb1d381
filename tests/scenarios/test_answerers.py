"""Who has answered, found out by real processes: a carrier's phone that greets, a switch and its media."""

import asyncio
import json

import numpy as np
import pytest

from gateway.lab.samples import write_wav
from gateway.testing.greetings import long_greeting, short_greeting
from gateway.testing.platform import CARRIER, Platform, Steering
from gateway.testing.processes import TANDEM, Command

pytestmark = pytest.mark.slow

HANG_UP = {"action": {"name": "hangup"}}


@pytest.fixture(scope="module")
def platform(tmp_path_factory):
    with Platform(tmp_path_factory.mktemp("answerers")) as running:
        yield running


def answering(platform, directory, greeting):
    """Return a phone behind the trunk that says a greeting."""
    write_wav(directory / "greeting.wav", np.concatenate([greeting, np.zeros(160_000, np.int16)]))
    listen = ("--listen", f"{CARRIER}:{platform.carrier_port}", "--codec", "PCMA", "--calls", "1")
    return Command((*TANDEM, "answer", *listen, "--wav", str(directory / "greeting.wav")))


async def called(platform, *, asynchronous):
    """Call the carrier, asking who answers; return the call's id."""
    amd = {"enabled": True, "async": asynchronous}
    ice = {"action": {"name": "connectPstn", "number": "+15550100", "amd": amd}}
    callout = {"method": "customCallout", "customCallout": {"ice": json.dumps(ice)}}
    return (await platform.ask("POST", "/calling/v1/callouts", callout))["callId"]


def test_a_person_is_told_with_the_answer(platform, tmp_path):
    async def scenario():
        async with Steering(platform) as application:
            application.says("ace", HANG_UP)
            call = await called(platform, asynchronous=False)
            amd = (await application.told("ace", callid=call))["amd"]
            await application.told("dice", callid=call)

            assert (amd["status"], amd["reason"]) == ("human", "greeting")
            assert 1 < amd["duration"] <= 4

    with answering(platform, tmp_path, short_greeting()) as phone:
        phone.wait_for_line("ready for calls")
        asyncio.run(scenario())


def test_a_machine_and_its_beep_are_told_meanwhile(platform, tmp_path):
    async def scenario():
        async with Steering(platform) as application:
            call = await called(platform, asynchronous=True)
            assert (await application.told("ace", callid=call))["amd"]["status"] == "inprogress"
            verdict = (await application.told("notify", type="amd", callid=call))["amd"]
            beeped = (await application.told("notify", type="amd_beep", callid=call))["amd"]
            await platform.ask("PATCH", f"/calling/v1/calls/id/{call}", HANG_UP)
            await application.told("dice", callid=call)

            assert (verdict["status"], verdict["reason"]) == ("machine", "longgreeting")
            assert (beeped["status"], beeped["reason"]) == ("machine", "beep")
            assert verdict["duration"] <= 4 < beeped["duration"] < 8

    with answering(platform, tmp_path, long_greeting()) as phone:
        phone.wait_for_line("ready for calls")
        asyncio.run(scenario())
