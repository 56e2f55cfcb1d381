"""Calls through trunks: who is asked after whom, what is told, and who may come in."""

import ipaddress
from dataclasses import replace

import pytest

from gateway.sip.events import SessionAnswered
from gateway.sip.message import Request
from gateway.sip.uri import parse_uri_untrusted
from gateway.switch.doors import Door, Doors
from gateway.switch.routing import RoutingTable, Trunk
from gateway.switch.trunk_identity import Presentation
from gateway.switch.trunk_numbers import NumberFormat
from gateway.switch.world import Settings
from gateway.testing.switchboard import switchboard
from gateway.testing.virtual_time import run_virtual

ONE, TWO, ELSEWHERE = "192.0.2.201", "192.0.2.202", "198.51.100.7"
NUMBER = "+15550100"
FIRST = Trunk("first", parse_uri_untrusted(f"sip:{ONE}"), prefix="+")
SECOND = Trunk("second", parse_uri_untrusted(f"sip:{TWO}"), prefix="+", priority=1)
BOTH_DOORS = Doors.of_addresses({ONE: "first", TWO: "second"})


def board_with(*trunks, doors=BOTH_DOORS, numbers=None, users=("alice", "bob")):
    table = RoutingTable(frozenset({"alice", "bob"}), numbers or {}, trunks)
    settings = Settings(table=table, doors=doors)
    return switchboard(settings=settings, users=users, trunks=[ONE, TWO])


async def carrier(board, host):
    return await board.phone(NUMBER, host=host, registered=False, password=None)


def invites_to(board, host):
    return [
        passed.message
        for passed in board.network.passed
        if passed.destination[0] == host
        and isinstance(passed.message, Request)
        and passed.message.method == "INVITE"
    ]


async def answered_by(phone, calling):
    await (await phone.rung()).answer()
    await calling.expect(SessionAnswered)
    calling.hang_up()


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_server_failure_is_offered_to_the_next_trunk(status):
    async def scenario():
        async with board_with(FIRST, SECOND) as board:
            alice, one, two = await board.phone("alice"), await carrier(board, ONE), await carrier(board, TWO)
            calling = await alice.call(NUMBER)
            (await one.rung()).reject(status)

            await answered_by(two, calling)

            (refused,), (taken,) = invites_to(board, ONE), invites_to(board, TWO)
            assert refused.call_id != taken.call_id
            assert refused.via.branch != taken.via.branch

    run_virtual(scenario())


@pytest.mark.parametrize("status", [302, 404, 408, 480, 486, 488, 600, 603])
def test_a_refusal_of_the_callee_is_final(status):
    async def scenario():
        async with board_with(FIRST, SECOND) as board:
            alice, one = await board.phone("alice"), await carrier(board, ONE)
            calling = await alice.call(NUMBER)
            (await one.rung()).reject(status)

            await calling.ended()
            assert not invites_to(board, TWO)

    run_virtual(scenario())


def test_a_server_that_says_nothing_is_given_four_seconds():
    async def scenario():
        async with board_with(FIRST, SECOND) as board:
            alice, two = await board.phone("alice"), await carrier(board, TWO)
            began = board.world.clock.now()
            calling = await alice.call(NUMBER)
            ringing = await two.rung()

            assert 4.0 < board.world.clock.now() - began < 4.2
            await ringing.answer()
            await calling.expect(SessionAnswered)
            calling.hang_up()
            assert [line["server"] for line in board.log.all("trunk.failed")] == [f"udp:{ONE}:5060"]

    run_virtual(scenario())


def test_a_server_that_is_busy_with_the_call_is_waited_for():
    async def scenario():
        async with board_with(FIRST, SECOND) as board:
            alice, one = await board.phone("alice"), await carrier(board, ONE)
            calling = await alice.call(NUMBER)
            ringing = await one.rung()  # 100 was said
            await board.settle(20)

            await ringing.answer()
            await calling.expect(SessionAnswered)
            calling.hang_up()
            assert not invites_to(board, TWO)

    run_virtual(scenario())


def test_the_servers_of_a_name_are_asked_in_their_order():
    async def scenario():
        trunk = Trunk("pool", parse_uri_untrusted("sip:pool.example"), prefix="+")
        async with board_with(trunk) as board:
            board.network.names["pool.example"] = [ONE, TWO]
            alice, one, two = await board.phone("alice"), await carrier(board, ONE), await carrier(board, TWO)
            calling = await alice.call(NUMBER)
            (await one.rung()).reject(503)
            await answered_by(two, calling)

            again = await alice.call(NUMBER)
            await answered_by(two, again)
            assert len(invites_to(board, ONE)) == 1, "it said 503 a moment ago"

    run_virtual(scenario())


def test_when_every_trunk_fails_the_caller_hears_the_best_reason():
    async def scenario():
        async with board_with(FIRST, SECOND) as board:
            alice, one, two = await board.phone("alice"), await carrier(board, ONE), await carrier(board, TWO)
            calling = await alice.call(NUMBER)
            (await one.rung()).reject(503)
            (await two.rung()).reject(404)

            assert (await calling.ended()).status == 404

    run_virtual(scenario())


def test_a_trunk_of_a_longer_prefix_is_not_gone_round():
    async def scenario():
        american = replace(SECOND, prefix="+1")
        async with board_with(FIRST, american) as board:
            alice, two = await board.phone("alice"), await carrier(board, TWO)
            calling = await alice.call(NUMBER)
            (await two.rung()).reject(503)

            assert (await calling.ended()).status == 500
            assert not invites_to(board, ONE)

    run_virtual(scenario())


def test_a_full_trunk_is_passed_over_and_two_full_ones_refuse_in_words():
    async def scenario():
        async with board_with(replace(FIRST, max_calls=1), replace(SECOND, max_calls=1)) as board:
            alice, one, two = await board.phone("alice"), await carrier(board, ONE), await carrier(board, TWO)
            first = await alice.call(NUMBER)
            await (await one.rung()).answer()
            second = await alice.call(NUMBER)
            await (await two.rung()).answer()

            cause = await (await alice.call(NUMBER)).ended()

            assert (cause.status, cause.reason) == (503, "trunk first carries its 1 calls")
            first.hang_up()
            second.hang_up()
            await board.settle()
            assert board.world.trunks.calls_gauge() == {"first": 0.0, "second": 0.0}

    run_virtual(scenario())


def test_a_call_that_comes_in_takes_a_place_as_well():
    async def scenario():
        async with board_with(replace(FIRST, max_calls=1)) as board:
            bob, one = await board.phone("bob"), await carrier(board, ONE)
            first = await one.call("bob")
            await (await bob.rung()).answer()
            await first.expect(SessionAnswered)

            assert (await (await one.call("bob")).ended()).status == 503
            first.hang_up()

    run_virtual(scenario())


def test_numbers_go_out_and_come_in_in_the_trunks_format():
    async def scenario():
        trunk = replace(
            FIRST,
            numbers=NumberFormat("national", country="46"),
            presentation=Presentation(caller_id="+46700000001"),
        )
        async with board_with(trunk, numbers={"+46700000001": "app"}) as board:
            alice, one = await board.phone("alice"), await carrier(board, ONE)
            calling = await alice.call("+46701234567")
            offered = (await one.rung()).offered.request
            calling.hang_up()

            assert (offered.uri.user, offered.from_.uri.user) == ("0701234567", "0700000001")
            await (await one.call("0700000001")).ended()
            assert board.log.all("call.offered")[-1]["dialled"] == "+46700000001"

    run_virtual(scenario())


def by_key(*, both=False):
    networks = (ipaddress.ip_network(f"{ONE}/32"),) if both else ()
    return Doors([Door("first", networks, key="app", both=both)])


@pytest.mark.parametrize(
    ("password", "both", "dialled", "status"),
    [
        ("secret", False, "carol", 404),  # it is known, and there is no carol
        ("secret", False, NUMBER, 404),  # and pays for no call out
        ("secret", False, "echo", 404),
        ("secret", True, "bob", 403),
        ("wrong", False, "bob", 401),
        (None, False, "bob", 401),
    ],
)
def test_a_trunk_by_digest_is_its_applications_key(password, both, dialled, status):
    async def scenario():
        async with board_with(FIRST, doors=by_key(both=both), users=("alice", "bob", "app")) as board:
            pbx = await board.phone("app", host=ELSEWHERE, registered=False, password=password)

            assert (await (await pbx.call(dialled)).ended()).status == status

    run_virtual(scenario())


def test_a_trunk_by_digest_reaches_a_user():
    async def scenario():
        async with board_with(FIRST, doors=by_key(), users=("alice", "bob", "app")) as board:
            bob = await board.phone("bob")
            pbx = await board.phone("app", host=ELSEWHERE, registered=False)
            calling = await pbx.call("bob")
            await answered_by(bob, calling)

            assert board.log.all("call.offered")[0]["trunk"] == "first"
            assert board.log.all("call.offered")[0]["user"] is None

    run_virtual(scenario())
