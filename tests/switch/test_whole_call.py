"""A whole call in virtual time: INVITE to BYE, with audio through a real media plane."""

import asyncio
import random
import time

import numpy as np
import pytest

import voicecodecs
from gateway.lab.samples import speech
from gateway.sip.events import SessionAnswered, SessionEnded, SessionProgressed
from gateway.testing.audio import align, correlation
from gateway.testing.phone import port_in
from gateway.testing.plane_port import PlanePort, Talker
from gateway.testing.switchboard import SWITCH, switchboard
from gateway.testing.virtual_time import run_virtual

THREE_SECONDS = 150
REAL_TIME_BUDGET_S = 0.1


def packets_of(pcm: np.ndarray, codec: str) -> list[bytes]:
    frames = voicecodecs.encode_frames(pcm, codec)
    return [b"".join(pair) for pair in zip(frames[::2], frames[1::2], strict=True)]


def heard_by(phone, plane: PlanePort, codec: str) -> np.ndarray:
    frames = [p.payload[i : i + 80] for p in plane.ears[phone.host, phone.rtp_port] for i in (0, 80)]
    return voicecodecs.decode_frames(frames, codec)


async def a_call_of_three_seconds() -> tuple[float, np.ndarray, np.ndarray]:
    """Alice (u-law) calls Bob (A-law), both speak; return the real time it took and what each heard."""
    said = speech()[: THREE_SECONDS * 160]
    plane = PlanePort(address=SWITCH)
    async with switchboard(plane=plane) as board:
        alice = await board.phone("alice", formats=(0, 101))
        bob = await board.phone("bob", formats=(8, 101))
        mouths = [
            Talker(plane, (phone.host, phone.rtp_port), payload_type=pt, ssrc=pt + 1)
            for phone, pt in ((alice, 0), (bob, 8))
        ]
        words = packets_of(said, "pcmu"), packets_of(said[::-1].copy(), "pcma")
        began = time.perf_counter()
        calling = await alice.call("bob")
        ringing = await bob.rung()
        ringing.ring()
        await calling.expect(SessionProgressed)
        await ringing.answer()
        answered = await calling.expect(SessionAnswered)
        ports = port_in(answered.sdp), port_in(ringing.offer)
        await asyncio.gather(
            *(mouth.say(w, to=port) for mouth, w, port in zip(mouths, words, ports, strict=True))
        )
        calling.hang_up()
        await ringing.ended()
        took = time.perf_counter() - began
        return took, heard_by(bob, plane, "pcma"), heard_by(alice, plane, "pcmu")


def test_both_hear_all_that_was_said():
    _, at_bob, at_alice = run_virtual(a_call_of_three_seconds())

    said = speech()[: THREE_SECONDS * 160]
    for heard, spoken in ((at_bob, said), (at_alice, said[::-1])):
        assert heard.size == spoken.size
        assert correlation(heard, spoken, align(heard, spoken)) > 0.99


def test_it_takes_less_than_a_tenth_of_a_second():
    took = min(run_virtual(a_call_of_three_seconds())[0] for _ in range(3))

    assert took < REAL_TIME_BUDGET_S


async def calls_over_a_bad_network(n_calls: int, seed: int) -> list[str]:
    """Run `n_calls` at once over a network that loses, doubles and delays SIP messages; return what is inconsistent."""
    random_ = random.Random(seed)
    plane = PlanePort(address=SWITCH, capacity=2 * n_calls + 2)
    users = [f"{side}{i}" for i in range(n_calls) for side in "ab"]
    wrong: list[str] = []
    async with switchboard(plane=plane, users=users) as board:
        phones = [(await board.phone(f"a{i}"), await board.phone(f"b{i}")) for i in range(n_calls)]
        board.network.impair(random_, loss=0.15, duplicate=0.05, delay_s=0.05)
        wrong = [
            trouble
            for trouble in await asyncio.gather(
                *(one_call(*pair, plane, random_) for pair in phones), return_exceptions=False
            )
            if trouble
        ]
        board.network.impair(random_, loss=0.0, duplicate=0.0, delay_s=0.0)
    return wrong


async def one_call(alice, bob, plane: PlanePort, random_: random.Random) -> str:
    await asyncio.sleep(random_.random() * 10)
    calling = await alice.call(bob.name)
    answering = asyncio.ensure_future(pick_up(bob, random_))
    outcome = "ended"
    try:
        answered = await calling.expect(SessionAnswered)
        mouth = Talker(plane, (alice.host, alice.rtp_port), payload_type=0, ssrc=1)
        await mouth.say([bytes(160)] * 5, to=port_in(answered.sdp))
        await asyncio.sleep(random_.random())
        calling.hang_up()
        await calling.ended()
    except AssertionError as ended_early:
        if SessionEnded.__name__ not in str(ended_early):
            outcome = str(ended_early)
    try:
        async with asyncio.timeout(120):
            await answering
    except TimeoutError:
        answering.cancel()  # the INVITE never reached him
        if bob.endpoint.census()["sessions"]:
            outcome = f"{bob.name} has half a call"
    return "" if outcome == "ended" else outcome


async def pick_up(bob, random_: random.Random) -> None:
    ringing = await bob.rung()
    ringing.ring()
    await asyncio.sleep(random_.random())
    bob.rim.do(lambda now: bob.endpoint.answer(ringing.session, sdp=bob.sdp(), now=now))
    await ringing.ended()


@pytest.mark.parametrize("seed", range(4))
def test_a_bad_network_leaves_no_half_call(seed):
    """250 variations each: nobody is left with half a call, no row, no dialog, no transaction."""
    assert run_virtual(calls_over_a_bad_network(250, seed)) == []


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 136))
def test_ten_thousand_variations_leave_no_half_call(seed):
    """With the thousand above, ten thousand."""
    assert run_virtual(calls_over_a_bad_network(250, seed)) == []
