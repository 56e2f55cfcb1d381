"""Who wants SRTP: the policy of every user and trunk, and whether others could read the keys on their way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from gateway.sdp.crypto import Srtp
from gateway.sip.flow import Flow

__all__ = ["Encryption", "shows_keys"]

_CONFIDENTIAL: Final = frozenset({"tls", "wss"})


@dataclass(frozen=True, slots=True)
class Encryption:
    """What legs want of SRTP, by who is at their other end."""

    default: Srtp = Srtp.ACCEPTED
    """For everybody else."""
    users: Mapping[str, Srtp] = field(default_factory=dict)
    trunks: Mapping[str, Srtp] = field(default_factory=dict)

    def of(self, peer: str, *, trunk: bool) -> Srtp:
        """Return what a leg to the user, or the trunk, of that name wants."""
        return (self.trunks if trunk else self.users).get(peer, self.default)


def shows_keys(flow: Flow) -> bool:
    """Tell whether what is said over a flow can be read by others, the keys of SDES among it (RFC 4568 section 8)."""
    return flow.transport not in _CONFIDENTIAL
