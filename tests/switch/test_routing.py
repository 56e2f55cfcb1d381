"""Who reaches what."""

import pytest

from gateway.ids import RoomId
from gateway.sip.uri import parse_uri_untrusted
from gateway.switch.causes import ENDINGS
from gateway.switch.routing import (
    Caller,
    Refused,
    RoutingTable,
    ToApplication,
    ToBuiltIn,
    ToRoom,
    ToTrunk,
    ToUser,
    Trunk,
    route,
)

ALICE = Caller(user="alice")
CARRIER = Caller(trunk="carrier")
STRANGER = Caller()
WORLD = Trunk("world", parse_uri_untrusted("sip:192.0.2.10"), prefix="+")
SWEDEN = Trunk("sweden", parse_uri_untrusted("sip:192.0.2.20"), prefix="+46")
TABLE = RoutingTable(
    users=frozenset({"alice", "bob"}), numbers={"+46700000001": "app"}, trunks=(WORLD, SWEDEN)
)


@pytest.mark.parametrize(
    ("dialled", "expected"),
    [
        ("bob", ToUser("bob")),
        ("alice", ToUser("alice")),
        ("echo", ToBuiltIn("echo")),
        ("tone", ToBuiltIn("tone:440")),
        ("music", ToBuiltIn("music")),
        ("silence", ToBuiltIn("silence")),
        ("conf-standup", ToRoom(RoomId("conf-standup"))),
        ("+46700000001", ToApplication("+46700000001", "app")),
        ("+4670-000.00(01)", ToApplication("+46700000001", "app")),
        ("+46700000002", ToTrunk((SWEDEN,), "+46700000002")),
        ("+15550100", ToTrunk((WORLD,), "+15550100")),
        ("carol", Refused(ENDINGS["unknown"])),
        ("conf-", Refused(ENDINGS["unknown"])),
        ("conf-../../etc", Refused(ENDINGS["unknown"])),
        ("", Refused(ENDINGS["unknown"])),
        ("+46;phone-context=x", Refused(ENDINGS["unknown"])),
    ],
)
def test_a_user_reaches(dialled, expected):
    assert route(dialled, caller=ALICE, table=TABLE) == expected


@pytest.mark.parametrize("dialled", ["bob", "echo", "conf-standup", "+46700000001", "+46700000002", "carol"])
def test_a_stranger_reaches_nothing(dialled):
    assert route(dialled, caller=STRANGER, table=TABLE) == Refused(ENDINGS["forbidden"])


@pytest.mark.parametrize(
    ("dialled", "expected"),
    [
        ("bob", ToUser("bob")),
        ("+46700000001", ToApplication("+46700000001", "app")),
        ("+46700000002", Refused(ENDINGS["unknown"])),
        ("echo", Refused(ENDINGS["unknown"])),
        ("conf-standup", Refused(ENDINGS["unknown"])),
    ],
)
def test_a_trunk_reaches_users_and_our_numbers_but_no_other_trunk(dialled, expected):
    assert route(dialled, caller=CARRIER, table=TABLE) == expected


def test_without_trunks_a_number_goes_nowhere():
    assert route("+15550100", caller=ALICE, table=RoutingTable()) == Refused(ENDINGS["unknown"])
