"""Calls that an application steers from the ICE to the DiCE: how they go, and how each end is told."""

from decimal import Decimal

import pytest

from gateway.sip.events import SessionAnswered, SessionProgressed
from gateway.switch.records import Money, Number, Rate
from gateway.switch.steering import Ear
from gateway.testing.application import APPLICATION, NUMBER, application_board
from gateway.testing.phone import port_in
from gateway.testing.virtual_time import run_virtual

DID = "+46700000001"
OWNED = Number(DID, APPLICATION.key)
RATE = Rate("+1", "US", "Fixed", Money(Decimal("0.0095"), "USD"))
CONNECT = {"action": {"name": "connectPstn"}}


async def connected(house, **action):
    """Have alice call a number, and the carrier answer; return both ends."""
    house.server.says("ice", {"action": {"name": "connectPstn", **action}})
    alice, carrier = await house.board.phone("alice"), await house.carrier()
    calling = await alice.call(NUMBER)
    ringing = await carrier.rung()
    ringing.ring()
    await calling.expect(SessionProgressed)
    await ringing.answer()
    await calling.expect(SessionAnswered)
    await house.board.settle()
    return calling, ringing


def test_app_to_phone_is_told_in_order_and_in_every_field():
    async def scenario():
        async with application_board(rates=[RATE]) as house:
            calling, ringing = await connected(house)
            await house.board.settle(11)
            calling.hang_up()
            await ringing.ended()
            await house.board.settle()

            assert house.server.events == ["ice", "ace"]
            ice, dice = house.server.told("ice"), house.dice()
            assert ice["callid"] == house.server.told("ace")["callid"] == dice["callid"]
            assert ice["callResourceUrl"] == f"http://switch.example/calling/v1/calls/id/{ice['callid']}"
            assert (ice["to"], ice["domain"]) == ({"type": "number", "endpoint": NUMBER}, "pstn")
            assert (ice["originationType"], ice["user"], ice["cli"]) == ("MXP", "alice", "alice")
            assert ice["userRate"] == {"currencyId": "USD", "amount": 0.0095}
            assert (dice["result"], dice["reason"], dice["duration"]) == ("ANSWERED", "CALLERHANGUP", 12)
            assert dice["to"] == {"type": "number", "endpoint": NUMBER.removeprefix("+")}
            assert (dice["from"], dice["debit"]["amount"]) == ("alice", 0.0095)
            assert house.ended().kind == "phone_terminated"

    run_virtual(scenario())


def test_both_parties_hear_each_other():
    async def scenario():
        async with application_board() as house:
            calling, _ = await connected(house)

            ((_, members),) = house.board.media.rooms.items()
            assert len(members) == 2
            calling.hang_up()

    run_virtual(scenario())


def test_the_callee_hangs_up():
    async def scenario():
        async with application_board() as house:
            calling, ringing = await connected(house)
            ringing.hang_up()
            await calling.ended()
            await house.board.settle()

            assert (house.dice()["result"], house.dice()["reason"]) == ("ANSWERED", "CALLEEHANGUP")

    run_virtual(scenario())


@pytest.mark.parametrize(
    ("status", "result", "reason"),
    [
        (486, "BUSY", "N/A"),
        (480, "NOANSWER", "TIMEOUT"),
        (403, "FAILED", "BLOCKED"),
        (603, "FAILED", "BLOCKED"),
        (404, "FAILED", "GENERALERROR"),
        (503, "FAILED", "CONGESTION"),
    ],
)
def test_a_refusal_is_told(status, result, reason):
    async def scenario():
        async with application_board() as house:
            house.server.says("ice", CONNECT)
            alice, carrier = await house.board.phone("alice"), await house.carrier()
            calling = await alice.call(NUMBER)
            (await carrier.rung()).reject(status)
            await calling.ended()
            await house.board.settle()

            dice = house.dice()
            assert (dice["result"], dice["reason"]) == (result, reason)
            assert "duration" not in dice
            assert house.server.events == ["ice"]

    run_virtual(scenario())


def test_nobody_answers_within_the_dial_timeout():
    async def scenario():
        async with application_board() as house:
            house.server.says("ice", {"action": {"name": "connectPstn", "dialTimeout": 20}})
            alice, carrier = await house.board.phone("alice"), await house.carrier()
            began = house.board.world.clock.now()
            calling = await alice.call(NUMBER)
            (await carrier.rung()).ring()
            await calling.ended()
            await house.board.settle()

            assert house.ended().ended_at - house.ended().started_at == pytest.approx(20, abs=0.2)
            assert house.board.world.clock.now() - began < 22
            assert (house.dice()["result"], house.dice()["reason"]) == ("NOANSWER", "TIMEOUT")

    run_virtual(scenario())


def test_the_caller_gives_up():
    async def scenario():
        async with application_board() as house:
            house.server.says("ice", CONNECT)
            alice, carrier = await house.board.phone("alice"), await house.carrier()
            calling = await alice.call(NUMBER)
            ringing = await carrier.rung()
            ringing.ring()
            await calling.expect(SessionProgressed)
            calling.hang_up()
            await ringing.ended()
            await house.board.settle()

            assert (house.dice()["result"], house.dice()["reason"]) == ("NOANSWER", "CANCEL")

    run_virtual(scenario())


def test_the_caller_gives_up_while_the_application_thinks():
    async def scenario():
        async with application_board() as house:
            house.server.says("ice", CONNECT, after_s=3)
            alice = await house.board.phone("alice")
            calling = await alice.call(NUMBER)
            await house.board.settle()
            calling.hang_up()
            await house.board.settle()

            assert house.dice()["reason"] == "CANCEL"

    run_virtual(scenario())


def test_the_call_is_as_long_as_it_may_be():
    async def scenario():
        async with application_board() as house:
            calling, _ = await connected(house, maxDuration=30)
            await calling.ended()
            await house.board.settle()

            dice = house.dice()
            assert (dice["result"], dice["reason"], dice["duration"]) == ("ANSWERED", "TIMEOUT", 30)

    run_virtual(scenario())


def test_a_manager_hangs_up():
    async def scenario():
        async with application_board() as house:
            calling, ringing = await connected(house)
            callid = house.server.told("ice")["callid"]

            await house.desk.manage(
                APPLICATION.key, callid, b'{"action": {"name": "hangup"}}', ear=Ear.CALLER
            )

            await calling.ended()
            await ringing.ended()
            await house.board.settle()
            assert (house.dice()["result"], house.dice()["reason"]) == ("ANSWERED", "MANAGERHANGUP")

    run_virtual(scenario())


def test_a_shutdown_ends_the_call_and_writes_it_down():
    async def scenario():
        async with application_board() as house:
            calling, ringing = await connected(house)

            house.board.switch.drain()
            house.board.switch.end_all()

            await calling.ended()
            await ringing.ended()
            await house.board.settle()
            assert (house.dice()["result"], house.dice()["reason"]) == ("ANSWERED", "GENERALERROR")

    run_virtual(scenario())


def test_keys_are_sent_to_the_callee_before_the_parties_meet():
    async def scenario():
        async with application_board() as house:
            calling, ringing = await connected(house, dtmf="1w#")

            callee = house.board.media.row_at(port_in(ringing.offer)).leg
            assert [(leg, key) for leg, key, _ in house.board.media.pressed] == [(callee, "1"), (callee, "#")]
            calling.hang_up()

    run_virtual(scenario())


def test_a_callee_that_knows_no_events_hears_tones():
    async def scenario():
        async with application_board() as house:
            house.server.says("ice", {"action": {"name": "connectPstn", "dtmf": "5"}})
            alice, carrier = await house.board.phone("alice"), await house.carrier()
            carrier.formats = (0,)
            calling = await alice.call(NUMBER)
            ringing = await carrier.rung()
            await ringing.answer()
            await calling.expect(SessionAnswered)

            tones = {row.leg for row in house.board.media.history if row.hold == "dtmf:5"}
            assert tones == {house.board.media.row_at(port_in(ringing.offer)).leg}
            assert not house.board.media.pressed
            calling.hang_up()

    run_virtual(scenario())


def test_a_phone_calls_an_owned_number_and_is_connected_to_another():
    async def scenario():
        async with application_board(numbers=[OWNED]) as house:
            house.server.says(
                "ice",
                {"action": {"name": "connectMxp", "destination": {"type": "username", "endpoint": "bob"}}},
            )
            carrier, bob = await house.carrier(), await house.board.phone("bob")
            calling = await carrier.call(DID)
            await (await bob.rung()).answer()
            await calling.expect(SessionAnswered)
            await house.board.settle(5)
            calling.hang_up()
            await house.board.settle()

            ice = house.server.told("ice")
            assert ice["to"] == {"type": "did", "endpoint": DID}
            assert (ice["originationType"], ice["cli"]) == ("PSTN", NUMBER.removeprefix("+"))
            assert house.server.events == ["ice"], "calls to users have no ACE"
            assert house.ended().kind == "phone_originated"

    run_virtual(scenario())


def test_a_phone_calls_another_through_an_owned_number():
    async def scenario():
        async with application_board(numbers=[OWNED], rates=[RATE]) as house:
            house.server.says("ice", {"action": {"name": "connectPstn", "number": "+15550199"}})
            carrier = await house.carrier()
            calling = await carrier.call(DID)
            ringing = await carrier.rung()
            await ringing.answer()
            await calling.expect(SessionAnswered)
            await house.board.settle()
            ringing.hang_up()
            await calling.ended()
            await house.board.settle()

            invite = ringing.offered.request
            assert (invite.uri.user, invite.from_.uri.user) == ("+15550199", NUMBER)
            assert house.server.events == ["ice", "ace"]
            assert (house.dice()["to"]["type"], house.dice()["reason"]) == ("did", "CALLEEHANGUP")
            assert house.ended().debit == RATE.per_minute

    run_virtual(scenario())


def test_a_prompt_before_the_answer_is_early_media():
    async def scenario():
        async with application_board() as house:
            house.server.says(
                "ice", {"instructions": [{"name": "say", "text": "Closed"}], "action": {"name": "hangup"}}
            )
            alice = await house.board.phone("alice")
            calling = await alice.call(NUMBER)
            progress = await calling.expect(SessionProgressed)

            assert (progress.status, progress.sdp is not None) == (183, True)
            await calling.ended()
            await house.board.settle()
            assert (house.dice()["result"], house.dice()["reason"]) == ("FAILED", "MANAGERHANGUP")

    run_virtual(scenario())


def test_an_answered_caller_hears_ringing_and_is_told_of_a_busy_callee():
    async def scenario():
        async with application_board() as house:
            house.server.says(
                "ice", {"instructions": [{"name": "answer"}], "action": {"name": "connectPstn"}}
            )
            alice, carrier = await house.board.phone("alice"), await house.carrier()
            calling = await alice.call(NUMBER)
            await calling.expect(SessionAnswered)
            ringing = await carrier.rung()
            await house.board.settle()
            assert [row.hold for row in house.board.media.rows.values()] == ["ring"]

            ringing.reject(486)
            await calling.ended()
            await house.board.settle()
            assert (house.dice()["result"], house.dice()["reason"]) == ("BUSY", "N/A")

    run_virtual(scenario())


def test_whoever_is_put_on_hold_by_a_sip_peer_hears_what_was_chosen():
    async def scenario():
        async with application_board(numbers=[OWNED]) as house:
            action = {"name": "connectSip", "destination": {"endpoint": "desk@192.0.2.99"}, "moh": "ring"}
            house.server.says("ice", {"action": action})
            desk = await house.board.phone("desk", host="192.0.2.99", registered=False, password=None)
            carrier = await house.carrier()
            calling = await carrier.call(DID)
            ringing = await desk.rung()
            await ringing.answer()
            await calling.expect(SessionAnswered)
            await house.board.settle()
            ringing.reoffer(desk.sdp(direction="sendonly", version=2))
            await house.board.settle()

            assert {row.hold for row in house.board.media.rows.values()} == {None, "ring"}
            calling.hang_up()

    run_virtual(scenario())


def test_suppressed_callbacks_are_neither_ace_nor_dice():
    async def scenario():
        async with application_board() as house:
            calling, _ = await connected(house, suppressCallbacks=True)
            calling.hang_up()
            await house.board.settle()

            assert house.server.events == ["ice"]
            assert not house.outbox.waiting
            assert house.ended().result == "ANSWERED"

    run_virtual(scenario())


def test_what_the_application_says_of_a_call_stands_in_its_record():
    async def scenario():
        async with application_board() as house:
            house.server.says(
                "ice",
                {
                    "instructions": [{"name": "setCookie", "key": "step", "value": "one"}],
                    "action": {"name": "connectPstn", "tags": [{"key": "team", "value": "red"}]},
                },
            )
            alice, carrier = await house.board.phone("alice"), await house.carrier()
            calling = await alice.call(NUMBER)
            await (await carrier.rung()).answer()
            await calling.expect(SessionAnswered)
            calling.hang_up()
            await house.board.settle()

            assert house.server.told("ace")["cookies"] == [{"key": "step", "value": "one"}]
            assert house.dice()["cookies"] == [{"key": "step", "value": "one"}]
            assert house.ended().tags == (("team", "red"),)

    run_virtual(scenario())


@pytest.mark.parametrize(("cli", "shown"), [(DID, DID), ("private", "anonymous"), ("+15550199", "anonymous")])
def test_a_number_of_the_application_is_shown_and_no_other(cli, shown):
    async def scenario():
        async with application_board(numbers=[OWNED]) as house:
            house.server.says("ice", {"action": {"name": "connectPstn", "cli": cli}})
            alice, carrier = await house.board.phone("alice"), await house.carrier()
            calling = await alice.call(NUMBER)
            ringing = await carrier.rung()

            assert ringing.offered.request.from_.uri.user == shown
            calling.hang_up()

    run_virtual(scenario())


def test_a_sip_address_is_called_with_the_applications_headers():
    async def scenario():
        async with application_board(numbers=[OWNED]) as house:
            house.server.says(
                "ice",
                {
                    "instructions": [{"name": "setCookie", "key": "X-Trace", "value": "7"}],
                    "action": {
                        "name": "connectSip",
                        "destination": {"endpoint": "desk@192.0.2.99:5060"},
                        "callHeaders": [{"key": "X-Order", "value": "42"}],
                    },
                },
            )
            desk = await house.board.phone("desk", host="192.0.2.99", registered=False, password=None)
            carrier = await house.carrier()
            calling = await carrier.call(DID)
            ringing = await desk.rung()
            await ringing.answer()
            await calling.expect(SessionAnswered)
            calling.hang_up()
            await house.board.settle()

            headers = ringing.offered.request.headers
            assert (headers.get("X-Trace"), headers.get("X-Order")) == ("7", "42")
            assert headers.get("P-Asserted-Identity") is None
            assert house.server.events == ["ice", "ace"]

    run_virtual(scenario())
