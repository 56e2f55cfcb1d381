"""Browsers' legs over real sockets and a real media process: found, left for another network, and inherited."""

import asyncio
import threading
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from gateway.ids import LegId
from gateway.media.commands import WebRtcTerms
from gateway.media.events import AddressLatched, RtpTimedOut
from gateway.testing.media_house import state_of
from gateway.testing.media_workers import media_workers
from gateway.testing.rtp_peer import RtpMouth, parse_rtp_untrusted
from gateway.testing.wire_browser import WireBrowser
from gateway.transport.dtls import Certificate
from gateway.transport.media_client import MediaClient

LEG = LegId("a")
UFRAG, PASSWORD = "ours", "a password of 22 chars"
WORDS = b"\x55" * 160
PACKET_S = 0.02
LONGEST = 250
PATIENCE_S = 5.0


@asynccontextmanager
async def browsers_house(directory):
    """Give media workers that know browsers."""
    certificate = Certificate.made(datetime.now(UTC))
    async with media_workers(directory, workers=1, certificate=certificate) as house:
        yield house


async def connect(house, browser, name="a"):
    """Connect a browser to its own echo; return its row as the switch said it."""
    door = await house.client.open(LegId(name))
    terms = WebRtcTerms(UFRAG, PASSWORD, (browser.fingerprint,))
    row = replace(state_of(name, None), source="echo", edge=True, webrtc=terms)
    house.client.set(row)
    await asyncio.to_thread(browser.find, door, UFRAG, PASSWORD)
    return row


@asynccontextmanager
async def echoed(directory):
    """Give a house, a leg's row, and the browser that is connected to its own echo there."""
    async with browsers_house(directory) as house:
        with WireBrowser() as browser:
            yield house, await connect(house, browser), browser


class Talk:
    """What a browser says goes on in sequence wherever it is."""

    def __init__(self, browser):
        self.browser, self.mouth = browser, RtpMouth()

    def is_heard(self):
        """Speak, a packet every 20 ms or after each that is heard, until the echo has come back."""
        for _ in range(LONGEST):
            self.browser.say(self.mouth.say(WORDS).to_bytes())
            heard = self.browser.hear(within_s=PACKET_S)
            if heard is not None and parse_rtp_untrusted(heard).payload == WORDS:
                return True
        return False

    def goes_on_until(self, over):
        """Speak until an event is set."""
        while not over.wait(PACKET_S):
            self.browser.say(self.mouth.say(WORDS).to_bytes())


def test_a_browser_hears_itself_and_its_path_is_told(tmp_path):
    async def scenario():
        async with echoed(tmp_path) as (house, _, browser):
            assert await asyncio.to_thread(Talk(browser).is_heard)
            assert house.client.path(LEG).remote == browser.address
            async for event in house.client.events():
                if isinstance(event, AddressLatched):
                    assert event == AddressLatched(LEG, browser.address)
                    break

    asyncio.run(scenario())


def test_a_browser_that_is_in_another_network_hears_itself_there(tmp_path):
    async def scenario():
        async with echoed(tmp_path) as (house, _, browser):
            talk = Talk(browser)
            assert await asyncio.to_thread(talk.is_heard)
            browser.move()
            await asyncio.to_thread(browser.nominate)
            assert await asyncio.to_thread(talk.is_heard)
            assert house.client.path(LEG).remote == browser.address

    asyncio.run(scenario())


@pytest.mark.parametrize("moves", [False, True])
def test_a_browser_whose_switch_died_hears_itself_by_the_next_one(tmp_path, moves):
    async def scenario():
        async with echoed(tmp_path) as (house, row, browser), asyncio.TaskGroup() as tasks:
            talk, path = Talk(browser), house.client.path(LEG)
            assert await asyncio.to_thread(talk.is_heard)
            house.desert()
            certificate = Certificate.made(datetime.now(UTC))
            successor = MediaClient(house.paths, epoch=2, certificate=certificate)
            running = tasks.create_task(successor.run())
            await successor.connected()
            assert successor.adopt(LEG, ("127.0.0.1", browser.door[1]), path)
            successor.set(replace(row, generation=row.generation + 1))
            if moves:
                browser.move()
                await asyncio.to_thread(browser.nominate)
            assert await asyncio.to_thread(talk.is_heard)
            running.cancel()

    asyncio.run(scenario())


@pytest.mark.slow  # it waits for fourteen seconds
def test_of_two_that_check_no_more_the_one_that_is_silent_is_told_of_within_15_s(tmp_path):
    async def scenario():
        async with browsers_house(tmp_path) as house, asyncio.timeout(15.0 + PATIENCE_S):
            with WireBrowser() as talks, WireBrowser() as leaves:
                began = asyncio.get_running_loop().time()
                await connect(house, talks, "talks")
                await connect(house, leaves, "leaves")
                over = threading.Event()
                talking = asyncio.create_task(asyncio.to_thread(Talk(talks).goes_on_until, over))
                async for event in house.client.events():
                    if isinstance(event, RtpTimedOut):
                        break
                assert event.leg == "leaves"
                assert "nothing has come" in event.reason
                assert asyncio.get_running_loop().time() - began < 15.0
                over.set()
                await talking

    asyncio.run(scenario())
