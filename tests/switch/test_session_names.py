"""RFC 7989 across a switch: both legs of a call say the same two names, in every message."""

from __future__ import annotations

from gateway.observe.trace import Traced
from gateway.observe.trace.ladder import rungs_of
from gateway.sip.events import SessionAnswered
from gateway.sip.message import Request, Response
from gateway.testing.switchboard import SWITCH, switchboard
from gateway.testing.virtual_time import run_virtual

A = "a" * 32


def pair_of(message):
    """Return both names of a message, whoever says them."""
    ours, _, theirs = (message.headers.get("Session-ID") or "").partition(";remote=")
    return frozenset({ours, theirs})


def said_in(board, *methods):
    """Return what was said on the network in transactions of these methods, 100 Trying left out."""
    return [
        each
        for each in (passed.message for passed in board.network.passed)
        if each.cseq.method in methods and (isinstance(each, Request) or each.status > 100)
    ]


async def talked(board, headers=()):
    """Let alice call bob and hang up."""
    alice, bob = await board.phone("alice"), await board.phone("bob")
    calling = await alice.call("bob", headers=headers)
    ringing = await bob.rung()
    ringing.ring()
    await ringing.answer()
    await board.settle()
    calling.hang_up()
    await board.settle()


def test_both_legs_of_a_call_say_the_same_pair_once_each_end_has_spoken():
    async def scenario():
        async with switchboard() as board:
            await talked(board)
            later = said_in(board, "BYE")

            assert len({each.call_id for each in later}) == 2
            assert len({pair_of(each) for each in later}) == 1

    run_virtual(scenario())


def test_a_received_name_reaches_the_other_end():
    async def scenario():
        async with switchboard() as board:
            await talked(board, headers=[("Session-ID", f"{A};remote={'0' * 32}")])
            requests = [each for each in said_in(board, "INVITE") if isinstance(each, Request)]

            assert len({each.call_id for each in requests}) == 2
            assert {(each.headers.get("Session-ID") or "")[:32] for each in requests} == {A}

    run_virtual(scenario())


def test_a_trace_of_either_leg_shows_both():
    async def scenario():
        async with switchboard() as board:
            await talked(board)
            traced = [
                Traced(each.at, each.source, each.destination, "udp", each.message.to_bytes())
                for each in board.network.passed
            ]
            legs = {each.call_id for each in said_in(board, "INVITE")}

            assert len(legs) == 2
            for leg in legs:
                assert {rung.call_id for rung in rungs_of(traced, leg)} == legs

    run_virtual(scenario())


def test_a_call_that_the_switch_answers_itself_has_two_names_too():
    async def scenario():
        async with switchboard() as board:
            alice = await board.phone("alice")
            calling = await alice.call("echo")
            await board.settle()
            calling.hang_up()
            await board.settle()

            (pair,) = {pair_of(each) for each in said_in(board, "BYE")}
            assert "0" * 32 not in pair
            assert len(pair) == 2

    run_virtual(scenario())


async def connected(board, caller, callee):
    """Have one phone call another, who answers; return both ends."""
    calling = await caller.call(callee.name)
    ringing = await callee.rung()
    await ringing.answer()
    await calling.expect(SessionAnswered)
    await board.settle()
    return calling, ringing


def byes_of_the_switch(board):
    """Return the names in the goodbyes that the switch says, ours first, by who hears it."""
    return {
        passed.destination[0]: (passed.message.headers.get("Session-ID") or "").split(";remote=")
        for passed in board.network.passed
        if passed.source[0] == SWITCH
        and isinstance(passed.message, Request)
        and passed.message.method == "BYE"
    }


def name_of(board, phone):
    """Return how a phone calls itself in its answer to an INVITE."""
    return next(
        (passed.message.headers.get("Session-ID") or "")[:32]
        for passed in board.network.passed
        if passed.source[0] == phone.host
        and passed.message.cseq.method == "INVITE"
        and isinstance(passed.message, Response)
        and passed.message.status == 200
    )


def test_section_7_the_new_call_of_a_transfer_is_made_in_the_name_of_whom_it_transfers():
    async def scenario():
        async with switchboard() as board:
            alice, bob, carol = [await board.phone(name) for name in ("alice", "bob", "carol")]
            at_alice, at_bob = await connected(board, alice, bob)
            at_alice.refer("carol")
            at_carol = await carol.rung()
            await at_carol.answer()
            await at_alice.ended()
            await board.settle()
            at_bob.hang_up()
            await at_carol.ended()

            b, c = name_of(board, bob), name_of(board, carol)
            assert at_carol.offered.request.headers.get("Session-ID") == f"{b};remote={'0' * 32}"
            assert byes_of_the_switch(board)[carol.host] == [b, c]

    run_virtual(scenario())


def test_section_7_two_that_are_joined_are_told_each_others_names():
    async def scenario():
        async with switchboard() as board:
            alice, bob, carol = [await board.phone(name) for name in ("alice", "bob", "carol")]
            first, at_bob = await connected(board, alice, bob)
            second, at_carol = await connected(board, alice, carol)
            first.refer("carol", instead_of=second)
            await first.ended()
            await second.ended()
            await board.settle()
            at_carol.hang_up()
            await at_bob.ended()

            assert byes_of_the_switch(board)[bob.host] == [name_of(board, carol), name_of(board, bob)]

    run_virtual(scenario())


def test_a_transfer_that_fails_leaves_the_names_as_they_were():
    async def scenario():
        async with switchboard() as board:
            alice, bob, carol = [await board.phone(name) for name in ("alice", "bob", "carol")]
            at_alice, at_bob = await connected(board, alice, bob)
            at_bob.refer("carol")
            ringing = await carol.rung()
            ringing.ring()
            await board.settle()
            ringing.reject(486)
            await board.settle()
            at_bob.hang_up()
            await at_alice.ended()

            assert byes_of_the_switch(board)[alice.host][0] == name_of(board, bob)

    run_virtual(scenario())
