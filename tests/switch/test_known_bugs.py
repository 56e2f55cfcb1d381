"""Bugs that other B2BUAs shipped; the list is in `tests/sip/test_known_bugs.py`."""

from __future__ import annotations

from gateway.sip.events import OfferAnswered, SessionAnswered, SessionProgressed
from gateway.testing.phone import direction_in, port_in
from gateway.testing.switchboard import switchboard
from gateway.testing.virtual_time import run_virtual


def test_bug_3_a_call_with_one_leg_answers_a_re_invite():
    async def scenario():
        async with switchboard() as board:
            alice = await board.phone("alice")
            calling = await alice.call("echo")
            await calling.expect(SessionAnswered)
            await board.settle()
            calling.reoffer(alice.sdp(direction="sendonly", version=2))

            assert direction_in((await calling.expect(OfferAnswered)).sdp) == "recvonly"
            calling.hang_up()

    run_virtual(scenario())


def test_bug_9_ringing_after_early_media_ends_none():
    async def scenario():
        async with switchboard() as board:
            alice, bob = await board.phone("alice"), await board.phone("bob")
            calling = await alice.call("bob")
            ringing = await bob.rung()
            ringing.ring(status=180, sdp=bob.sdp())
            early = await calling.expect(SessionProgressed)
            ringing.ring(status=180)
            await board.settle()

            a, b = board.media.row_at(port_in(early.sdp)), board.media.row_at(port_in(ringing.offer))
            assert board.media.rooms == {a.room: frozenset({a.leg, b.leg})}
            calling.hang_up()

    run_virtual(scenario())
