"""Several phones of one user, early media, trunks, rooms and the built-in destinations."""

from gateway.sip.events import SessionAnswered, SessionProgressed
from gateway.sip.message import Request
from gateway.sip.uri import parse_uri_untrusted
from gateway.switch.doors import Doors
from gateway.switch.routing import RoutingTable, Trunk
from gateway.switch.world import Settings
from gateway.testing.phone import formats_in, port_in
from gateway.testing.switchboard import switchboard
from gateway.testing.virtual_time import run_virtual

CARRIER = "192.0.2.200"


def test_both_phones_of_a_user_ring_and_the_first_answer_wins():
    async def scenario():
        async with switchboard() as board:
            alice = await board.phone("alice")
            desk, mobile = await board.phone("bob"), await board.phone("bob")
            calling = await alice.call("bob")
            on_desk, on_mobile = await desk.rung(), await mobile.rung()
            on_desk.ring()
            on_mobile.ring()

            await on_mobile.answer()

            answered = await calling.expect(SessionAnswered)
            cause = await on_desk.ended()
            assert (cause.status, cause.reason) == (200, "Call completed elsewhere")
            await board.settle()
            assert len(board.media.leases) == 2
            a = board.media.row_at(port_in(answered.sdp))
            assert board.media.rooms[a.room] == {a.leg, board.media.row_at(port_in(on_mobile.offer)).leg}
            calling.hang_up()

    run_virtual(scenario())


def test_busy_on_one_phone_leaves_the_other_ringing():
    async def scenario():
        async with switchboard() as board:
            alice = await board.phone("alice")
            desk, mobile = await board.phone("bob"), await board.phone("bob")
            calling = await alice.call("bob")
            (await desk.rung()).reject(486)
            await board.settle()

            await (await mobile.rung()).answer()

            await calling.expect(SessionAnswered)
            calling.hang_up()

    run_virtual(scenario())


def test_a_decline_on_one_phone_speaks_for_the_user():
    """RFC 3261 section 16.7: a 6xx stops the fork."""

    async def scenario():
        async with switchboard() as board:
            alice = await board.phone("alice")
            desk, mobile = await board.phone("bob"), await board.phone("bob")
            calling = await alice.call("bob")
            on_mobile = await mobile.rung()
            (await desk.rung()).reject(603)

            assert (await calling.ended()).status == 603
            await on_mobile.ended()

    run_virtual(scenario())


def test_when_all_phones_fail_the_one_that_knows_most_is_told():
    async def scenario():
        async with switchboard() as board:
            alice = await board.phone("alice")
            desk, mobile = await board.phone("bob"), await board.phone("bob")
            calling = await alice.call("bob")
            (await desk.rung()).reject(486)
            (await mobile.rung()).reject(480)

            assert (await calling.ended()).status == 486

    run_virtual(scenario())


def test_early_media_is_bridged_and_the_same_answer_repeated():
    """RFC 3960; RFC 6337: the answer in an unreliable 18x is repeated in the 200."""

    async def scenario():
        async with switchboard() as board:
            alice, bob = await board.phone("alice"), await board.phone("bob")
            calling = await alice.call("bob")
            ringing = await bob.rung()
            ringing.ring(status=180, sdp=bob.sdp())

            early = await calling.expect(SessionProgressed)
            assert early.status == 183
            a, b = board.media.row_at(port_in(early.sdp)), board.media.row_at(port_in(ringing.offer))
            assert board.media.rooms == {a.room: frozenset({a.leg, b.leg})}

            await ringing.answer()
            assert (await calling.expect(SessionAnswered)).sdp == early.sdp
            calling.hang_up()

    run_virtual(scenario())


def test_when_the_branch_with_early_media_fails_another_may_be_heard():
    async def scenario():
        async with switchboard() as board:
            alice = await board.phone("alice")
            desk, mobile = await board.phone("bob"), await board.phone("bob")
            calling = await alice.call("bob")
            on_desk, on_mobile = await desk.rung(), await mobile.rung()
            on_desk.ring(sdp=desk.sdp())
            early = await calling.expect(SessionProgressed)

            on_desk.reject(486)
            await board.settle()
            on_mobile.ring(sdp=mobile.sdp())
            await board.settle()

            a = board.media.row_at(port_in(early.sdp))
            assert board.media.rooms[a.room] == {a.leg, board.media.row_at(port_in(on_mobile.offer)).leg}
            calling.hang_up()
            await on_mobile.ended()

    run_virtual(scenario())


def test_plain_ringing_is_passed_on_as_ringing():
    async def scenario():
        async with switchboard() as board:
            alice, bob = await board.phone("alice"), await board.phone("bob")
            calling = await alice.call("bob")
            ringing = await bob.rung()
            ringing.ring()

            progress = await calling.expect(SessionProgressed)

            assert (progress.status, progress.sdp) == (180, None)
            calling.hang_up()
            await ringing.ended()

    run_virtual(scenario())


def test_an_echo_is_answered_by_the_plane():
    async def scenario():
        async with switchboard() as board:
            alice = await board.phone("alice")
            calling = await alice.call("echo")

            answered = await calling.expect(SessionAnswered)

            row = board.media.row_at(port_in(answered.sdp))
            assert (row.source, row.room) == ("echo", None)
            calling.hang_up()

    run_virtual(scenario())


def test_three_callers_meet_in_a_conference_room():
    async def scenario():
        async with switchboard() as board:
            phones = [await board.phone(name) for name in ("alice", "bob", "carol")]
            calls = [await phone.call("conf-standup") for phone in phones]
            for call in calls:
                await call.expect(SessionAnswered)

            assert [len(legs) for legs in board.media.rooms.values()] == [3]
            for call in calls:
                call.hang_up()

    run_virtual(scenario())


def with_trunk():
    trunk = Trunk(
        "carrier", parse_uri_untrusted(f"sip:{CARRIER}:5060"), prefix="+", codecs=("g729", "pcma", "pcmu")
    )
    users = frozenset({"alice", "bob"})
    return Settings(table=RoutingTable(users, {}, (trunk,)), doors=Doors.of_addresses({CARRIER: "carrier"}))


def test_a_number_leaves_through_the_trunk_with_the_codecs_it_wants():
    async def scenario():
        async with switchboard(settings=with_trunk(), trunks=[CARRIER]) as board:
            alice = await board.phone("alice")
            carrier = await board.phone("carrier", host=CARRIER, registered=False)
            calling = await alice.call("+15550100")
            ringing = await carrier.rung()

            assert str(ringing.offered.request.uri) == f"sip:+15550100@{CARRIER}:5060"
            assert formats_in(ringing.offer) == (18, 8, 0, 101)
            await ringing.answer()
            await calling.expect(SessionAnswered)
            calling.hang_up()

    run_virtual(scenario())


def test_a_call_from_the_trunk_reaches_a_user_without_a_password():
    async def scenario():
        async with switchboard(settings=with_trunk(), trunks=[CARRIER]) as board:
            bob = await board.phone("bob")
            carrier = await board.phone("+15550100", host=CARRIER, registered=False, password=None)
            calling = await carrier.call("bob")
            ringing = await bob.rung()

            assert ringing.offered.request.from_.uri.user == "+15550100"
            await ringing.answer()
            await calling.expect(SessionAnswered)
            calling.hang_up()

    run_virtual(scenario())


def test_a_call_from_the_trunk_does_not_leave_through_a_trunk():
    async def scenario():
        async with switchboard(settings=with_trunk(), trunks=[CARRIER]) as board:
            carrier = await board.phone("+15550100", host=CARRIER, registered=False, password=None)
            before = len(board.network.passed)
            calling = await carrier.call("+15550199")

            assert (await calling.ended()).status == 404
            sent = (each for each in board.network.passed[before:] if each.destination[0] == CARRIER)
            assert not any(isinstance(each.message, Request) for each in sent)

    run_virtual(scenario())


def test_a_trunk_that_is_silent_is_told_as_lost():
    async def scenario():
        async with switchboard(settings=with_trunk(), trunks=[CARRIER]) as board:
            alice = await board.phone("alice")

            assert (await (await alice.call("+15550100")).ended()).status == 408

    run_virtual(scenario())


def test_an_overloaded_trunk_is_not_our_own_overload():
    async def scenario():
        async with switchboard(settings=with_trunk(), trunks=[CARRIER]) as board:
            alice = await board.phone("alice")
            carrier = await board.phone("carrier", host=CARRIER, registered=False)
            calling = await alice.call("+15550100")
            (await carrier.rung()).reject(503)

            assert (await calling.ended()).status == 500

    run_virtual(scenario())
