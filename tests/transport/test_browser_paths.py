"""Browsers' legs over real sockets and a real media process: found, left for another network, and inherited."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from gateway.ids import LegId
from gateway.media.commands import WebRtcTerms
from gateway.media.events import AddressLatched
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


@asynccontextmanager
async def echoed(directory):
    """Give the house, its leg's row, and a browser that is connected to its own echo."""
    certificate = Certificate.made(datetime.now(UTC))
    async with media_workers(directory, workers=1, certificate=certificate) as house:
        with WireBrowser() as browser:
            door = await house.client.open(LEG)
            terms = WebRtcTerms(UFRAG, PASSWORD, (browser.fingerprint,))
            row = replace(state_of("a", None), source="echo", edge=True, webrtc=terms)
            house.client.set(row)
            await asyncio.to_thread(browser.find, door, UFRAG, PASSWORD)
            yield house, row, browser


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
