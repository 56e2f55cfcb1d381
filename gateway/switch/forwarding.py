"""Where calls to a number of ours go when nobody is asked: the rule that its owner gave (`Number.forward`)."""

from __future__ import annotations

from typing import Final

from gateway.switch.numbers import is_e164
from gateway.switch.records import Identity, IdentityType
from gateway.switch.routing import room_of
from gateway.switch.stores import Directory

__all__ = ["rule_of", "target_of"]

_PLAIN: Final = "sip:"
_SIP: Final = (_PLAIN, "sips:")


def rule_of(number: str, directory: Directory) -> str | None:
    """Return the rule that holds for a number in E.164; None if it is not ours, has none, or its owner is asked."""
    owned = directory.number(number)
    if owned is None or not owned.forward:
        return None
    owner = None if owned.application is None else directory.application(owned.application)
    return owned.forward if owner is None or owner.callback is None else None


def target_of(rule: str, number: str) -> Identity:
    """Return what a rule says: a SIP URI (`{number}` is the number), another number, a room or a user."""
    target = rule.strip().replace("{number}", number)
    if target.lower().startswith(_SIP):
        endpoint = target[len(_PLAIN) :] if target.lower().startswith(_PLAIN) else target
        return Identity(IdentityType.SIP, endpoint)
    if is_e164(target):
        return Identity(IdentityType.NUMBER, target)
    if (room := room_of(target)) is not None:
        return Identity(IdentityType.CONFERENCE, room)
    return Identity(IdentityType.USERNAME, target)
