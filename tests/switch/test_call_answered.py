"""Two phones and a switch between them: the call that works, and each way it may end afterwards."""

import pytest

from gateway.media.events import DigitHeard, RtpTimedOut
from gateway.media.statistics import LegStatistics
from gateway.sip.events import OfferAnswered, SessionAnswered, SessionProgressed
from gateway.switch.world import Settings
from gateway.testing.phone import direction_in, formats_in, port_in
from gateway.testing.switchboard import SWITCH, switchboard
from gateway.testing.virtual_time import run_virtual


async def talking(board, **of_bob):
    """Have alice call bob, and bob answer; return both ends and the SDP that alice got."""
    alice, bob = await board.phone("alice"), await board.phone("bob", **of_bob)
    calling = await alice.call("bob")
    ringing = await bob.rung()
    ringing.ring()
    await calling.expect(SessionProgressed)
    await ringing.answer()
    answered = await calling.expect(SessionAnswered)
    await board.settle()
    return calling, ringing, answered.sdp


def test_both_are_bridged_in_one_room_and_told_our_ports():
    async def scenario():
        async with switchboard() as board:
            calling, ringing, sdp = await talking(board)

            a, b = board.media.row_at(port_in(sdp)), board.media.row_at(port_in(ringing.offer))
            assert board.media.rooms == {a.room: frozenset({a.leg, b.leg})}
            assert a.remote == ("192.0.2.11", 40_011)
            assert b.remote == ("192.0.2.12", 40_012)
            assert (a.sending, a.receiving, b.sending, b.receiving) == (True,) * 4
            calling.hang_up()

    run_virtual(scenario())


def test_the_caller_hangs_up_and_the_callee_is_told():
    async def scenario():
        async with switchboard() as board:
            calling, ringing, _ = await talking(board)

            calling.hang_up()

            cause = await ringing.ended()
            assert (cause.by, cause.q850) == ("remote", 16)
            assert [line["by"] for line in board.log.all("call.ended")] == ["caller"] or await ended(board)

    async def ended(board):
        await board.settle()
        return [line["by"] for line in board.log.all("call.ended")] == ["caller"]

    run_virtual(scenario())


def test_the_callee_hangs_up_and_the_caller_is_told():
    async def scenario():
        async with switchboard() as board:
            calling, ringing, _ = await talking(board)

            ringing.hang_up()

            cause = await calling.ended()
            assert (cause.by, cause.q850) == ("remote", 16)
            await board.settle()
            assert [line["by"] for line in board.log.all("call.ended")] == ["callee"]

    run_virtual(scenario())


def test_each_leg_leaves_one_canonical_line():
    async def scenario():
        async with switchboard() as board:
            calling, ringing, _ = await talking(board)
            b = board.media.row_at(port_in(ringing.offer))
            board.media.measured(b.leg, LegStatistics(packets_received=500, packets_lost=3, mode="relay"))
            await board.settle(9.0)

            calling.hang_up()
            await ringing.ended()
            await board.settle()

            caller, callee = sorted(
                board.log.all("leg.ended"), key=lambda line: str(line["side"]), reverse=True
            )
            assert (caller["side"], caller["peer"], caller["codec"]) == ("caller", "alice", "pcmu")
            assert (callee["side"], callee["peer"], callee["lost"]) == ("callee", "bob", 3)
            assert caller["duration_s"] == pytest.approx(10.0, abs=0.1)
            assert caller["codec_reason"]

    run_virtual(scenario())


def test_a_codec_that_both_have_is_chosen_for_both_so_that_packets_can_be_relayed():
    async def scenario():
        async with switchboard() as board:
            calling, ringing, sdp = await talking(board, formats=(8, 101))

            assert formats_in(ringing.offer) == (0, 8, 18, 97, 101)
            assert formats_in(sdp) == (8, 101)
            calling.hang_up()

    run_virtual(scenario())


def test_a_late_offer_is_answered_in_the_ack():
    async def scenario():
        async with switchboard() as board:
            alice, bob = await board.phone("alice"), await board.phone("bob")
            calling = await alice.call("bob", late=True)
            ringing = await bob.rung()

            await ringing.answer()
            offered = (await calling.expect(SessionAnswered)).sdp
            calling.acknowledge(alice.sdp())
            await board.settle()

            a = board.media.row_at(port_in(offered))
            assert (a.remote, a.send_codec) == (("192.0.2.11", 40_011), "pcmu")
            calling.hang_up()

    run_virtual(scenario())


@pytest.mark.parametrize(
    ("hold", "answered", "sending", "receiving"),
    [
        ("sendonly", "recvonly", False, True),
        ("inactive", "inactive", False, False),
        ("recvonly", "sendonly", True, False),
    ],
)
def test_a_hold_is_settled_with_the_one_who_holds(hold, answered, sending, receiving):
    async def scenario():
        async with switchboard() as board:
            calling, ringing, sdp = await talking(board)
            said_to_bob = len(board.network.passed)

            calling.reoffer(calling.phone.sdp(direction=hold, version=2))
            reply = (await calling.expect(OfferAnswered)).sdp
            await board.settle()

            a, b = board.media.row_at(port_in(sdp)), board.media.row_at(port_in(ringing.offer))
            assert direction_in(reply) == answered
            assert (a.sending, a.receiving) == (sending, receiving)
            assert (b.sending, b.receiving) == (True, True)
            assert b.hold == (None if sending else "music")
            assert all(each.destination[0] != bobs(ringing) for each in board.network.passed[said_to_bob:])

            calling.reoffer(calling.phone.sdp(version=3))
            reply = (await calling.expect(OfferAnswered)).sdp
            await board.settle()
            a = board.media.row_at(port_in(sdp))
            assert (direction_in(reply), a.sending, a.receiving) == ("sendrecv", True, True)
            assert board.media.row_at(port_in(ringing.offer)).hold is None
            calling.hang_up()

    def bobs(ringing):
        return ringing.phone.host

    run_virtual(scenario())


def test_a_codec_change_in_mid_call_is_followed():
    async def scenario():
        async with switchboard() as board:
            calling, _, sdp = await talking(board)

            calling.phone.formats = (8, 101)
            calling.reoffer(calling.phone.sdp(version=2))
            reply = (await calling.expect(OfferAnswered)).sdp
            await board.settle()

            assert formats_in(reply) == (8, 101)
            assert board.media.row_at(port_in(sdp)).send_codec == "pcma"
            calling.hang_up()

    run_virtual(scenario())


def test_a_re_offer_without_a_codec_of_ours_leaves_the_call_as_it_was():
    async def scenario():
        async with switchboard() as board:
            calling, _, sdp = await talking(board)

            calling.phone.formats = (9,)
            calling.reoffer(calling.phone.sdp(version=2))
            await board.settle()

            assert board.media.row_at(port_in(sdp)).send_codec == "pcmu"
            assert board.switch.calls == 1
            calling.hang_up()

    run_virtual(scenario())


def test_digits_are_logged_once_whichever_way_they_come():
    async def scenario():
        async with switchboard() as board:
            calling, _, sdp = await talking(board)
            leg = board.media.row_at(port_in(sdp)).leg

            board.media.happen(DigitHeard(leg, "5", 160))
            calling.press("5")
            await board.settle()
            calling.press("#")
            await board.settle()

            heard = [(line["digit"], line["via"]) for line in board.log.all("dtmf.heard")]
            assert heard == [("5", "rtp"), ("#", "info")]
            calling.hang_up()

    run_virtual(scenario())


def test_a_leg_that_fell_silent_ends_the_call_on_both_sides():
    async def scenario():
        async with switchboard() as board:
            calling, ringing, sdp = await talking(board)

            board.media.happen(RtpTimedOut(board.media.row_at(port_in(sdp)).leg))

            assert (await calling.ended()).q850 == 102
            assert (await ringing.ended()).q850 == 102

    run_virtual(scenario())


def test_the_longest_call_is_ended():
    async def scenario():
        async with switchboard(settings=Settings(max_call_s=60.0)) as board:
            calling, ringing, _ = await talking(board)

            await calling.ended()
            await ringing.ended()

    run_virtual(scenario())


def test_the_callee_sees_who_was_authenticated_and_one_hop_less():
    async def scenario():
        async with switchboard() as board:
            calling, ringing, _ = await talking(board)

            request = ringing.offered.request
            assert (request.from_.uri.user, request.from_.uri.host) == ("alice", SWITCH)
            assert request.headers.get("Max-Forwards") == "69"
            calling.hang_up()

    run_virtual(scenario())
