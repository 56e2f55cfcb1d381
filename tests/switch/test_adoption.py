"""The switch is killed while calls are up: its successor goes on with those whose parties talk, and ends the others."""

import asyncio
import json

from gateway.ids import CallId
from gateway.sip.events import OfferAnswered, SessionAnswered, SessionProgressed
from gateway.switch.world import Settings
from gateway.testing.application import NUMBER, application_board
from gateway.testing.phone import direction_in, port_in
from gateway.testing.switchboard import SWITCH, switchboard
from gateway.testing.virtual_time import run_virtual

HANG_UP = json.dumps({"action": {"name": "hangup"}}).encode()


async def talking(board, caller="alice", callee="bob"):
    alice, bob = await board.phone(caller), await board.phone(callee)
    calling = await alice.call(callee)
    ringing = await bob.rung()
    ringing.ring()
    await calling.expect(SessionProgressed)
    await ringing.answer()
    answered = await calling.expect(SessionAnswered)
    await board.settle()
    return calling, ringing, answered.sdp


def test_rows_and_rooms_are_as_they_were():
    async def scenario():
        async with switchboard() as board:
            calling, _, sdp = await talking(board)
            before = board.media.rooms

            await board.crash()
            await board.settle()

            assert board.media.rooms == before
            assert board.media.row_at(port_in(sdp)).remote == ("192.0.2.11", 40_011)
            assert board.log.all("calls.inherited") == [{"calls": 1, "ended": 0}]
            calling.hang_up()

    run_virtual(scenario())


def test_nobody_is_told_anything():
    async def scenario():
        async with switchboard() as board:
            calling, _, _ = await talking(board)
            said = len(board.network.passed)

            await board.crash()
            await board.settle(30)

            assert len(board.network.passed) == said
            calling.hang_up()

    run_virtual(scenario())


def test_a_bye_of_the_caller_ends_both_legs():
    async def scenario():
        async with switchboard() as board:
            calling, ringing, _ = await talking(board)
            await board.crash()
            await board.settle()

            calling.hang_up()

            assert (await ringing.ended()).by == "remote"

    run_virtual(scenario())


def test_a_bye_of_the_callee_ends_both_legs_and_the_log_has_the_whole_time():
    async def scenario():
        async with switchboard() as board:
            calling, ringing, _ = await talking(board)
            await board.settle(10)
            await board.crash()
            await board.settle(10)

            ringing.hang_up()

            assert (await calling.ended()).by == "remote"
            await board.settle()
            last = board.log.all("call.ended")[-1]
            assert (last["by"], last["user"]) == ("callee", "alice")
            assert 20 < last["lasted_s"] < 25

    run_virtual(scenario())


def test_a_call_is_put_on_hold_after_the_crash():
    async def scenario():
        async with switchboard() as board:
            calling, ringing, _ = await talking(board)
            await board.crash()
            await board.settle()

            calling.reoffer(calling.phone.sdp(direction="sendonly", version=2))
            answer = await calling.expect(OfferAnswered)

            assert direction_in(answer.sdp) == "recvonly"
            assert board.media.row_at(port_in(ringing.offer)).hold == "music"
            calling.hang_up()

    run_virtual(scenario())


def test_a_call_survives_two_crashes():
    async def scenario():
        async with switchboard() as board:
            calling, ringing, _ = await talking(board)
            await board.crash()
            await board.settle()
            await board.crash()
            await board.settle()

            calling.hang_up()

            assert (await ringing.ended()).by == "remote"

    run_virtual(scenario())


def test_the_longest_time_counts_from_the_answer():
    async def scenario():
        async with switchboard(settings=Settings(max_call_s=60)) as board:
            calling, _, _ = await talking(board)
            await board.settle(40)
            await board.crash()
            crashed = asyncio.get_running_loop().time()

            await calling.ended()

            assert 15 < asyncio.get_running_loop().time() - crashed < 21

    run_virtual(scenario())


def test_an_echo_goes_on():
    async def scenario():
        async with switchboard() as board:
            alice = await board.phone("alice")
            calling = await alice.call("echo")
            sdp = (await calling.expect(SessionAnswered)).sdp
            await board.settle()

            await board.crash()
            await board.settle()

            assert board.media.row_at(port_in(sdp)).source == "echo"
            calling.hang_up()

    run_virtual(scenario())


def test_a_call_that_rings_is_refused_and_cancelled():
    async def scenario():
        async with switchboard() as board:
            alice, bob = await board.phone("alice"), await board.phone("bob")
            calling = await alice.call("bob")
            ringing = await bob.rung()
            ringing.ring()
            await calling.expect(SessionProgressed)
            await board.settle()

            await board.crash()

            assert (await calling.ended()).status == 500
            assert (await ringing.ended()).by == "remote"

    run_virtual(scenario())


def test_a_callee_who_answers_nobody_is_hung_up():
    async def scenario():
        async with switchboard() as board:
            alice, bob = await board.phone("alice"), await board.phone("bob")
            calling = await alice.call("bob")
            ringing = await bob.rung()
            ringing.ring()
            await calling.expect(SessionProgressed)
            board.network.lose = lambda passed: True
            answer = asyncio.ensure_future(ringing.answer())
            await board.settle(0.05)

            await board.crash()
            board.network.lose = lambda passed: False

            await answer
            assert (await ringing.ended()).by == "remote"
            await calling.ended()

    run_virtual(scenario())


def test_a_call_without_its_rows_is_ended():
    async def scenario():
        async with switchboard() as board:
            calling, ringing, _ = await talking(board)
            board.media.rows.clear()
            board.media.leases.clear()

            await board.crash()

            assert (await calling.ended()).by == "remote"
            assert (await ringing.ended()).by == "remote"

    run_virtual(scenario())


def test_a_note_that_cannot_be_read_is_erased():
    async def scenario():
        async with switchboard() as board:
            board.memory.keep("call", b"\xc1 of another version")
            await board.crash()
            await board.settle()

            assert len(board.memory) == 0

    run_virtual(scenario())


# Calls of applications.


async def steered(house, **action):
    """Have alice call a number, and the carrier answer; return her end, the carrier's, and the call's id."""
    carrier, alice = await house.carrier(), await house.board.phone("alice")
    house.server.says("ice", {"action": {"name": "connectPstn", "number": NUMBER, **action}})
    house.server.says("ace", {"action": {"name": "continue"}})
    calling = await alice.call(NUMBER)
    ringing = await carrier.rung()
    await ringing.answer()
    await calling.expect(SessionAnswered)
    await house.board.settle()
    return calling, ringing, CallId(house.server.told("ice")["callid"])


def test_an_applications_call_is_known_and_hung_up_by_its_manager():
    async def scenario():
        async with application_board() as first:
            calling, ringing, call = await steered(first)
            house = await first.crash()
            await house.board.settle()

            found = await house.desk.find(found_in(house), call)
            assert found.ongoing
            await house.desk.manage(found_in(house), call, HANG_UP)

            await calling.ended()
            await ringing.ended()
            await house.board.settle()
            assert house.ended().reason == "MANAGERHANGUP"

    run_virtual(scenario())


def found_in(house):
    (application,) = house.directory.applications()
    return application.key


def test_it_is_billed_from_its_answer_to_its_end_and_told_once():
    async def scenario():
        async with application_board() as first:
            calling, _, _ = await steered(first)
            await first.board.settle(30)
            house = await first.crash()
            await house.board.settle(30)

            calling.hang_up()
            await house.board.settle()

            assert house.ended().duration_s in (61, 62)
            assert (house.ended().result, house.ended().reason) == ("ANSWERED", "CALLERHANGUP")
            assert house.dice()["duration"] in (61, 62)

    run_virtual(scenario())


def test_its_longest_time_is_the_one_that_its_document_gave():
    async def scenario():
        async with application_board() as first:
            calling, _, _ = await steered(first, maxDuration=100)
            house = await first.crash()

            await calling.ended()
            await house.board.settle()

            assert house.ended().duration_s in (99, 100, 101)
            assert house.ended().reason == "TIMEOUT"

    run_virtual(scenario())


def test_a_conference_goes_on_with_its_members_and_their_states():
    async def scenario():
        async with application_board() as first:
            first.server.says(
                "ice", {"action": {"name": "connectConf", "conferenceId": "lounge", "moh": "music1"}}
            )
            phones = [await first.board.phone(name) for name in ("alice", "bob")]
            calls = [await phone.call("lounge") for phone in phones]
            for call in calls:
                await call.expect(SessionAnswered)
            await first.board.settle()
            rooms = first.board.media.rooms
            house = await first.crash()
            await house.board.settle()

            assert len(house.desk.conference(found_in(house), "lounge")) == 2
            assert house.board.media.rooms == rooms
            assert all(row.hold is None for row in house.board.media.rows.values())
            for call in calls:
                call.hang_up()
            await house.board.settle()
            assert len(house.book.finished) == 2

    run_virtual(scenario())


def test_a_call_whose_application_is_being_asked_is_ended_and_recorded():
    async def scenario():
        async with application_board() as first:
            carrier, alice = await first.carrier(), await first.board.phone("alice")
            first.server.says("ice", {"action": {"name": "connectPstn", "number": NUMBER}})
            first.server.says("ace", {"action": {"name": "continue"}}, after_s=4.0)
            calling = await alice.call(NUMBER)
            ringing = await carrier.rung()
            await ringing.answer()
            await first.board.settle()
            house = await first.crash()

            await calling.ended()
            await ringing.ended()
            await house.board.settle()

            assert house.ended().reason == "GENERALERROR"

    run_virtual(scenario())


def test_somebody_who_calls_is_noted_before_100_is_said():
    async def scenario():
        async with application_board() as house:
            alice = await house.board.phone("alice")
            house.server.says("ice", {"action": {"name": "hangup"}}, after_s=1.0)
            said = len(house.board.network.said_by(SWITCH))

            await alice.call(NUMBER)
            await house.board.settle(0.1)

            assert len(house.board.memory) == 1
            assert house.board.network.said_by(SWITCH)[said:] == ["401"]

    run_virtual(scenario())


def test_nothing_is_left_of_a_note_when_everybody_has_been_told_of_the_end():
    async def scenario():
        async with application_board() as house:
            calling, ringing, _ = await steered(house)
            assert len(house.board.memory) == 1
            calling.hang_up()

            await ringing.ended()

            assert len(house.board.memory) == 0

    run_virtual(scenario())
