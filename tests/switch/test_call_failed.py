"""Every way in which a call does not come about, as the caller hears it and as the callee does."""

import pytest

from gateway.sip.events import SessionProgressed
from gateway.sip.message import Request
from gateway.switch.world import Settings
from gateway.testing.switchboard import switchboard
from gateway.testing.virtual_time import run_virtual


def test_busy():
    async def scenario():
        async with switchboard() as board:
            alice, bob = await board.phone("alice"), await board.phone("bob")
            calling = await alice.call("bob")
            (await bob.rung()).reject(486)

            cause = await calling.ended()

            assert (cause.status, cause.q850, cause.by) == (486, 17, "remote")

    run_virtual(scenario())


def test_rejected():
    async def scenario():
        async with switchboard() as board:
            alice, bob = await board.phone("alice"), await board.phone("bob")
            calling = await alice.call("bob")
            ringing = await bob.rung()
            ringing.ring()
            ringing.reject(603)

            assert (await calling.ended()).status == 603

    run_virtual(scenario())


def test_unanswered():
    async def scenario():
        async with switchboard(settings=Settings(ring_timeout_s=30.0)) as board:
            alice, bob = await board.phone("alice"), await board.phone("bob")
            calling = await alice.call("bob")
            ringing = await bob.rung()
            ringing.ring()

            assert (await calling.ended()).status == 480
            assert (await ringing.ended()).by == "remote"

    run_virtual(scenario())


def test_cancelled():
    async def scenario():
        async with switchboard() as board:
            alice, bob = await board.phone("alice"), await board.phone("bob")
            calling = await alice.call("bob")
            ringing = await bob.rung()
            ringing.ring()
            await calling.expect(SessionProgressed)

            calling.hang_up()

            assert (await ringing.ended()).status == 487
            await board.settle()
            assert [line["status"] for line in board.log.all("call.ended")] == [487]

    run_virtual(scenario())


def test_cancelled_at_once_before_anything_rings():
    async def scenario():
        async with switchboard() as board:
            alice, bob = await board.phone("alice"), await board.phone("bob")
            calling = await alice.call("bob")
            calling.hang_up()

            assert (await calling.ended()).by == "local"
            await board.settle()
            assert board.switch.calls == 0
            assert list(bob.unanswered()) == []

    run_virtual(scenario())


def test_a_phone_that_has_gone_is_lost_after_timer_b():
    async def scenario():
        async with switchboard() as board:
            alice, bob = await board.phone("alice"), await board.phone("bob")
            board.network.unplug(bob.rim)
            calling = await alice.call("bob")

            cause = await calling.ended()

            assert (cause.status, cause.q850) == (408, 18)

    run_virtual(scenario())


def test_nobody_of_that_name():
    async def scenario():
        async with switchboard() as board:
            alice = await board.phone("alice")

            assert (await (await alice.call("zebedee")).ended()).status == 404

    run_virtual(scenario())


def test_a_user_whose_phone_is_off():
    async def scenario():
        async with switchboard() as board:
            alice = await board.phone("alice")

            cause = await (await alice.call("bob")).ended()

            assert (cause.status, cause.q850) == (480, 20)

    run_virtual(scenario())


def test_a_stranger_reaches_nobody():
    async def scenario():
        async with switchboard() as board:
            await board.phone("bob")
            stranger = await board.phone("mallory", password=None)

            cause = await (await stranger.call("bob")).ended()

            assert cause.status in {401, 403, 407}
            assert not board.log.all("call.offered")

    run_virtual(scenario())


def test_a_wrong_password_reaches_nobody():
    async def scenario():
        async with switchboard() as board:
            await board.phone("bob")
            liar = await board.phone("alice", password="guess", registered=False)

            assert (await (await liar.call("bob")).ended()).status in {401, 403, 407}
            assert not board.log.all("call.offered")

    run_virtual(scenario())


def test_no_codec_in_common_is_told_in_words_and_disturbs_nobody():
    async def scenario():
        async with switchboard() as board:
            alice, bob = await board.phone("alice", formats=(9,)), await board.phone("bob")

            cause = await (await alice.call("bob")).ended()

            assert cause.status == 488
            refusal = next(
                each.message
                for each in board.network.passed
                if not isinstance(each.message, Request) and each.message.status == 488
            )
            assert "g722" in (refusal.headers.get("Warning") or "").lower()
            assert "INVITE" not in invitations_to(board, bob)

    run_virtual(scenario())


def invitations_to(board, phone):
    passed = (each for each in board.network.passed if each.destination[0] == phone.host)
    return [each.message.method for each in passed if isinstance(each.message, Request)]


def test_a_callee_without_a_codec_of_ours_is_hung_up_and_the_caller_told_488():
    async def scenario():
        async with switchboard() as board:
            alice, bob = await board.phone("alice"), await board.phone("bob", formats=(9,))
            calling = await alice.call("bob")
            await (await bob.rung()).answer()

            assert (await calling.ended()).status == 488

    run_virtual(scenario())


def test_no_media_port_is_an_overload_with_a_time_to_come_back():
    async def scenario():
        async with switchboard() as board:
            alice, _ = await board.phone("alice"), await board.phone("bob")
            board.media.take_all_ports()

            assert (await (await alice.call("bob")).ended()).status == 503
            assert retry_after(board) is not None

    run_virtual(scenario())


def retry_after(board):
    refusals = (each.message for each in board.network.passed if not isinstance(each.message, Request))
    return next(each.headers.get("Retry-After") for each in refusals if each.status == 503)


def test_one_call_too_many_is_refused_before_anything_is_done_for_it():
    async def scenario():
        async with switchboard(settings=Settings(max_calls=1)) as board:
            alice = await board.phone("alice")
            first = await alice.call("echo")
            await board.settle()

            assert (await (await alice.call("echo")).ended()).status == 503
            assert 2 <= int(retry_after(board)) <= 8
            first.hang_up()

    run_virtual(scenario())


def test_while_draining_new_calls_are_refused_and_old_ones_go_on():
    async def scenario():
        async with switchboard() as board:
            alice = await board.phone("alice")
            first = await alice.call("echo")
            await board.settle()

            board.switch.drain()

            assert (await (await alice.call("echo")).ended()).status == 503
            assert board.switch.calls == 1
            first.hang_up()
            await board.switch.quiet()

    run_virtual(scenario())


def test_the_end_of_the_switch_hangs_up_every_call():
    async def scenario():
        async with switchboard() as board:
            alice, bob = await board.phone("alice"), await board.phone("bob")
            echo, calling = await alice.call("echo"), await alice.call("bob")
            ringing = await bob.rung()
            ringing.ring()
            await board.settle()

            board.switch.end_all()

            assert (await echo.ended()).by == "remote"
            assert (await calling.ended()).status == 503
            await ringing.ended()

    run_virtual(scenario())


@pytest.mark.parametrize("lost", range(12))
def test_a_call_comes_about_and_ends_though_any_one_message_is_lost(lost):
    """RFC 3261 section 17: every message is repeated until it was heard."""

    async def scenario():
        async with switchboard() as board:
            alice, bob = await board.phone("alice"), await board.phone("bob")
            begun = len(board.network.passed)
            board.network.lose = lambda _: len(board.network.passed) == begun + lost
            calling = await alice.call("bob")
            ringing = await bob.rung()
            await ringing.answer()
            await board.settle(5.0)
            calling.hang_up()
            await ringing.ended()
            await board.settle(5.0)
            assert board.switch.calls == 0

    run_virtual(scenario())
