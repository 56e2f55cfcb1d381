"""Who calls, as the called party is told; and what passes through to it."""

from __future__ import annotations

from gateway.sip.uri import parse_uri_untrusted
from gateway.switch.doors import Doors
from gateway.switch.routing import RoutingTable, Trunk
from gateway.switch.world import Settings
from gateway.testing.switchboard import switchboard
from gateway.testing.virtual_time import run_virtual

CARRIER = "192.0.2.200"
TRUNK = Trunk("carrier", parse_uri_untrusted(f"sip:{CARRIER}"), prefix="+")
SETTINGS = Settings(
    table=RoutingTable(frozenset({"alice", "bob"}), trunks=(TRUNK,)),
    doors=Doors.of_addresses({CARRIER: "carrier"}),
)


async def offered(board, caller, callee, dialled, headers=()):
    """Let one call the other; return the INVITE that arrives."""
    calling = await caller.call(dialled, headers=headers)
    ringing = await callee.rung()
    calling.hang_up()
    return ringing.offered.request


def test_rfc_3325_a_carriers_asserted_identity_is_who_calls():
    async def scenario():
        async with switchboard(settings=SETTINGS, users=("alice", "bob"), trunks=(CARRIER,)) as board:
            alice, carrier = (
                await board.phone("alice"),
                await board.phone("x", host=CARRIER, registered=False),
            )
            asserted = [("P-Asserted-Identity", '"Ann" <sip:+4670@c>')]
            invite = await offered(board, carrier, alice, "alice", asserted)

            assert (invite.from_.uri.user, invite.from_.display) == ("+4670", "Ann")
            assert invite.headers.get("P-Asserted-Identity") is None

    run_virtual(scenario())


def test_promise_43_a_user_cannot_call_in_anothers_name():
    async def scenario():
        async with switchboard() as board:
            alice, bob = await board.phone("alice"), await board.phone("bob")
            forged = [("P-Asserted-Identity", "<sip:carol@x>"), ("Remote-Party-ID", "<sip:carol@x>")]

            assert (await offered(board, alice, bob, "bob", forged)).from_.uri.user == "alice"

    run_virtual(scenario())


def test_rfc_3323_a_caller_who_wants_privacy_is_anonymous_to_phones():
    async def scenario():
        async with switchboard() as board:
            alice, bob = await board.phone("alice"), await board.phone("bob")
            invite = await offered(board, alice, bob, "bob", [("Privacy", "id")])

            assert str(invite.from_.uri) == "sip:anonymous@anonymous.invalid"
            assert "alice" not in str(invite.headers)

    run_virtual(scenario())


def test_rfc_3325_a_carrier_is_told_and_asked_not_to_tell():
    async def scenario():
        async with switchboard(settings=SETTINGS, users=("alice", "bob"), trunks=(CARRIER,)) as board:
            alice, carrier = (
                await board.phone("alice"),
                await board.phone("x", host=CARRIER, registered=False),
            )
            invite = await offered(board, alice, carrier, "+46900", [("Privacy", "id")])

            assert invite.from_.uri.host == "anonymous.invalid"
            assert "alice@" in (invite.headers.get("P-Asserted-Identity") or "")
            assert invite.headers.get("Privacy") == "id"

    run_virtual(scenario())


def test_priority_and_alert_info_pass_untouched_and_nothing_unknown_does():
    async def scenario():
        async with switchboard() as board:
            alice, bob = await board.phone("alice"), await board.phone("bob")
            headers = [
                ("Priority", "emergency"),
                ("Alert-Info", "<urn:alert:x>;a=b"),
                ("Identity", "signed"),
                ("X-Odd", "1"),
            ]
            invite = await offered(board, alice, bob, "bob", headers)

            assert invite.headers.get("Priority") == "emergency"
            assert invite.headers.get("Alert-Info") == "<urn:alert:x>;a=b"
            assert "Identity" not in invite.headers
            assert "X-Odd" not in invite.headers

    run_virtual(scenario())
