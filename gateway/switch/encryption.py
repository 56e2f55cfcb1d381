"""Who wants SRTP, by keys or by handshake, and whether others could read the keys on their way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from gateway.sdp.crypto import Srtp
from gateway.sip.flow import Flow
from gateway.switch.browsers import MediaWish
from gateway.switch.legs import Leg
from gateway.switch.ports import EventLog

__all__ = ["Encryption", "warn_of_keys"]

_CONFIDENTIAL: Final = frozenset({"tls", "wss"})


@dataclass(frozen=True, slots=True)
class Encryption:
    """What legs want of SRTP, by who is at their other end."""

    default: Srtp = Srtp.ACCEPTED
    """For everybody else."""
    users: Mapping[str, Srtp] = field(default_factory=dict)
    trunks: Mapping[str, Srtp] = field(default_factory=dict)
    fingerprint: str = ""
    """`sha-256 4A:AD...` of the certificate that browsers are shown; empty = no browser's media."""
    calls: Mapping[str, MediaWish] = field(default_factory=dict)
    """How users' phones are called; `auto` for everybody else."""

    def wish(self, user: str) -> MediaWish:
        """Return how a user's phones are called; plain where a handshake is not wanted or cannot be."""
        if not self.fingerprint or self.of(user, trunk=False) is Srtp.OFF:
            return MediaWish.RTP
        return self.calls.get(user, MediaWish.AUTO)

    def of(self, peer: str, *, trunk: bool) -> Srtp:
        """Return what a leg to the user, or the trunk, of that name wants."""
        return (self.trunks if trunk else self.users).get(peer, self.default)


def warn_of_keys(log: EventLog, leg: Leg, flow: Flow) -> None:
    """Log that our last description, which goes over `flow`, shows its keys to whoever listens (RFC 4568 section 8)."""
    if leg.says_keys and flow.transport not in _CONFIDENTIAL:
        log.warning("leg.keys_shown", leg=leg.id, transport=flow.transport)
