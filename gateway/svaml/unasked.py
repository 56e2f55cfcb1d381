"""What a call does by itself: the documents that hold where nobody was asked.

A call that comes in goes where it was dialled; a number that we own goes where its owner said that its calls shall go
(`Number.forward`); a callout does what its request says.  Written as the documents that an application could have
answered, so that there is one way to obey them.
"""

from __future__ import annotations

from gateway.svaml.model import ConnectConf, ConnectMxp, ConnectPstn, ConnectSip, Document
from gateway.switch.forwarding import target_of
from gateway.switch.records import Identity, IdentityType
from gateway.switch.steering import Callout

__all__ = ["as_asked_for", "as_dialled", "forwarded_to"]


def as_dialled(dialled: Identity) -> Document | None:
    """Return what a call does that nobody steers; None if what was dialled leads nowhere by itself."""
    match dialled.type:
        case IdentityType.NUMBER:
            return Document((), ConnectPstn(number=dialled.endpoint))
        case IdentityType.USERNAME:
            return Document((), ConnectMxp(destination=dialled))
        case IdentityType.CONFERENCE:
            return Document((), ConnectConf(dialled.endpoint))
        case IdentityType.SIP:
            return Document((), ConnectSip(dialled))
        case _:
            return None


def as_asked_for(callout: Callout) -> Document | None:
    """Return what a custom callout without a document for its ICE does; None if its request does not say."""
    to = callout.to
    if to is None:
        return None
    limit_s, cli = callout.max_duration_s, callout.cli or None
    match to.type:
        case IdentityType.USERNAME:
            return Document((), ConnectMxp(destination=to, cli=cli))
        case IdentityType.SIP:
            return Document((), ConnectSip(to, max_duration_s=limit_s, cli=cli))
        case _:
            return Document(
                (), ConnectPstn(number=to.endpoint, max_duration_s=limit_s, cli=cli, dtmf=callout.digits)
            )


def forwarded_to(rule: str, number: str) -> Document:
    """Return what a number's own rule says."""
    document = as_dialled(target_of(rule, number))
    assert document is not None  # whatever a rule leads to can be dialled
    return document
