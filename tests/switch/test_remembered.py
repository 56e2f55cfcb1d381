"""What a crash does not make us forget of a callout."""

import pytest

from gateway.switch.records import Identity, IdentityType
from gateway.switch.remembered import recall, remember
from gateway.switch.steering import Callout, CalloutKind

TO = Identity(IdentityType.NUMBER, "+15550100")


@pytest.mark.parametrize(
    "callout",
    [
        Callout("app", CalloutKind.SPEECH, TO, tells=frozenset({"dice", "ace"})),
        Callout("app", CalloutKind.CUSTOM, forwarded=(("X-CB-Trace", "7"),)),
        Callout("app", CalloutKind.CUSTOM, TO, scripts={"dice": "https://example.org/dice"}),
    ],
)
def test_what_is_remembered_is_recalled(callout):
    assert recall(remember(callout)) == callout


@pytest.mark.parametrize(
    "state", [b"", b"[]", b"{}", b"\xff", b'{"application": 1, "kind": "x", "to": null}']
)
def test_what_cannot_be_read_is_nothing(state):
    assert recall(state) is None
