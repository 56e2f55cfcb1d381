"""What a call does by itself: the documents that hold where nobody was asked.

A call that comes in goes where it was dialled; a number that we own goes where its owner said that its calls shall go
(`Number.forward`); a callout does what its request says.  Written as the documents that an application could have
answered, so that there is one way to obey them.
"""

from __future__ import annotations

from typing import Final

from gateway.svaml.model import ConnectConf, ConnectMxp, ConnectPstn, ConnectSip, Document
from gateway.switch.numbers import is_e164
from gateway.switch.records import Identity, IdentityType
from gateway.switch.routing import room_of
from gateway.switch.steering import Callout

__all__ = ["as_asked_for", "as_dialled", "forwarded_to"]

_PLAIN: Final = "sip:"
_SIP: Final = (_PLAIN, "sips:")


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
    """Return what a number's own rule says: a SIP URI (`{number}` is the number), another number, a room or a user."""
    target = rule.strip().replace("{number}", number)
    if target.lower().startswith(_SIP):
        endpoint = target[len(_PLAIN) :] if target.lower().startswith(_PLAIN) else target
        return Document((), ConnectSip(Identity(IdentityType.SIP, endpoint)))
    if is_e164(target):
        return Document((), ConnectPstn(number=target))
    if (room := room_of(target)) is not None:
        return Document((), ConnectConf(room))
    return Document((), ConnectMxp(destination=Identity(IdentityType.USERNAME, target)))
