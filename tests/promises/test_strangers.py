"""Promise 38: whatever a stranger asks for, no INVITE of ours leaves; nor for a trunk that wants to reach another."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from gateway.ids import SeededIds
from gateway.sip.endpoint import Endpoint, EndpointConfig
from gateway.sip.message import Request
from gateway.sip.uri import parse_uri_untrusted
from gateway.switch.doors import Doors
from gateway.switch.routing import RoutingTable, Trunk
from gateway.switch.world import Settings
from gateway.testing.sip_script import sip_request
from gateway.testing.switchboard import SWITCH, Board, switchboard
from gateway.testing.virtual_time import run_virtual

CARRIER, OTHER, STRANGER = "203.0.113.7", "203.0.113.8", "203.0.113.66"
PREMIUM = "sip:+882990001234@192.0.2.1"

HOSTILE = {
    "a number": sip_request("INVITE", PREMIUM, body="v=0"),
    "a user": sip_request("INVITE", "sip:alice@192.0.2.1", body="v=0"),
    "a user's name as its own": sip_request(
        "INVITE", PREMIUM, from_="<sip:alice@192.0.2.1>;tag=1", body="v=0"
    ),
    "an asserted identity": sip_request(
        "INVITE", PREMIUM, headers={"P-Asserted-Identity": "<sip:alice@192.0.2.1>"}, body="v=0"
    ),
    "credentials of its own making": sip_request(
        "INVITE",
        PREMIUM,
        headers={
            "Authorization": 'Digest username="alice", realm="tandem", nonce="x", uri="sip:x", response="0"'
        },
        body="v=0",
    ),
    "a Route to somewhere": sip_request(
        "INVITE", PREMIUM, headers={"Route": f"<sip:{OTHER};lr>"}, body="v=0"
    ),
    "a URI of another host": sip_request("INVITE", f"sip:x@{OTHER}", body="v=0"),
    "a REFER": sip_request("REFER", PREMIUM, headers={"Refer-To": f"<{PREMIUM}>"}),
    "a Replaces": sip_request(
        "INVITE", "sip:alice@192.0.2.1", headers={"Replaces": "a;to-tag=b;from-tag=c"}, body="v=0"
    ),
    "a dialog that there is not": sip_request("REFER", to="<sip:x@h>;tag=1", headers={"Refer-To": f"<{PREMIUM}>"}),
    "a 302 that nobody asked for": b"SIP/2.0 302 Moved\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK-1\r\n"
    b"From: <sip:a>;tag=1\r\nTo: <sip:b>;tag=2\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\n"
    b"Contact: <" + PREMIUM.encode() + b">\r\nContent-Length: 0\r\n\r\n",
}  # fmt: skip


@asynccontextmanager
async def board_with_carriers() -> AsyncIterator[Board]:
    trunks = tuple(
        Trunk(name, parse_uri_untrusted(f"sip:{host}"), prefix="+")
        for name, host in (("carrier", CARRIER), ("other", OTHER))
    )
    settings = Settings(
        table=RoutingTable(frozenset({"alice", "bob"}), trunks=trunks),
        doors=Doors.of_addresses({CARRIER: "carrier", OTHER: "other"}),
    )
    async with switchboard(settings=settings, users=("alice", "bob"), trunks=(CARRIER, OTHER)) as board:
        yield board


async def invites_after(board: Board, data: bytes, source: str) -> list[str]:
    """Send the switch a message; return where its INVITEs went in the next minute."""
    board.network.attach(Endpoint(EndpointConfig(), SeededIds(9)), source)
    begun = len(board.network.passed)
    board.rim.deliver(data, (source, 5060))
    await asyncio.sleep(60.0)
    return [
        passed.destination[0]
        for passed in board.network.passed[begun:]
        if passed.source[0] == SWITCH
        and isinstance(passed.message, Request)
        and passed.message.method == "INVITE"
    ]


@pytest.mark.parametrize("what", sorted(HOSTILE))
def test_a_stranger_makes_nobody_ring(what: str) -> None:
    async def scenario() -> None:
        async with board_with_carriers() as board:
            await board.phone("alice")

            assert await invites_after(board, HOSTILE[what], STRANGER) == []

    run_virtual(scenario())


@pytest.mark.parametrize("what", ["a number", "a Route to somewhere", "a URI of another host", "a REFER"])
def test_a_trunk_reaches_no_other_trunk(what: str) -> None:
    async def scenario() -> None:
        async with board_with_carriers() as board:
            assert await invites_after(board, HOSTILE[what], CARRIER) == []

    run_virtual(scenario())
