"""RFC 7989 across a switch: both legs of a call say the same two names, in every message."""

from __future__ import annotations

from gateway.observe.trace import Traced
from gateway.observe.trace.ladder import rungs_of
from gateway.sip.message import Request
from gateway.testing.switchboard import switchboard
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
