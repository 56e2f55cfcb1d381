"""What holds when the application says nothing, nonsense, or no: the table of callbacks, row by row."""

from dataclasses import replace
from decimal import Decimal

import pytest

from gateway.sip.events import SessionAnswered
from gateway.switch.records import Money, Number
from gateway.testing.application import APPLICATION, NUMBER, application_board
from gateway.testing.virtual_time import run_virtual

DID = "+46700000001"
OWNED = Number(DID, APPLICATION.key)
SILENT = replace(APPLICATION, callback=None)
CONNECT = {"action": {"name": "connectPstn"}}


async def call_of_alice(house, dialled=NUMBER):
    alice = await house.board.phone("alice")
    return await alice.call(dialled)


@pytest.mark.parametrize(
    ("action", "status", "result"),
    [
        ({"name": "hangup"}, 480, "FAILED"),
        ({"name": "hangup", "hangupCause": 1}, 486, "BUSY"),
        ({"name": "hangup", "hangupCause": 2}, 503, "FAILED"),
    ],
)
def test_an_ice_denies_a_call(action, status, result):
    async def scenario():
        async with application_board() as house:
            house.server.says("ice", {"action": action})
            calling = await call_of_alice(house)

            assert (await calling.ended()).status == status
            await house.board.settle()
            assert (house.dice()["result"], house.dice()["reason"]) == (result, "MANAGERHANGUP")

    run_virtual(scenario())


def test_an_ice_that_nobody_answers_plays_an_error_and_ends():
    async def scenario():
        async with application_board() as house:
            house.server.keeps_silent("ice")
            calling = await call_of_alice(house)
            await calling.ended()
            await house.board.settle()

            assert [row.hold for row in house.board.media.history if row.hold] == ["tone:425"]
            assert (house.dice()["result"], house.dice()["reason"]) == ("FAILED", "CALLBACKERROR")

    run_virtual(scenario())


def test_an_ace_that_nobody_answers_connects_the_call():
    async def scenario():
        async with application_board() as house:
            house.server.says("ice", CONNECT)
            house.server.keeps_silent("ace")
            carrier = await house.carrier()
            calling = await call_of_alice(house)
            await (await carrier.rung()).answer()

            await calling.expect(SessionAnswered)
            calling.hang_up()
            await house.board.settle()
            assert house.dice()["reason"] == "CALLERHANGUP"

    run_virtual(scenario())


def test_a_pie_that_nobody_answers_ends_the_call():
    async def scenario():
        async with application_board() as house:
            house.server.says(
                "ice",
                {
                    "action": {
                        "name": "runMenu",
                        "menus": [{"id": "main", "maxDigits": 1, "timeoutMills": 1000}],
                    }
                },
            )
            house.server.keeps_silent("pie")
            calling = await call_of_alice(house)
            await calling.expect(SessionAnswered)
            calling.press("5")
            await calling.ended()
            await house.board.settle()

            assert (house.dice()["result"], house.dice()["reason"]) == ("ANSWERED", "CALLBACKERROR")

    run_virtual(scenario())


@pytest.mark.parametrize(
    "said", [b"no JSON", b"[]", b'{"action": {"name": "dance"}}', b"", b'{"action": {"name": "continue"}}']
)
def test_an_ice_that_is_no_document_is_complained_about(said):
    async def scenario():
        async with application_board() as house:
            house.server.says("ice", said)
            calling = await call_of_alice(house)
            await calling.ended()
            await house.board.settle()

            (complaint,) = house.outbox.bodies("notify")
            assert (complaint["type"], complaint["errorCode"]) == ("callingerror", 40001)
            assert complaint["callid"] == house.dice()["callid"]
            assert (house.dice()["result"], house.dice()["reason"]) == ("FAILED", "INVALIDSVAMLACTION")

    run_virtual(scenario())


def test_an_ace_that_is_no_document_ends_the_call():
    async def scenario():
        async with application_board() as house:
            house.server.says("ice", CONNECT)
            house.server.says("ace", b"no JSON")
            carrier = await house.carrier()
            calling = await call_of_alice(house)
            await (await carrier.rung()).answer()
            await calling.ended()
            await house.board.settle()

            assert house.outbox.bodies("notify")[0]["errorCode"] == 40001
            assert house.dice()["reason"] == "INVALIDSVAMLACTION"

    run_virtual(scenario())


def test_an_ace_may_hang_up():
    async def scenario():
        async with application_board() as house:
            house.server.says("ice", CONNECT)
            house.server.says("ace", {"action": {"name": "hangup"}})
            carrier = await house.carrier()
            calling = await call_of_alice(house)
            await (await carrier.rung()).answer()
            await calling.ended()
            await house.board.settle()

            assert (house.dice()["result"], house.dice()["reason"]) == ("ANSWERED", "MANAGERHANGUP")

    run_virtual(scenario())


# Without a callback URL.


def test_without_a_url_app_to_phone_is_connected_as_dialled():
    async def scenario():
        async with application_board(application=SILENT) as house:
            carrier = await house.carrier()
            calling = await call_of_alice(house)
            ringing = await carrier.rung()
            await ringing.answer()
            await calling.expect(SessionAnswered)
            calling.hang_up()
            await house.board.settle()

            assert ringing.offered.request.uri.user == NUMBER
            assert house.ended().reason == "CALLERHANGUP"
            assert not house.outbox.waiting

    run_virtual(scenario())


def test_without_a_url_app_to_app_is_connected():
    async def scenario():
        async with application_board(application=SILENT) as house:
            bob = await house.board.phone("bob")
            calling = await call_of_alice(house, "bob")
            await (await bob.rung()).answer()
            await calling.expect(SessionAnswered)
            calling.hang_up()
            await house.board.settle()

            assert (house.ended().kind, house.ended().result) == ("app_app", "ANSWERED")

    run_virtual(scenario())


def test_without_a_url_app_to_conference_joins_the_dialled_room():
    async def scenario():
        async with application_board(application=SILENT) as house:
            calling = await call_of_alice(house, "conf-standup")
            await calling.expect(SessionAnswered)
            await house.board.settle()

            (participant,) = house.desk.conference(SILENT.key, "standup")
            assert participant.cli == "alice"
            calling.hang_up()

    run_virtual(scenario())


@pytest.mark.parametrize(
    ("forward", "reached"),
    [
        ("sip:{number}@192.0.2.99", DID),
        ("sip:desk@192.0.2.99;transport=udp", "desk"),
    ],
)
def test_without_a_url_a_number_is_forwarded_to_sip(forward, reached):
    async def scenario():
        async with application_board(application=SILENT, numbers=[replace(OWNED, forward=forward)]) as house:
            desk = await house.board.phone("desk", host="192.0.2.99", registered=False, password=None)
            carrier = await house.carrier()
            calling = await carrier.call(DID)
            ringing = await desk.rung()

            assert ringing.offered.request.uri.user == reached
            calling.hang_up()

    run_virtual(scenario())


def test_without_a_url_a_number_is_forwarded_to_a_user():
    async def scenario():
        async with application_board(application=SILENT, numbers=[replace(OWNED, forward="bob")]) as house:
            bob, carrier = await house.board.phone("bob"), await house.carrier()
            calling = await carrier.call(DID)
            await (await bob.rung()).answer()

            await calling.expect(SessionAnswered)
            calling.hang_up()

    run_virtual(scenario())


@pytest.mark.parametrize("forward", ["bob", "sip:bob@192.0.2.99"])
def test_a_number_of_ours_that_is_dialled_in_a_call_is_called_by_its_rule(forward):
    owned = Number("+15550177", "another", forward=forward)

    async def scenario():
        async with application_board(numbers=[owned]) as house:
            house.server.says("ice", {"action": {"name": "connectPstn", "number": owned.number}})
            outside = await house.board.phone("desk", host="192.0.2.99", registered=False, password=None)
            bob, alice = await house.board.phone("bob"), await house.board.phone("alice")
            calling = await alice.call("+15550188")
            await (await (bob if forward == "bob" else outside).rung()).answer()

            await calling.expect(SessionAnswered)
            calling.hang_up()
            await house.board.settle()
            assert house.dice()["to"]["endpoint"].endswith("15550177")

    run_virtual(scenario())


def test_without_a_url_or_a_rule_a_number_takes_no_calls():
    async def scenario():
        async with application_board(application=SILENT, numbers=[OWNED]) as house:
            carrier = await house.carrier()
            calling = await carrier.call(DID)

            assert (await calling.ended()).status == 404
            await house.board.settle()
            assert (house.ended().result, house.ended().reason) == ("FAILED", "GENERALERROR")

    run_virtual(scenario())


def test_a_user_who_is_nobody_is_told_as_such():
    async def scenario():
        async with application_board() as house:
            house.server.says(
                "ice",
                {"action": {"name": "connectMxp", "destination": {"type": "username", "endpoint": "nobody"}}},
            )
            calling = await call_of_alice(house)
            await calling.ended()
            await house.board.settle()

            assert (house.dice()["result"], house.dice()["reason"]) == ("FAILED", "USERNOTFOUND")

    run_virtual(scenario())


def test_the_built_in_destinations_are_nobodys_application():
    async def scenario():
        async with application_board() as house:
            calling = await call_of_alice(house, "echo")
            await calling.expect(SessionAnswered)
            calling.hang_up()
            await house.board.settle()

            assert not house.server.asked
            assert not house.book.finished

    run_virtual(scenario())


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        ({"balance": Money(Decimal(0), "USD")}, "NOCREDITPARTNER"),
        ({"spend_cap": Money(Decimal(5), "USD"), "spent": Money(Decimal(5), "USD")}, "NOCREDITPARTNER"),
        ({"destinations": ("+46",)}, "BLOCKED"),
    ],
)
def test_a_call_that_the_application_may_not_make_is_told_as_such(limits, reason):
    async def scenario():
        async with application_board(application=replace(APPLICATION, **limits)) as house:
            house.server.says("ice", CONNECT)
            calling = await call_of_alice(house)
            await calling.ended()
            await house.board.settle()

            assert (house.dice()["result"], house.dice()["reason"]) == ("FAILED", reason)

    run_virtual(scenario())
