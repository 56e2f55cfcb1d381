"""Bugs that other B2BUAs shipped; the list is `docs/known-bugs.md`."""

from __future__ import annotations

from gateway.sip.events import OfferAnswered, OfferRefused, SessionAnswered, SessionProgressed
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


def test_bug_38_fax_is_refused_and_the_call_goes_on_in_audio():
    """RFC 3261 section 14.1: what was refused has changed nothing, so the next offer is answered like any other."""

    async def scenario():
        async with switchboard() as board:
            alice = await board.phone("alice")
            calling = await alice.call("echo")
            port = port_in((await calling.expect(SessionAnswered)).sdp)
            await board.settle()
            before = board.media.row_at(port)
            calling.reoffer(
                alice.sdp(version=2).replace(b"m=audio", b"m=image").replace(b"RTP/AVP", b"udptl")
            )
            assert (await calling.expect(OfferRefused)).status == 488
            assert board.media.row_at(port) == before

            calling.reoffer(alice.sdp(version=3))
            assert port_in((await calling.expect(OfferAnswered)).sdp) == port
            calling.hang_up()

    run_virtual(scenario())
