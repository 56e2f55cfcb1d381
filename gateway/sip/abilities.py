"""What two ends can do beyond RFC 3261: the methods they allow and the option tags they support.

Ours are constants; a peer's are read from the `Allow` and `Supported` headers of whatever it last sent in a
dialog.  An extension is used only where the peer named it.  `Require` is the other direction: what a peer
requires and we do not support is refused with 420 (RFC 3261 section 8.2.2.3).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from gateway.sip.message import Request, Response

__all__ = ["ACCEPT", "ALLOW", "ALLOW_EVENTS", "SUPPORTED", "Abilities", "requires", "unsupported"]

ALLOW: Final = "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, PRACK, UPDATE, REFER, NOTIFY, REGISTER"
ALLOW_EVENTS: Final = "refer"
ACCEPT: Final = "application/sdp, application/dtmf-relay, application/dtmf"
SUPPORTED: Final = "100rel, timer, replaces, norefersub"
"""What we support within sessions (RFC 3262, RFC 4028, RFC 3891, RFC 4488)."""

_OURS: Final = frozenset({"100rel", "timer", "replaces", "norefersub"})
_REGISTRARS: Final = frozenset({"outbound", "path"})
"""What a REGISTER may require besides (RFC 5626, RFC 3327)."""


@dataclass(frozen=True, slots=True)
class Abilities:
    """What the peer of a dialog can do, as far as it has said."""

    methods: frozenset[str] = frozenset()
    tags: frozenset[str] = frozenset()
    """Option tags in lower case."""

    def heard(self, message: Request | Response) -> Abilities:
        """Return what is known after `message`: a header that it lacks says nothing new."""
        allow, supported = message.headers.all("Allow"), message.headers.all("Supported")
        if not allow and not supported:
            return self
        return Abilities(
            frozenset(method.upper() for method in allow) if allow else self.methods,
            frozenset(tag.lower() for tag in supported) if supported else self.tags,
        )


def requires(message: Request | Response, tag: str) -> bool:
    """Tell whether `message` requires the option `tag`."""
    return any(each.lower() == tag for each in message.headers.all("Require"))


def unsupported(request: Request) -> list[str]:
    """Return what the request requires and we do not support, as it is spelt there."""
    headers = request.headers
    known = _OURS | _REGISTRARS if request.method == "REGISTER" else _OURS
    required = [tag for tag in headers.all("Require") if tag.lower() not in known]
    return required + [tag for tag in headers.all("Proxy-Require") if tag.lower() not in _REGISTRARS]
