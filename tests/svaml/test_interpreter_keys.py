"""Menus answered in every way that a phone may say a key: the same PIE from each, through a real media plane."""

import asyncio

import pytest

import voicecodecs
from gateway.media.commands import KEYS
from gateway.sip.events import SessionAnswered
from gateway.testing.application import NUMBER, application_board
from gateway.testing.key_tones import KeySound, key_sound
from gateway.testing.phone import port_in
from gateway.testing.plane_packet import Packet
from gateway.testing.plane_port import PlanePort
from gateway.testing.switchboard import SWITCH
from gateway.testing.virtual_time import run_virtual

EVENT_PT = 101
CODECS = {"pcmu": 0, "g729": 18}
SSRC = 7
PRESSED = KeySound(tone_ms=120, pause_ms=120, level_dbm0=-10, lead_samples=160)
"""As people press keys, in a codec that is not made for tones."""


def media_time():
    """Return the timestamp of what is said now, at 8 kHz."""
    return round(asyncio.get_running_loop().time() * 8000)


class Presser:
    """Alice's hand: `events` of RTP (RFC 4733), `info` (RFC 6086), or `tones` (ITU-T Q.23)."""

    def __init__(self, way, codec, plane):
        self.way, self.codec, self._plane = way, codec, plane
        self._sequence = 0

    @property
    def formats(self):
        """Who says keys as tones has agreed on nothing else."""
        return (CODECS[self.codec],) if self.way == "tones" else (CODECS[self.codec], EVENT_PT)

    async def press(self, key, calling, port):
        phone = calling.phone
        source = (phone.host, phone.rtp_port)
        match self.way:
            case "info":
                calling.press(key)
            case "tones":
                await self._say(key_sound(key, PRESSED), source, port)
            case "events":
                await self._tell(key, source, port)

    async def _say(self, pcm, source, port):
        frames = voicecodecs.encode_frames(pcm[: pcm.size // 160 * 160], self.codec)
        packets = [b"".join(pair) for pair in zip(frames[::2], frames[1::2], strict=True)]
        for payload in packets:
            self._send(CODECS[self.codec], media_time(), payload, source, port)
            await asyncio.sleep(0.02)

    async def _tell(self, key, source, port):
        begun = media_time()
        for step in range(1, 9):
            end = 0x80 if step > 5 else 0
            payload = bytes([KEYS.index(key), end | 10]) + (min(step, 5) * 160).to_bytes(2, "big")
            self._send(EVENT_PT, begun, payload, source, port)
            await asyncio.sleep(0.02)

    def _send(self, payload_type, timestamp, payload, source, port):
        now = asyncio.get_running_loop().time()
        packet = Packet(now, payload_type, self._sequence, timestamp, SSRC, payload, marker=False)
        self._sequence += 1
        self._plane.speak(source, port, packet.to_bytes())


def menu(**fields):
    main = {
        "id": "main",
        "mainPrompt": "#tts[Press a key, or wait]",
        "timeoutMills": 1500,
        "repeats": 1,
        **fields,
    }
    more = {"id": "more", "maxDigits": 4, "timeoutMills": 1500}
    return {"action": {"name": "runMenu", "menus": [main, more]}}


SALES = {"options": [{"dtmf": "1", "action": "return(sales)"}]}
MORE = {"options": [{"dtmf": "2", "action": "menu(more)"}]}
SCENARIOS = {
    "the right key": (SALES, "1", ("return", "sales", "main")),
    "a wrong key, twice": (SALES, "79", ("invalidinput", "9", "main")),
    "a sub-menu": (MORE, "2340#", ("sequence", "340", "more")),
    "enough digits, one twice": ({"maxDigits": 3}, "*55", ("sequence", "*55", "main")),
    "too few": ({"maxDigits": 3}, "80", ("sequence", "80", "main")),
    "a key without barge-in": ({**SALES, "barge": False}, "1", ("timeout", "", "main")),
}


@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("way", ["events", "info", "tones"])
def test_a_key_is_a_key_however_it_comes(way, codec, scenario):
    fields, keys, (type_, value, menu_id) = SCENARIOS[scenario]

    async def run():
        plane = PlanePort(address=SWITCH)
        async with application_board(plane=plane) as house:
            house.server.says("ice", document(fields))
            house.server.says("pie", {"action": {"name": "hangup"}})
            hand = Presser(way, codec, plane)
            alice = await house.board.phone("alice", formats=hand.formats)
            calling = await alice.call(NUMBER)
            answered = await calling.expect(SessionAnswered)
            for key in keys:
                await house.board.settle(0.5)
                await hand.press(key, calling, port_in(answered.sdp))
            await calling.ended()

            told = house.server.told("pie")["menuResult"]
            assert (told["type"], told["value"], told["menuId"]) == (type_, value, menu_id)
            assert told["inputMethod"] == "dtmf"

    run_virtual(run())


def document(fields):
    """Return the menu; `barge` is the action's, the rest is the main menu's."""
    barge = fields.get("barge", True)
    whole = menu(**{name: value for name, value in fields.items() if name != "barge"})
    whole["action"]["barge"] = barge
    return whole


@pytest.mark.parametrize("way", ["events", "info", "tones"])
def test_who_hangs_up_in_the_middle_has_given_a_result_too(way):
    async def run():
        plane = PlanePort(address=SWITCH)
        async with application_board(plane=plane) as house:
            house.server.says("ice", document({"maxDigits": 4}))
            hand = Presser(way, "pcmu", plane)
            alice = await house.board.phone("alice", formats=hand.formats)
            calling = await alice.call(NUMBER)
            answered = await calling.expect(SessionAnswered)
            await house.board.settle(0.5)
            await hand.press("1", calling, port_in(answered.sdp))
            calling.hang_up()
            await house.board.settle()

            (pie,) = house.outbox.bodies("pie")
            assert (pie["menuResult"]["type"], pie["menuResult"]["menuId"]) == ("hangup", "main")
            assert house.dice()["reason"] == "CALLERHANGUP"

    run_virtual(run())
