"""What callers hear when somebody speaks: by frequency, through a real media plane and its rings."""

import asyncio
import json

import numpy as np

import voicecodecs
from gateway.sip.events import SessionAnswered
from gateway.switch.records import Number
from gateway.switch.steering import Ear
from gateway.testing.application import APPLICATION, NUMBER, application_board
from gateway.testing.audio import tone_level
from gateway.testing.plane_port import PlanePort
from gateway.testing.switchboard import SWITCH
from gateway.testing.tone_prompter import WORD_MS, TonePrompter
from gateway.testing.virtual_time import run_virtual

KEY = APPLICATION.key
DID = "+46700000001"
WORD = 8 * WORD_MS
HANG_UP = {"name": "hangup"}
AUDIBLE_DBOV = -30.0


def say(words):
    return {"name": "say", "text": words, "locale": "en-US"}


def with_voice(scenario):
    """Run a scenario in a house where words are tones; nothing may be left of them."""

    async def run():
        plane = PlanePort(address=SWITCH)
        prompter = TonePrompter(plane.rings)
        async with application_board(numbers=[Number(DID, KEY)], plane=plane, prompter=prompter) as house:
            await scenario(house, plane, prompter)
            await house.board.settle()
        assert len(prompter.free) == plane.rings.count

    run_virtual(run())


async def dialled(house):
    """Have alice dial the number and be answered."""
    alice = await house.board.phone("alice", formats=(0, 101))
    calling = await alice.call(DID)
    await calling.expect(SessionAnswered)
    return alice, calling


def heard(plane, phone, *, since=0.0):
    """Return what a phone was sent, int16 [n]."""
    packets = [each for each in plane.ears[phone.host, phone.rtp_port] if each.at >= since]
    frames = [each.payload[i : i + 80] for each in packets for i in (0, 80)]
    return voicecodecs.decode_frames(frames, "pcmu").astype(np.int16)


def onset(pcm):
    return int(np.flatnonzero(np.abs(pcm.astype(int)) > 500)[0])


def test_several_prompts_are_heard_one_after_the_other_without_a_gap():
    async def scenario(house, plane, _prompter):
        instructions = [{"name": "answer"}, say("500 900")]
        house.server.says("ice", {"instructions": instructions, "action": HANG_UP})
        alice, calling = await dialled(house)
        await calling.ended()

        pcm = heard(plane, alice)
        pcm = pcm[onset(pcm) :]
        assert tone_level(pcm[:WORD], 500) > AUDIBLE_DBOV
        assert tone_level(pcm[WORD : 2 * WORD - 160], 900) > AUDIBLE_DBOV
        units = np.abs(pcm[: 2 * WORD - 160].astype(int)).reshape(-1, 80).max(axis=1)
        assert units.min() > 1000

    with_voice(scenario)


def test_a_list_of_prompts_is_one_recital():
    async def scenario(house, _plane, prompter):
        files = {"name": "playFiles", "ids": ["500", "900", "700"], "locale": "sv-SE"}
        house.server.says("ice", {"instructions": [{"name": "answer"}, files], "action": HANG_UP})
        _, calling = await dialled(house)
        await calling.ended()

        (recital,) = prompter.recitals
        assert [prompt.text for prompt in recital.prompts] == ["500", "900", "700"]
        assert {prompt.locale for prompt in recital.prompts} == {"sv-SE"}
        assert recital.owner == KEY

    with_voice(scenario)


def test_the_call_goes_on_as_soon_as_the_last_word_was_heard():
    async def scenario(house, _plane, _prompter):
        house.server.says("ice", {"instructions": [{"name": "answer"}, say("500 500")], "action": HANG_UP})
        _, calling = await dialled(house)
        began = asyncio.get_running_loop().time()
        await calling.ended()

        lasted_s = asyncio.get_running_loop().time() - began
        assert 2 * WORD_MS / 1000 <= lasted_s + 0.05 <= 2 * WORD_MS / 1000 + 0.15

    with_voice(scenario)


def menu(**options):
    return {
        "name": "runMenu",
        "barge": True,
        "menus": [{"id": "main", "mainPrompt": "#tts[500 500 500]", "maxDigits": 1, **options}],
    }


def test_a_key_cuts_a_prompt_at_once():
    async def scenario(house, plane, _prompter):
        house.server.says("ice", {"action": menu()})
        house.server.says("pie", {"action": {"name": "continue"}})
        alice, calling = await dialled(house)
        await house.board.settle(0.6)
        calling.press("7")
        await house.board.settle(0.1)
        cut = asyncio.get_running_loop().time()
        await house.board.settle(0.5)

        assert house.server.told("pie")["menuResult"]["value"] == "7"
        assert np.abs(heard(plane, alice, since=cut)).max() <= 8
        calling.hang_up()

    with_voice(scenario)


def test_whoever_hangs_up_in_mid_word_leaves_nothing_behind():
    async def scenario(house, _plane, prompter):
        house.server.says("ice", {"instructions": [{"name": "answer"}, say("500 500")], "action": HANG_UP})
        _, calling = await dialled(house)
        await house.board.settle(0.3)
        calling.hang_up()
        await house.board.settle(0.1)

        assert len(prompter.free) == 16

    with_voice(scenario)


def test_a_speech_that_is_lost_ends_and_the_call_goes_on():
    async def scenario(house, _plane, prompter):
        house.server.says("ice", {"instructions": [{"name": "answer"}, say("500 500 500")], "action": menu()})
        _, calling = await dialled(house)
        await house.board.settle(0.3)
        prompter.stream.lost = True
        prompter.recitals[0].changed()
        await house.board.settle(0.1)

        assert len(prompter.recitals) == 2  # the menu asks
        calling.hang_up()

    with_voice(scenario)


def test_both_parties_of_a_call_hear_what_is_said_to_both():
    async def scenario(house, plane, _prompter):
        house.server.says("ice", {"action": {"name": "connectPstn"}})
        alice, carrier = await house.board.phone("alice", formats=(0, 101)), await house.carrier()
        calling = await alice.call(NUMBER)
        ringing = await carrier.rung()
        await ringing.answer()
        await calling.expect(SessionAnswered)
        await house.board.settle()
        said = json.dumps({"instructions": [say("500")], "action": {"name": "continue"}}).encode()
        asked = asyncio.get_running_loop().time()
        await house.desk.manage(KEY, house.server.told("ice")["callid"], said, ear=Ear.BOTH)
        await house.board.settle(0.4)

        for phone in (alice, carrier):
            assert tone_level(heard(plane, phone, since=asked + 0.1), 500) > AUDIBLE_DBOV
        calling.hang_up()

    with_voice(scenario)
