"""Whose call it is."""

import pytest

from gateway.sip.identity import CallerId
from gateway.sip.uri import parse_uri_untrusted
from gateway.switch.applications import Applications
from gateway.switch.conferences import Conferences
from gateway.switch.origins import Origin
from gateway.switch.ownership import Claim, claim_of
from gateway.switch.records import Application, Identity, IdentityType, Number, User
from gateway.switch.routing import Caller, Trunk
from gateway.testing.application import APPLICATION, MemoryBook, MemoryDirectory, MemoryOutbox

OTHER = Application(key="other", secret="c2VjcmV0")
DID, THEIRS, FOREIGN = "+46700000001", "+46700000002", "+15550100"
DIRECTORY = MemoryDirectory(
    [APPLICATION, OTHER],
    [Number(DID, APPLICATION.key.upper()), Number(THEIRS, OTHER.key), Number("+46700000003")],
    [User(APPLICATION.key, "alice"), User(APPLICATION.key, "bob"), User(OTHER.key, "olga")],
)
SERVER = Trunk("pbx", parse_uri_untrusted("sip:192.0.2.5"), application=OTHER.key)
CARRIER = Trunk("carrier", parse_uri_untrusted("sip:192.0.2.6"))


def claim(dialled, *, user=None, trunk=None):
    caller = Caller(user=user, trunk=None if trunk is None else trunk.name)
    applications = Applications(
        DIRECTORY, MemoryBook(MemoryOutbox()), steering=None, conferences=Conferences(lambda: 0.0)
    )
    return claim_of(Origin(caller, CallerId("x"), dialled, trunk), applications)


@pytest.mark.parametrize(
    ("dialled", "to"),
    [
        (FOREIGN, Identity(IdentityType.NUMBER, FOREIGN)),
        ("0015550100", Identity(IdentityType.NUMBER, FOREIGN)),
        ("bob", Identity(IdentityType.USERNAME, "bob")),
        ("nobody", Identity(IdentityType.USERNAME, "nobody")),
        ("olga", Identity(IdentityType.USERNAME, "olga")),
        ("conf-standup", Identity(IdentityType.CONFERENCE, "standup")),
    ],
)
def test_a_users_call_is_its_applications(dialled, to):
    assert claim(dialled, user="alice") == Claim(APPLICATION, to, "mxp")


@pytest.mark.parametrize(
    "caller", [{"user": "alice"}, {"user": "olga"}, {"trunk": CARRIER}, {"trunk": SERVER}]
)
def test_a_number_that_we_own_is_its_owners_whoever_dials_it(caller):
    claimed = claim(DID, **caller)

    assert claimed.application == APPLICATION
    assert claimed.dialled == Identity(IdentityType.DID, DID)


def test_a_server_that_shows_a_key_calls_for_its_application():
    assert claim(FOREIGN, trunk=SERVER) == Claim(OTHER, Identity(IdentityType.NUMBER, FOREIGN), "sip")


@pytest.mark.parametrize(
    ("dialled", "caller"),
    [
        (FOREIGN, {"trunk": CARRIER}),
        ("+46700000003", {"trunk": CARRIER}),
        ("bob", {"trunk": CARRIER}),
        ("bob", {"user": "stray"}),
        ("echo", {"user": "alice"}),
        ("music", {"user": "alice"}),
        (DID, {}),
    ],
)
def test_all_else_is_nobodys(dialled, caller):
    assert claim(dialled, **caller) is None
