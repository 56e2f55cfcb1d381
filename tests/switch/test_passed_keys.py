"""Keys that come by INFO reach the other party: as an event of RTP where that is agreed, else by INFO."""

from __future__ import annotations

import pytest

from gateway.media.events import DigitHeard
from gateway.sip.events import InfoReceived, SessionAnswered
from gateway.switch.dtmf import parse_dtmf_info_untrusted, write_dtmf_info
from gateway.testing.phone import port_in
from gateway.testing.plane_port import PlanePort
from gateway.testing.switchboard import SWITCH, switchboard
from gateway.testing.virtual_time import run_virtual


async def talking(board, **bob_has):
    """Let alice talk with bob; return both ends and bob's leg."""
    alice, bob = await board.phone("alice"), await board.phone("bob", **bob_has)
    calling = await alice.call("bob")
    ringing = await bob.rung()
    await ringing.answer()
    await calling.expect(SessionAnswered)
    await board.settle()
    return calling, ringing, board.media.row_at(port_in(ringing.offer)).leg


def told_by_info(call):
    return [(each.content_type, each.body) for each in call.unread() if isinstance(each, InfoReceived)]


def test_a_key_by_info_is_pressed_for_a_phone_that_hears_events():
    async def scenario():
        async with switchboard() as board:
            calling, ringing, leg = await talking(board)
            calling.press("5", duration_ms=250)
            await board.settle()

            assert board.media.pressed == [(leg, "5", 250)]
            assert told_by_info(ringing) == []
            calling.hang_up()

    run_virtual(scenario())


def test_a_key_by_info_goes_on_by_info_to_a_phone_that_hears_no_events():
    async def scenario():
        async with switchboard() as board:
            calling, ringing, _ = await talking(board, formats=(0, 8))
            calling.press("*")
            await board.settle()

            assert board.media.pressed == []
            assert told_by_info(ringing) == [write_dtmf_info("*", 160)]
            calling.hang_up()

    run_virtual(scenario())


def test_a_key_that_came_as_an_event_is_not_pressed_again():
    async def scenario():
        async with switchboard() as board:
            calling, _, bobs = await talking(board)
            (alices,) = set(board.media.rows) - {bobs}
            board.media.happen(DigitHeard(alices, "5", 160))
            calling.press("5")
            await board.settle()

            assert board.media.pressed == []
            calling.hang_up()

    run_virtual(scenario())


def test_a_key_that_came_as_tones_is_pressed_for_a_phone_that_hears_events():
    async def scenario():
        async with switchboard() as board:
            calling, ringing, bobs = await talking(board)
            (alices,) = set(board.media.rows) - {bobs}
            board.media.happen(DigitHeard(alices, "5", 80, in_band=True))
            await board.settle()

            assert board.media.pressed == [(bobs, "5", 80)]
            assert told_by_info(ringing) == []
            calling.hang_up()

    run_virtual(scenario())


def test_a_key_that_came_as_an_event_and_as_tones_counts_once():
    async def scenario():
        async with switchboard() as board:
            calling, _, bobs = await talking(board)
            (alices,) = set(board.media.rows) - {bobs}
            board.media.happen(DigitHeard(alices, "5", 80))
            board.media.happen(DigitHeard(alices, "5", 80, in_band=True))
            await board.settle()

            assert board.media.pressed == []
            calling.hang_up()

    run_virtual(scenario())


@pytest.mark.parametrize(("formats", "listened_to"), [((0, 8), True), ((0, 8, 101), False)])
def test_tones_are_listened_for_where_no_events_were_agreed(formats, listened_to):
    async def scenario():
        async with switchboard() as board:
            calling, _, bobs = await talking(board, formats=formats)

            assert board.media.rows[bobs].in_band is listened_to
            calling.hang_up()

    run_virtual(scenario())


def test_rfc_4733_a_key_by_info_is_one_event_on_the_other_ends_wire():
    async def scenario():
        plane = PlanePort(address=SWITCH)
        async with switchboard(plane=plane) as board:
            alice, bob = await board.phone("alice"), await board.phone("bob")
            calling = await alice.call("bob")
            ringing = await bob.rung()
            await ringing.answer()
            await calling.expect(SessionAnswered)
            await board.settle()
            for key in "17":
                calling.press(key)
                await board.settle()
            calling.hang_up()
            await ringing.ended()

            events = [p for p in plane.ears[bob.host, bob.rtp_port] if p.payload_type == 101]
            ends = {p.timestamp: p.payload[0] for p in events if p.payload[1] & 0x80}
            assert list(ends.values()) == [1, 7]
            assert [p.marker for p in events] == [True, *[False] * 9] * 2
            assert not plane.ears.get((alice.host, alice.rtp_port))

    run_virtual(scenario())


@pytest.mark.parametrize("digit", "0123456789*#ABCD")
def test_what_is_written_is_read_again(digit):
    assert parse_dtmf_info_untrusted(*write_dtmf_info(digit, 160)) == (digit, 160)
