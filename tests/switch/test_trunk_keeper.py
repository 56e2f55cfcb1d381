"""OPTIONS and registrations of trunks, over hours that pass in no time."""

from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import pairwise

from gateway.ids import SeededIds
from gateway.sip.authentication import Credentials
from gateway.sip.endpoint import Endpoint
from gateway.sip.message import Request
from gateway.sip.settings import EndpointConfig
from gateway.sip.uri import parse_uri_untrusted
from gateway.switch.doors import Doors
from gateway.switch.routing import RoutingTable, Trunk
from gateway.switch.trunk_health import HealthState
from gateway.switch.world import Settings
from gateway.testing.phone import Phone
from gateway.testing.switchboard import SWITCH, switchboard
from gateway.testing.virtual_time import run_virtual

CARRIER = "192.0.2.200"
PINGED = Trunk("carrier", parse_uri_untrusted(f"sip:{CARRIER}"), prefix="+", ping_s=30.0)
REGISTERED = replace(PINGED, ping_s=0.0, registers=True, credentials=Credentials("bob", "secret"))


def board_with(trunk):
    table = RoutingTable(frozenset({"alice"}), {"+15550199": "app"}, (trunk,))
    settings = Settings(table=table, doors=Doors.of_addresses({CARRIER: "carrier"}))
    return switchboard(settings=settings, users=("alice",), trunks=[CARRIER])


def sent(board, method):
    said = (passed.message for passed in board.network.passed if passed.source[0] == SWITCH)
    return [message for message in said if isinstance(message, Request) and message.method == method]


def test_a_trunk_that_answers_options_stays_up():
    async def scenario():
        async with board_with(PINGED) as board:
            await board.phone("carrier", host=CARRIER, registered=False)
            await board.settle(600)

            assert 20 <= len(sent(board, "OPTIONS")) <= 21
            assert not board.log.all("trunk.failed")

    run_virtual(scenario())


def test_a_trunk_that_misses_two_pings_is_down_and_comes_back_by_itself():
    async def scenario():
        async with board_with(PINGED) as board:
            await board.settle(150)
            assert [line["state"] for line in board.log.all("trunk.failed")] == ["suspect", "down"]
            assert board.world.trunks.state("carrier") is HealthState.DOWN

            await board.phone("carrier", host=CARRIER, registered=False)
            await board.settle(60)
            assert len(board.log.all("trunk.recovered")) == 1

    run_virtual(scenario())


def test_nobody_is_asked_whose_interval_is_nought():
    async def scenario():
        async with board_with(replace(PINGED, ping_s=0.0)) as board:
            await board.settle(600)
            assert not sent(board, "OPTIONS")

    run_virtual(scenario())


@asynccontextmanager
async def registrar_of(board, host=CARRIER):
    """Run a carrier that knows bob, and calls where he registered."""
    config = EndpointConfig(users={"bob": "secret"}, trusted_sources=frozenset({SWITCH}))
    rim = board.network.attach(Endpoint(config, SeededIds(7)), host)
    async with Phone("+15550100", rim, server=SWITCH, host=host, password=None).running() as carrier:
        yield carrier


def test_a_registration_is_kept_for_hours_and_left_at_the_end():
    async def scenario():
        async with board_with(REGISTERED) as board, registrar_of(board) as carrier:
            await board.settle(2 * 3600)
            assert len(carrier.endpoint.bindings("bob")) == 1
            assert board.world.trunks.registered_gauge() == {"carrier": 1.0}

            board.switch.drain()
            await board.settle()
            assert carrier.endpoint.bindings("bob") == ()

    run_virtual(scenario())


def test_a_call_to_the_registration_is_for_the_number_in_its_to():
    async def scenario():
        async with board_with(REGISTERED) as board, registrar_of(board) as carrier:
            await board.settle()
            (binding,) = carrier.endpoint.bindings("bob")
            await (await carrier.call(binding.contact.user, to="+15550199")).ended()

            (offered,) = board.log.all("call.offered")
            assert (offered["trunk"], offered["dialled"]) == ("carrier", "+15550199")

    run_virtual(scenario())


def test_the_next_server_of_a_registrar_is_tried_when_one_is_silent():
    async def scenario():
        trunk = replace(REGISTERED, uri=parse_uri_untrusted("sip:pool.example"))
        async with board_with(trunk) as board, registrar_of(board) as carrier:
            board.network.names["pool.example"] = ["192.0.2.199", CARRIER]
            await board.settle(40)

            assert len(carrier.endpoint.bindings("bob")) == 1

    run_virtual(scenario())


def test_a_trunk_that_cannot_be_registered_with_is_tried_again_with_pauses_that_grow():
    async def scenario():
        async with board_with(REGISTERED) as board:
            await board.phone("carrier", host=CARRIER, registered=False)
            await board.settle(1000)

            at = [p.at for p in board.network.passed if p.source[0] == CARRIER]
            pauses = [round(later - sooner) for sooner, later in pairwise(at) if later - sooner > 1]
            assert pauses[:4] == [30, 60, 120, 240]
            assert board.world.trunks.registered_gauge() == {"carrier": 0.0}
            assert len(board.log.all("trunk.not_registered")) == 6

    run_virtual(scenario())


def test_a_name_that_leads_nowhere_costs_a_line_and_is_asked_again():
    async def scenario():
        trunk = replace(PINGED, uri=parse_uri_untrusted("sip:carrier.example;transport=tcp"))
        async with board_with(trunk) as board:
            await board.settle(100)

            assert len(board.log.all("trunk.not_found")) >= 3

    run_virtual(scenario())
