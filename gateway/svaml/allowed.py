"""What a document may say, and when: the table of the wire's documentation, as data.

Where the documentation of different years differs, or clients of the same makers do what it denies, the more permissive
reading holds: an answered call may be connected elsewhere (old clients offer it), instructions in the answer to an
answered call are obeyed.  What is left out here is what no text allows.

An instruction that a moment does not support is ignored; an action that it does not support is an error, for without
its action a document means nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gateway.svaml.model import Moment

__all__ = ["ACTIONS_ALLOWED", "INSTRUCTIONS_ALLOWED", "RECORDING_ACTIONS", "allowed_names"]

_ICE, _ACE, _PIE = Moment.ICE, Moment.ACE, Moment.PIE
_MANAGE, _PARKED, _ROOM, _DICE = (
    Moment.MANAGE,
    Moment.MANAGE_PARKED,
    Moment.MANAGE_CONFERENCE,
    Moment.DICE,
)
_ANY_REQUEST: Final = frozenset({_MANAGE, _PARKED, _ROOM})
_ANSWERS: Final = frozenset({_ICE, _ACE, _PIE})
_LIVE: Final = _ANSWERS | _ANY_REQUEST

ACTIONS_ALLOWED: Final[Mapping[str, frozenset[Moment]]] = {
    "hangup": _LIVE | {_DICE},
    "continue": frozenset({_ACE, _PIE}) | _ANY_REQUEST,
    "connectPstn": _ANSWERS | {_PARKED},
    "connectMxp": frozenset({_ICE, _ACE, _PARKED}),
    "connectConf": _ANSWERS | {_PARKED},
    "connectSip": _ANSWERS | {_PARKED},
    "connectStream": frozenset({_ICE, _PARKED}),
    "runMenu": _ANSWERS | {_PARKED, _ROOM},
    "park": frozenset({_ICE, _MANAGE, _PARKED}),
}
"""Action -> the moments at which it is obeyed."""

INSTRUCTIONS_ALLOWED: Final[Mapping[str, frozenset[Moment]]] = {
    "playFiles": _LIVE,
    "say": _LIVE,
    "sendDtmf": frozenset({_ICE, _PIE}) | _ANY_REQUEST,
    "setCookie": _LIVE,
    "answer": frozenset({_ICE, _PARKED}),
    "startRecording": _LIVE,
    "stopRecording": _LIVE,
    "reportCallStatus": frozenset({_DICE}),
}
"""Instruction -> the moments at which it is obeyed."""

RECORDING_ACTIONS: Final[Mapping[str, frozenset[Moment]]] = {
    "startRecording": _ANY_REQUEST,
    "stopRecording": _ANY_REQUEST,
}
"""Instructions that older documents give as the action of a request; the call then continues."""


def allowed_names(table: Mapping[str, frozenset[Moment]], moment: Moment) -> tuple[str, ...]:
    """Return the names that a table allows at a moment, in its order."""
    return tuple(name for name, moments in table.items() if moment in moments)
