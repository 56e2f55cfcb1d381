"""Transfers through the switch: blind, attended, and a call that takes another's place (RFC 5589, RFC 3891)."""

from __future__ import annotations

import asyncio

import pytest

from gateway.sip.dialog import DialogId
from gateway.sip.events import ReferProgressed, SessionAnswered, SessionEnded
from gateway.sip.message import Request, Response
from gateway.sip.replaces import Replaces
from gateway.sip.uri import parse_uri_untrusted
from gateway.switch.doors import Doors
from gateway.switch.routing import RoutingTable, Trunk
from gateway.switch.world import Settings
from gateway.testing.phone import Phone, PhoneCall, port_in
from gateway.testing.switchboard import Board, switchboard
from gateway.testing.virtual_time import run_virtual

CARRIER = "192.0.2.200"


async def connect(board: Board, caller: Phone, callee: Phone) -> tuple[PhoneCall, PhoneCall]:
    """Have one phone call another, who answers; return both ends."""
    calling = await caller.call(callee.name)
    ringing = await callee.rung()
    await ringing.answer()
    await calling.expect(SessionAnswered)
    await board.settle()
    return calling, ringing


async def told(call: PhoneCall) -> list[int | None]:
    """Return the statuses that a transferor is told, up to the last."""
    statuses = []
    while True:
        progress = await call.expect(ReferProgressed)
        statuses.append(progress.outcome.status)
        if progress.over:
            return statuses


def rooms(board: Board) -> list[int]:
    """Return how many hear each other, room by room."""
    return sorted(len(legs) for legs in board.media.rooms.values())


def test_rfc_5589_section_6_1_the_caller_transfers_the_callee_blindly():
    async def scenario():
        async with switchboard() as board:
            alice, bob, carol = [await board.phone(name) for name in ("alice", "bob", "carol")]
            at_alice, at_bob = await connect(board, alice, bob)

            at_alice.refer("carol", referred_by="<sip:alice@192.0.2.1>")
            at_carol = await carol.rung()
            at_carol.ring()
            await board.settle()
            await at_carol.answer()

            assert await told(at_alice) == [100, 180, 200]
            await at_alice.ended()
            await board.settle()
            b, c = board.media.row_at(port_in(at_bob.offer)), board.media.row_at(port_in(at_carol.offer))
            assert board.media.rooms == {b.room: frozenset({b.leg, c.leg})}
            assert at_carol.offered.request.headers.get("Referred-By") == "<sip:alice@192.0.2.1>"
            assert at_carol.offered.request.from_.uri.user == "bob"
            at_carol.hang_up()
            await at_bob.ended()

    run_virtual(scenario())


def test_the_callee_transfers_the_caller_and_the_far_end_hears_music_meanwhile():
    async def scenario():
        async with switchboard() as board:
            alice, bob, carol = [await board.phone(name) for name in ("alice", "bob", "carol")]
            at_alice, at_bob = await connect(board, alice, bob)
            at_bob.refer("carol")
            at_carol = await carol.rung()
            waiting = [row for row in board.media.rows.values() if row.hold == "music"]
            await at_carol.answer()

            assert (await told(at_bob))[-1] == 200
            await at_bob.ended()
            await board.settle()
            assert len(waiting) == 1
            assert not any(row.hold for row in board.media.rows.values())
            assert rooms(board) == [2]
            at_alice.hang_up()
            await at_carol.ended()

    run_virtual(scenario())


def test_a_transferor_who_hangs_up_at_once_has_transferred_nevertheless():
    """siphon-project/siphon-sip#220, onsip/SIP.js#254: the BYE behind the 202 killed the transfer."""

    async def scenario():
        async with switchboard() as board:
            alice, bob, carol = [await board.phone(name) for name in ("alice", "bob", "carol")]
            at_alice, at_bob = await connect(board, alice, bob)
            at_alice.refer("carol")
            at_carol = await carol.rung()
            at_alice.hang_up()
            await board.settle()
            await at_carol.answer()
            await board.settle()

            assert rooms(board) == [2]
            at_bob.hang_up()
            await at_carol.ended()

    run_virtual(scenario())


def test_a_transfer_to_somebody_busy_leaves_the_call_as_it_was():
    async def scenario():
        async with switchboard() as board:
            alice, bob, carol = [await board.phone(name) for name in ("alice", "bob", "carol")]
            at_alice, at_bob = await connect(board, alice, bob)
            before = board.media.rooms
            at_alice.refer("carol")
            (await carol.rung()).reject(486)

            assert await told(at_alice) == [100, 486]
            await board.settle()
            assert board.media.rooms == before
            assert not any(row.hold for row in board.media.rows.values())
            at_alice.hang_up()
            await at_bob.ended()

    run_virtual(scenario())


def test_a_transfer_to_nobody_is_told_why():
    async def scenario():
        async with switchboard() as board:
            alice, bob = await board.phone("alice"), await board.phone("bob")
            at_alice, _ = await connect(board, alice, bob)
            at_alice.refer("carol")

            assert await told(at_alice) == [100, 480]  # not registered
            at_alice.refer("nobody")
            assert await told(at_alice) == [100, 404]
            at_alice.hang_up()

    run_virtual(scenario())


def test_when_the_transferor_is_gone_and_the_transfer_fails_the_call_is_over():
    async def scenario():
        async with switchboard() as board:
            alice, bob, carol = [await board.phone(name) for name in ("alice", "bob", "carol")]
            at_alice, at_bob = await connect(board, alice, bob)
            at_alice.refer("carol")
            at_carol = await carol.rung()
            at_alice.hang_up()
            await board.settle()
            at_carol.reject(486)

            await at_bob.ended()

    run_virtual(scenario())


def test_when_the_far_end_hangs_up_the_new_call_is_cancelled():
    async def scenario():
        async with switchboard() as board:
            alice, bob, carol = [await board.phone(name) for name in ("alice", "bob", "carol")]
            at_alice, at_bob = await connect(board, alice, bob)
            at_alice.refer("carol")
            at_carol = await carol.rung()
            at_bob.hang_up()

            await at_carol.ended()
            await at_alice.ended()

    run_virtual(scenario())


def test_the_joined_call_can_be_transferred_again():
    async def scenario():
        async with switchboard(users=("alice", "bob", "carol", "dave")) as board:
            names = ("alice", "bob", "carol", "dave")
            alice, bob, carol, dave = [await board.phone(name) for name in names]
            at_alice, at_bob = await connect(board, alice, bob)
            at_alice.refer("carol")
            at_carol = await carol.rung()
            await at_carol.answer()
            await at_alice.ended()
            await board.settle()
            at_carol.refer("dave")
            at_dave = await dave.rung()
            await at_dave.answer()
            await at_carol.ended()
            await board.settle()

            assert rooms(board) == [2]
            at_bob.hang_up()
            await at_dave.ended()

    run_virtual(scenario())


@pytest.mark.parametrize("n", range(16))
def test_a_transfer_comes_about_though_any_one_message_is_lost(n: int):
    async def scenario():
        async with switchboard() as board:
            alice, bob, carol = [await board.phone(name) for name in ("alice", "bob", "carol")]
            at_alice, at_bob = await connect(board, alice, bob)
            already = len(board.network.passed)
            board.network.lose = lambda passed: len(board.network.passed) == already + n
            at_alice.refer("carol")
            at_carol = await carol.rung()
            at_carol.ring()
            await board.settle(5.0)
            await at_carol.answer()
            await at_alice.ended()
            await board.settle(10.0)

            assert rooms(board) == [2], board.network.ladder()
            at_carol.hang_up()
            await at_bob.ended()

    run_virtual(scenario())


def test_who_is_transferred_is_who_the_new_party_sees():
    """A carrier's caller stays the number that it called from."""

    async def scenario():
        trunk = Trunk("carrier", parse_uri_untrusted(f"sip:{CARRIER}"), prefix="+")
        table = RoutingTable(frozenset({"alice", "bob"}), trunks=(trunk,))
        settings = Settings(table=table, doors=Doors.of_addresses({CARRIER: "carrier"}))
        async with switchboard(settings=settings, users=("alice", "bob"), trunks=(CARRIER,)) as board:
            alice, bob = await board.phone("alice"), await board.phone("bob")
            carrier = await board.phone("+4670", host=CARRIER, registered=False)
            _, at_alice = await connect(board, carrier, alice)
            at_alice.refer("bob")
            at_bob = await bob.rung()

            assert at_bob.offered.request.from_.uri.user == "+4670"
            at_bob.reject(486)
            await told(at_alice)
            at_alice.hang_up()

    run_virtual(scenario())


# Attended.


def test_rfc_5589_section_7_an_attended_transfer_joins_the_far_ends_without_a_new_invite():
    async def scenario():
        async with switchboard() as board:
            alice, bob, carol = [await board.phone(name) for name in ("alice", "bob", "carol")]
            first, at_bob = await connect(board, alice, bob)
            second, at_carol = await connect(board, alice, carol)
            invites = [p for p in board.network.passed if isinstance(p.message, Request)]
            first.refer("carol", instead_of=second)

            assert await told(first) == [100, 200]
            await first.ended()
            await second.ended()
            await board.settle()
            b, c = board.media.row_at(port_in(at_bob.offer)), board.media.row_at(port_in(at_carol.offer))
            assert board.media.rooms == {b.room: frozenset({b.leg, c.leg})}
            later = [p for p in board.network.passed if isinstance(p.message, Request)][len(invites) :]
            assert "INVITE" not in [passed.message.method for passed in later]
            at_carol.hang_up()
            await at_bob.ended()

    run_virtual(scenario())


def test_an_attended_transfer_of_a_call_that_the_other_party_made():
    """The far end of the second call is its caller: it must not be hung up with that call."""

    async def scenario():
        async with switchboard() as board:
            alice, bob, carol = [await board.phone(name) for name in ("alice", "bob", "carol")]
            at_bob, first = await connect(board, bob, alice)
            at_carol, second = await connect(board, carol, alice)
            first.refer("carol", instead_of=second)
            await first.ended()
            await second.ended()
            await board.settle(5.0)

            assert rooms(board) == [2]
            assert not any(
                isinstance(event, SessionEnded) for event in (*at_bob.unread(), *at_carol.unread())
            )
            at_bob.hang_up()
            await at_carol.ended()

    run_virtual(scenario())


def test_a_replaces_of_a_call_that_is_over_becomes_a_blind_transfer():
    async def scenario():
        async with switchboard() as board:
            alice, bob, carol = [await board.phone(name) for name in ("alice", "bob", "carol")]
            first, at_bob = await connect(board, alice, bob)
            second, at_carol = await connect(board, alice, carol)
            at_carol.hang_up()
            await second.ended()
            first.refer("carol", instead_of=second)
            again = await carol.rung()
            await again.answer()

            await first.ended()
            again.hang_up()
            await at_bob.ended()

    run_virtual(scenario())


# Policy.


def test_a_carrier_transfers_nothing():
    """Promise 38: its address can be forged, and the bill would be ours."""

    async def scenario():
        trunk = Trunk("carrier", parse_uri_untrusted(f"sip:{CARRIER}"), prefix="+")
        settings = Settings(
            table=RoutingTable(frozenset({"alice", "bob"}), trunks=(trunk,)),
            doors=Doors.of_addresses({CARRIER: "carrier"}),
        )
        async with switchboard(settings=settings, users=("alice", "bob"), trunks=(CARRIER,)) as board:
            alice = await board.phone("alice")
            carrier = await board.phone("+4670", host=CARRIER, registered=False)
            calling, ringing = await carrier.call("alice"), await alice.rung()
            await ringing.answer()
            await calling.expect(SessionAnswered)
            calling.refer("+46900")

            assert await told(calling) == [403]
            calling.hang_up()

    run_virtual(scenario())


def test_a_built_in_destination_cannot_be_transferred():
    async def scenario():
        async with switchboard() as board:
            alice = await board.phone("alice")
            calling = await alice.call("echo")
            await calling.expect(SessionAnswered)
            await board.settle()
            calling.refer("bob")

            assert await told(calling) == [488]
            calling.hang_up()

    run_virtual(scenario())


def test_nobody_may_take_over_the_call_of_another_user():
    async def scenario():
        async with switchboard() as board:
            alice, bob, carol = [await board.phone(name) for name in ("alice", "bob", "carol")]
            first, _ = await connect(board, alice, bob)
            second, at_carol = await connect(board, carol, bob)
            dialog = alice.endpoint.dialog_of(first.session)
            stolen = Replaces(DialogId(dialog.call_id, dialog.remote_tag, dialog.local_tag), early_only=False)
            thief = await carol.call("bob", headers=[("Replaces", str(stolen))])

            assert (await thief.ended()).status == 403
            first.hang_up()
            second.hang_up()
            await at_carol.ended()

    run_virtual(scenario())


# INVITE with Replaces.


def test_rfc_3891_a_user_takes_a_call_from_one_phone_to_another():
    async def scenario():
        async with switchboard() as board:
            desk, mobile, bob = (
                await board.phone("alice"),
                await board.phone("alice"),
                await board.phone("bob"),
            )
            first, at_bob = await connect(board, desk, bob)
            dialog = desk.endpoint.dialog_of(first.session)
            taken = Replaces(DialogId(dialog.call_id, dialog.remote_tag, dialog.local_tag), early_only=False)
            second = await mobile.call("bob", headers=[("Replaces", str(taken))])
            answered = await second.expect(SessionAnswered)
            await first.ended()
            await board.settle()

            a, b = board.media.row_at(port_in(answered.sdp)), board.media.row_at(port_in(at_bob.offer))
            assert board.media.rooms == {a.room: frozenset({a.leg, b.leg})}
            at_bob.hang_up()
            await second.ended()

    run_virtual(scenario())


def test_a_call_that_still_rings_cannot_be_replaced():
    async def scenario():
        async with switchboard() as board:
            desk, mobile, bob = (
                await board.phone("alice"),
                await board.phone("alice"),
                await board.phone("bob"),
            )
            first = await desk.call("bob")
            ringing = await bob.rung()
            ringing.ring()
            await asyncio.sleep(1.0)
            heard = [passed.message for passed in board.network.passed if passed.destination[0] == desk.host]
            rang = next(said for said in heard if isinstance(said, Response) and said.status == 180)
            ours = DialogId(rang.call_id, rang.to.tag or "", rang.from_.tag or "")
            taken = Replaces(ours, early_only=False)
            second = await mobile.call("bob", headers=[("Replaces", str(taken))])

            assert (await second.ended()).status == 486
            first.hang_up()

    run_virtual(scenario())
