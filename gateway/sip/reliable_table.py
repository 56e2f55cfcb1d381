"""Reliable provisional responses of ours as a table: when one is sent, repeated, acknowledged, given up.

RFC 3262 section 3.  One at a time is under way, so the next waits for the PRACK of the one before; that is
what keeps RAck unambiguous even for peers that mix them up.  A PRACK that acknowledges nothing is answered
481, which is also what its retransmission on a new branch would get.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Final

__all__ = ["RELIABLE", "ReliableInput", "ReliableReaction", "ReliableState"]


class ReliableState(Enum):
    """Whether one of them is under way."""

    FREE = "nothing waits for a PRACK"
    WAITING = "a provisional response waits for its PRACK"


class ReliableInput(Enum):
    """What can happen."""

    SAY = "our user has something to say reliably"
    PRACK = "a PRACK that names what is under way"
    STRAY = "a PRACK that names something else"
    AGAIN = "the interval is over: T1, then twice as long each time, without an upper limit"
    OVERDUE = "64*T1 without a PRACK"
    FINAL = "the INVITE has its final response"


class ReliableReaction(Enum):
    """What follows."""

    SEND = "send it"
    QUEUE = "keep it until the one under way is acknowledged"
    ACKNOWLEDGED = "answer the PRACK 200 and send what waits"
    REFUSE = "answer the PRACK 481"
    REPEAT = "send it again"
    GIVE_UP = "refuse the INVITE with 504"
    STOP = "repeat it no more"
    NOTHING = "nothing"


_S, _I, _R = ReliableState, ReliableInput, ReliableReaction

RELIABLE: Final[Mapping[tuple[ReliableState, ReliableInput], tuple[ReliableState, ReliableReaction]]] = {
    (_S.FREE, _I.SAY): (_S.WAITING, _R.SEND),
    (_S.FREE, _I.STRAY): (_S.FREE, _R.REFUSE),
    (_S.FREE, _I.FINAL): (_S.FREE, _R.NOTHING),
    (_S.WAITING, _I.SAY): (_S.WAITING, _R.QUEUE),
    (_S.WAITING, _I.PRACK): (_S.FREE, _R.ACKNOWLEDGED),
    (_S.WAITING, _I.STRAY): (_S.WAITING, _R.REFUSE),
    (_S.WAITING, _I.AGAIN): (_S.WAITING, _R.REPEAT),
    (_S.WAITING, _I.OVERDUE): (_S.FREE, _R.GIVE_UP),
    (_S.WAITING, _I.FINAL): (_S.FREE, _R.STOP),
}
"""A missing pair is not possible: what is free has neither alarm nor PRACK."""
