"""What a destination says of a call by itself: where it ends, and which record it leaves."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from gateway.switch.records import CallKind, Identity, IdentityType

__all__ = ["domain_of", "kind_of"]

_BY_TYPE: Final[Mapping[IdentityType, tuple[str, CallKind]]] = MappingProxyType(
    {
        IdentityType.NUMBER: ("pstn", CallKind.PHONE_TERMINATED),
        IdentityType.DID: ("pstn", CallKind.PHONE_ORIGINATED),
        IdentityType.USERNAME: ("mxp", CallKind.APP_APP),
        IdentityType.EMAIL: ("mxp", CallKind.APP_APP),
        IdentityType.CONFERENCE: ("conference", CallKind.CONFERENCE),
        IdentityType.SIP: ("sip", CallKind.SIP_TERMINATED),
        IdentityType.WEBSOCKET: ("websocket", CallKind.APP_APP),
    }
)


def domain_of(to: Identity) -> str:
    """Return where a call to somebody ends: pstn, mxp, sip, conference or websocket."""
    return _BY_TYPE[to.type][0]


def kind_of(to: Identity) -> CallKind:
    """Return the kind of record of a call to somebody."""
    return _BY_TYPE[to.type][1]
