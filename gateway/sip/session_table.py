"""The life of a session as a table: which input is legal in which state, and what follows (RFC 3261 13-15).

One table serves caller and callee; the states say which of them we are.  The user's view of a session ends
with `Action.REPORT_END`, and each path through the table passes it exactly once.  The wire may have more to
do after that: a final response that was asked for by CANCEL, a BYE that must wait for the ACK
of our 200, a 200 that crosses our CANCEL and wants its ACK and its BYE.  Those are the states behind the
report.

A pair that is not in the table is not legal.  From our own user it raises `LocalError`; from the peer it is
answered as the RFC says for a request that meets no such state, or dropped if it is a response.

Not here: further 2xx from other branches of a fork, and repeated ones.  They do not move the session.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from gateway.sip.symbols import Symbol

__all__ = ["TRANSITIONS", "Action", "SessionInput", "SessionState", "SessionStep"]


class SessionState(Symbol):
    """Where a session is; the first three are the caller's, the next three the callee's."""

    CALLING = "our INVITE is out"
    CANCELLED = "we want it no more, and its final response is awaited"
    OWING = "their 200 made the offer, and our ACK must bring the answer"
    OFFERED = "their INVITE has no final response yet"
    ANSWERED = "our 200 is out and its ACK is awaited"
    LEAVING = "hung up between our 200 and its ACK, so the BYE waits for it"
    ESTABLISHED = "both ends know that the session is on"
    CLOSING = "our BYE is out"
    ENDED = "nothing more will be sent"


class SessionInput(Symbol):
    """What can happen to a session."""

    PROVISIONAL = "101-199 to our INVITE"
    SUCCESS = "the first 2xx to our INVITE"
    SUCCESS_WITH_OFFER = "the first 2xx to an INVITE of ours that had no offer"
    FAILURE = "300-699 to our INVITE, or none in time, or no way to send it"
    RING_TIMEOUT = "it rang for too long, at their end or at ours"
    HANG_UP = "our user has had enough"
    ANSWER = "our user says what media to use"
    CANCEL = "the caller withdrew"
    ACK = "the ACK of our 200"
    NO_ACK = "64*T1 after a 200 and still no ACK of it"
    BYE = "the peer hung up"
    LOST = "the peer does not know the dialog, or does not answer in it"
    GONE = "their INVITE's transaction ended without an answer, or its connection did"
    BYE_DONE = "our BYE was answered, or never will be"


class Action(Symbol):
    """What a step does, in order."""

    REPORT_PROGRESS = "report progress and start the ringing clock again"
    REPORT_ANSWERED = "report that the callee answered"
    REPORT_CONFIRMED = "report that our 200 was acknowledged"
    REPORT_END = "report the end"
    SEND_ACK = "acknowledge the 2xx"
    SEND_CANCEL = "cancel our INVITE as soon as that is allowed"
    SEND_BYE = "send BYE"
    SEND_ANSWER = "send the 200, again and again until its ACK"
    SEND_REFUSAL = "send the final response that the cause names"
    STOP_ANSWER = "stop repeating the 200"


@dataclass(frozen=True, slots=True)
class SessionStep:
    """The state that follows, and the actions on the way there."""

    state: SessionState
    actions: tuple[Action, ...] = ()


_S, _I, _A = SessionState, SessionInput, Action
_ENDS_WITH_BYE: Final = SessionStep(_S.CLOSING, (_A.REPORT_END, _A.SEND_BYE))
_REFUSED: Final = SessionStep(_S.ENDED, (_A.SEND_REFUSAL, _A.REPORT_END))
_ACK_AND_BYE: Final = SessionStep(_S.CLOSING, (_A.SEND_ACK, _A.SEND_BYE))
_CANCELLED: Final = SessionStep(_S.CANCELLED, (_A.REPORT_END, _A.SEND_CANCEL))
_LEFT_OWING: Final = SessionStep(_S.CLOSING, (_A.REPORT_END, _A.SEND_ACK, _A.SEND_BYE))
_LEFT_UNACKED: Final = SessionStep(_S.ENDED, (_A.STOP_ANSWER, _A.REPORT_END))

TRANSITIONS: Final[Mapping[tuple[SessionState, SessionInput], SessionStep]] = {
    # The caller.
    (_S.CALLING, _I.PROVISIONAL): SessionStep(_S.CALLING, (_A.REPORT_PROGRESS,)),
    (_S.CALLING, _I.SUCCESS): SessionStep(_S.ESTABLISHED, (_A.SEND_ACK, _A.REPORT_ANSWERED)),
    (_S.CALLING, _I.SUCCESS_WITH_OFFER): SessionStep(_S.OWING, (_A.REPORT_ANSWERED,)),
    (_S.CALLING, _I.FAILURE): SessionStep(_S.ENDED, (_A.REPORT_END,)),
    (_S.CALLING, _I.HANG_UP): _CANCELLED,
    (_S.CALLING, _I.RING_TIMEOUT): _CANCELLED,
    (_S.CANCELLED, _I.PROVISIONAL): SessionStep(_S.CANCELLED),
    (_S.CANCELLED, _I.SUCCESS): _ACK_AND_BYE,
    (_S.CANCELLED, _I.SUCCESS_WITH_OFFER): _ACK_AND_BYE,
    (_S.CANCELLED, _I.FAILURE): SessionStep(_S.ENDED),
    (_S.OWING, _I.ANSWER): SessionStep(_S.ESTABLISHED, (_A.SEND_ACK,)),
    (_S.OWING, _I.HANG_UP): _LEFT_OWING,
    (_S.OWING, _I.RING_TIMEOUT): _LEFT_OWING,
    (_S.OWING, _I.BYE): SessionStep(_S.ENDED, (_A.SEND_ACK, _A.REPORT_END)),
    # The callee.
    (_S.OFFERED, _I.ANSWER): SessionStep(_S.ANSWERED, (_A.SEND_ANSWER,)),
    (_S.OFFERED, _I.HANG_UP): _REFUSED,
    (_S.OFFERED, _I.CANCEL): _REFUSED,
    (_S.OFFERED, _I.BYE): _REFUSED,
    (_S.OFFERED, _I.RING_TIMEOUT): _REFUSED,
    (_S.OFFERED, _I.GONE): SessionStep(_S.ENDED, (_A.REPORT_END,)),
    (_S.ANSWERED, _I.ACK): SessionStep(_S.ESTABLISHED, (_A.STOP_ANSWER, _A.REPORT_CONFIRMED)),
    (_S.ANSWERED, _I.NO_ACK): _ENDS_WITH_BYE,
    (_S.ANSWERED, _I.HANG_UP): SessionStep(_S.LEAVING, (_A.REPORT_END,)),
    (_S.ANSWERED, _I.BYE): _LEFT_UNACKED,
    (_S.ANSWERED, _I.GONE): _LEFT_UNACKED,
    (_S.LEAVING, _I.ACK): SessionStep(_S.CLOSING, (_A.STOP_ANSWER, _A.SEND_BYE)),
    (_S.LEAVING, _I.NO_ACK): SessionStep(_S.CLOSING, (_A.SEND_BYE,)),
    (_S.LEAVING, _I.BYE): SessionStep(_S.ENDED, (_A.STOP_ANSWER,)),
    (_S.LEAVING, _I.GONE): SessionStep(_S.ENDED, (_A.STOP_ANSWER,)),
    # Both.
    (_S.ESTABLISHED, _I.HANG_UP): _ENDS_WITH_BYE,
    (_S.ESTABLISHED, _I.LOST): _ENDS_WITH_BYE,
    (_S.ESTABLISHED, _I.NO_ACK): _ENDS_WITH_BYE,
    (_S.ESTABLISHED, _I.BYE): SessionStep(_S.ENDED, (_A.REPORT_END,)),
    (_S.CLOSING, _I.BYE): SessionStep(_S.CLOSING),
    (_S.CLOSING, _I.BYE_DONE): SessionStep(_S.ENDED),
}
"""A missing pair is not legal."""
