"""What is remembered of a callout beside its record: whom its last notification goes to, if a crash comes first.

A record says what became of a call, not what its application had asked to be told.  That goes into the book as state
(`CallBook.keep`), in a form that another version of this program reads too: JSON, where what is not known is ignored.
"""

from __future__ import annotations

import json
from types import MappingProxyType
from typing import Final

from gateway.switch.records import Identity, IdentityType
from gateway.switch.steering import Callout, CalloutKind

__all__ = ["recall", "remember"]

_LAST: Final = "dice"
"""The event whose script is remembered: the others can come no more."""


def remember(callout: Callout) -> bytes:
    """Return what `recall` reads."""
    to = callout.to
    return json.dumps(
        {
            "application": callout.application,
            "kind": callout.kind.value,
            "to": None if to is None else [to.type.value, to.endpoint],
            "tells": sorted(callout.tells),
            "script": callout.scripts.get(_LAST, ""),
            "forwarded": callout.forwarded,
        }
    ).encode()


def recall(state: bytes) -> Callout | None:
    """Return as much of a callout as is remembered; None if it cannot be read."""
    try:
        known = json.loads(state)
        to = known["to"]
        return Callout(
            application=known["application"],
            kind=CalloutKind(known["kind"]),
            to=None if to is None else Identity(IdentityType(to[0]), to[1]),
            tells=frozenset(known["tells"]),
            scripts=MappingProxyType({_LAST: known["script"]} if known["script"] else {}),
            forwarded=tuple((name, value) for name, value in known["forwarded"]),
        )
    except (ValueError, LookupError, TypeError):
        return None
