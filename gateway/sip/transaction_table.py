"""The four transaction machines of RFC 3261 section 17, corrected by RFC 6026, as tables.

Each machine is a mapping `(state, trigger) -> Step`.  A trigger is an `Event` or a `Timer` that fired; a
step is the next state and the actions to take, in order.  Nothing about a transaction's progress is decided
anywhere else: the layer looks a trigger up, takes the actions, and knows no state by name.

**An absent key is illegal.**  The rule behind that: whatever the network may do in a state has a row, if
only an empty one, for a peer must not be able to make us fail; whatever is absent only our own code could
have done.

`python -m gateway.sip.diagram` draws these tables.  Two things go beyond the figures in the RFCs:

- A CANCEL has states of its own: one that comes before any provisional response waits for it
  (`CANCEL_PENDING`, RFC 3261 section 9.1), one that was sent gives the INVITE 64*T1 to end (`CANCELLING`).
- When a connection breaks, an unanswered server transaction ends: there is no way left for its answer, and
  "retransmissions that would look new" (RFC 6026 section 7.1) cannot come on a connection that is gone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, TypeAlias

from gateway.sip.symbols import Symbol
from gateway.sip.timers import Timer

__all__ = [
    "INVITE_CLIENT",
    "INVITE_SERVER",
    "NON_INVITE_CLIENT",
    "NON_INVITE_SERVER",
    "TRANSITIONS",
    "Action",
    "BackOff",
    "Do",
    "Event",
    "Slow",
    "Start",
    "State",
    "Step",
    "Stop",
    "Table",
    "Trigger",
]


class State(Symbol):
    """Where a transaction stands; not every machine has every state."""

    START = "start"
    CALLING = "calling"
    TRYING = "trying"
    PROCEEDING = "proceeding"
    CANCEL_PENDING = "cancel pending"
    CANCELLING = "cancelling"
    ACCEPTED = "accepted"
    COMPLETED = "completed"
    CONFIRMED = "confirmed"
    TERMINATED = "terminated"


class Event(Symbol):
    """What can happen to a transaction besides a timer."""

    BEGIN = "begin"
    """A client's request is to be sent; a server's request came."""
    RESPONSE_1XX = "1xx came"
    RESPONSE_2XX = "2xx came"
    RESPONSE_300_699 = "300-699 came"
    RESPONSE_FINAL = "final response came"
    REQUEST = "request came again"
    ACK = "ACK came"
    ANSWER_1XX = "user answers 1xx"
    ANSWER_2XX = "user answers 2xx"
    ANSWER_300_699 = "user answers 300-699"
    ANSWER_FINAL = "user answers"
    CANCEL = "user cancels"
    TRANSPORT_ERROR = "transport failed"


class Do(Symbol):
    """What a step makes the layer do."""

    SEND_REQUEST = "send request"
    SEND_ACK = "send ACK"
    SEND_CANCEL = "send CANCEL"
    SEND_ANSWER = "send the user's response"
    REPEAT_ANSWER = "send the last response again"
    SEND_TRYING = "send 100"
    SEND_500 = "send 500"
    PASS_UP = "pass to user"
    PASS_ACK_UP = "pass ACK to user"
    REPORT_TIMEOUT = "report timeout"
    REPORT_TRANSPORT = "report transport failure"
    STOP_TIMERS = "stop all timers"


@dataclass(frozen=True, slots=True)
class Start:
    """Start a timer with its first interval, from now."""

    timer: Timer


@dataclass(frozen=True, slots=True)
class Stop:
    """Stop a timer; it need not run."""

    timer: Timer


@dataclass(frozen=True, slots=True)
class BackOff:
    """Start a retransmission timer again with twice the interval."""

    timer: Timer


@dataclass(frozen=True, slots=True)
class Slow:
    """Start a retransmission timer again with T2."""

    timer: Timer


Action: TypeAlias = Do | Start | Stop | BackOff | Slow
Trigger: TypeAlias = Event | Timer


@dataclass(frozen=True, slots=True)
class Step:
    """The state a transaction goes to, and what is done on the way."""

    state: State
    actions: tuple[Action, ...] = ()


Table: TypeAlias = Mapping[tuple[State, Trigger], Step]

_ACCEPTED: Final = Step(State.ACCEPTED, (Do.STOP_TIMERS, Do.PASS_UP, Start(Timer.M)))
_REFUSED: Final = Step(State.COMPLETED, (Do.STOP_TIMERS, Do.SEND_ACK, Do.PASS_UP, Start(Timer.D)))
_NO_ANSWER: Final = Step(State.TERMINATED, (Do.REPORT_TIMEOUT,))
_NO_TRANSPORT: Final = Step(State.TERMINATED, (Do.REPORT_TRANSPORT,))
_CANCEL: Final = Step(State.CANCELLING, (Do.STOP_TIMERS, Do.SEND_CANCEL, Start(Timer.CANCELLED)))
_ENDED: Final = Step(State.TERMINATED)

INVITE_CLIENT: Final[Table] = MappingProxyType(
    {
        (State.START, Event.BEGIN): Step(State.CALLING, (Do.SEND_REQUEST, Start(Timer.A), Start(Timer.B))),
        (State.CALLING, Timer.A): Step(State.CALLING, (Do.SEND_REQUEST, BackOff(Timer.A))),
        (State.CALLING, Timer.B): _NO_ANSWER,
        (State.CALLING, Event.RESPONSE_1XX): Step(
            State.PROCEEDING, (Do.STOP_TIMERS, Do.PASS_UP, Start(Timer.C))
        ),
        (State.CALLING, Event.RESPONSE_2XX): _ACCEPTED,
        (State.CALLING, Event.RESPONSE_300_699): _REFUSED,
        (State.CALLING, Event.CANCEL): Step(State.CANCEL_PENDING),
        (State.CALLING, Event.TRANSPORT_ERROR): _NO_TRANSPORT,
        # 9.1: no CANCEL before a provisional response, so the INVITE goes on until one comes
        (State.CANCEL_PENDING, Timer.A): Step(State.CANCEL_PENDING, (Do.SEND_REQUEST, BackOff(Timer.A))),
        (State.CANCEL_PENDING, Timer.B): _NO_ANSWER,
        (State.CANCEL_PENDING, Event.RESPONSE_1XX): _CANCEL,
        (State.CANCEL_PENDING, Event.RESPONSE_2XX): _ACCEPTED,
        (State.CANCEL_PENDING, Event.RESPONSE_300_699): _REFUSED,
        (State.CANCEL_PENDING, Event.CANCEL): Step(State.CANCEL_PENDING),
        (State.CANCEL_PENDING, Event.TRANSPORT_ERROR): _NO_TRANSPORT,
        # 16.6: each provisional response gives timer C its full time again
        (State.PROCEEDING, Event.RESPONSE_1XX): Step(State.PROCEEDING, (Do.PASS_UP, Start(Timer.C))),
        (State.PROCEEDING, Event.RESPONSE_2XX): _ACCEPTED,
        (State.PROCEEDING, Event.RESPONSE_300_699): _REFUSED,
        (State.PROCEEDING, Timer.C): _CANCEL,
        (State.PROCEEDING, Event.CANCEL): _CANCEL,
        (State.PROCEEDING, Event.TRANSPORT_ERROR): _NO_TRANSPORT,
        (State.CANCELLING, Event.RESPONSE_1XX): Step(State.CANCELLING),
        (State.CANCELLING, Event.RESPONSE_2XX): _ACCEPTED,
        (State.CANCELLING, Event.RESPONSE_300_699): _REFUSED,
        (State.CANCELLING, Timer.CANCELLED): _NO_ANSWER,
        (State.CANCELLING, Event.CANCEL): Step(State.CANCELLING),
        (State.CANCELLING, Event.TRANSPORT_ERROR): _NO_TRANSPORT,
        # 6026 8.4: a fork may be answered more than once, and each 2xx is the user's
        (State.ACCEPTED, Event.RESPONSE_1XX): Step(State.ACCEPTED),
        (State.ACCEPTED, Event.RESPONSE_2XX): Step(State.ACCEPTED, (Do.PASS_UP,)),
        (State.ACCEPTED, Event.RESPONSE_300_699): Step(State.ACCEPTED),
        (State.ACCEPTED, Timer.M): _ENDED,
        (State.ACCEPTED, Event.CANCEL): Step(State.ACCEPTED),
        (State.ACCEPTED, Event.TRANSPORT_ERROR): Step(State.ACCEPTED),
        (State.COMPLETED, Event.RESPONSE_1XX): Step(State.COMPLETED),
        (State.COMPLETED, Event.RESPONSE_2XX): Step(State.COMPLETED),
        (State.COMPLETED, Event.RESPONSE_300_699): Step(State.COMPLETED, (Do.SEND_ACK,)),
        (State.COMPLETED, Timer.D): _ENDED,
        (State.COMPLETED, Event.CANCEL): Step(State.COMPLETED),
        (State.COMPLETED, Event.TRANSPORT_ERROR): _ENDED,
    }
)
"""RFC 3261 figure 5, RFC 6026 figure 1."""

_FINISHED: Final = Step(State.COMPLETED, (Do.STOP_TIMERS, Do.PASS_UP, Start(Timer.K)))

NON_INVITE_CLIENT: Final[Table] = MappingProxyType(
    {
        (State.START, Event.BEGIN): Step(State.TRYING, (Do.SEND_REQUEST, Start(Timer.E), Start(Timer.F))),
        (State.TRYING, Timer.E): Step(State.TRYING, (Do.SEND_REQUEST, BackOff(Timer.E))),
        (State.TRYING, Timer.F): _NO_ANSWER,
        (State.TRYING, Event.RESPONSE_1XX): Step(State.PROCEEDING, (Do.PASS_UP,)),
        (State.TRYING, Event.RESPONSE_FINAL): _FINISHED,
        (State.TRYING, Event.TRANSPORT_ERROR): _NO_TRANSPORT,
        (State.PROCEEDING, Timer.E): Step(State.PROCEEDING, (Do.SEND_REQUEST, Slow(Timer.E))),
        (State.PROCEEDING, Timer.F): _NO_ANSWER,
        (State.PROCEEDING, Event.RESPONSE_1XX): Step(State.PROCEEDING, (Do.PASS_UP,)),
        (State.PROCEEDING, Event.RESPONSE_FINAL): _FINISHED,
        (State.PROCEEDING, Event.TRANSPORT_ERROR): _NO_TRANSPORT,
        (State.COMPLETED, Event.RESPONSE_1XX): Step(State.COMPLETED),
        (State.COMPLETED, Event.RESPONSE_FINAL): Step(State.COMPLETED),
        (State.COMPLETED, Timer.K): _ENDED,
        (State.COMPLETED, Event.TRANSPORT_ERROR): _ENDED,
    }
)
"""RFC 3261 figure 6."""

INVITE_SERVER: Final[Table] = MappingProxyType(
    {
        (State.START, Event.BEGIN): Step(
            State.PROCEEDING, (Do.PASS_UP, Start(Timer.TRYING), Start(Timer.UNANSWERED))
        ),
        (State.PROCEEDING, Event.REQUEST): Step(State.PROCEEDING, (Do.REPEAT_ANSWER,)),
        (State.PROCEEDING, Event.ACK): Step(State.PROCEEDING),
        (State.PROCEEDING, Timer.TRYING): Step(State.PROCEEDING, (Do.SEND_TRYING,)),
        (State.PROCEEDING, Timer.UNANSWERED): Step(
            State.COMPLETED,
            (Do.STOP_TIMERS, Do.SEND_500, Do.REPORT_TIMEOUT, Start(Timer.G), Start(Timer.H)),
        ),
        (State.PROCEEDING, Event.ANSWER_1XX): Step(
            State.PROCEEDING, (Do.SEND_ANSWER, Stop(Timer.TRYING), Start(Timer.UNANSWERED))
        ),
        (State.PROCEEDING, Event.ANSWER_2XX): Step(
            State.ACCEPTED, (Do.STOP_TIMERS, Do.SEND_ANSWER, Start(Timer.L))
        ),
        (State.PROCEEDING, Event.ANSWER_300_699): Step(
            State.COMPLETED, (Do.STOP_TIMERS, Do.SEND_ANSWER, Start(Timer.G), Start(Timer.H))
        ),
        (State.PROCEEDING, Event.TRANSPORT_ERROR): _NO_TRANSPORT,
        # 6026 7.1: the user repeats its 2xx until the ACK, the transaction only absorbs the INVITE
        (State.ACCEPTED, Event.REQUEST): Step(State.ACCEPTED),
        (State.ACCEPTED, Event.ACK): Step(State.ACCEPTED, (Do.PASS_ACK_UP,)),
        (State.ACCEPTED, Event.ANSWER_2XX): Step(State.ACCEPTED, (Do.SEND_ANSWER,)),
        (State.ACCEPTED, Timer.L): _ENDED,
        (State.ACCEPTED, Event.TRANSPORT_ERROR): Step(State.ACCEPTED),
        (State.COMPLETED, Event.REQUEST): Step(State.COMPLETED, (Do.REPEAT_ANSWER,)),
        (State.COMPLETED, Timer.G): Step(State.COMPLETED, (Do.REPEAT_ANSWER, BackOff(Timer.G))),
        (State.COMPLETED, Timer.H): _NO_ANSWER,
        (State.COMPLETED, Event.ACK): Step(State.CONFIRMED, (Do.STOP_TIMERS, Start(Timer.I))),
        (State.COMPLETED, Event.TRANSPORT_ERROR): _ENDED,
        (State.CONFIRMED, Event.REQUEST): Step(State.CONFIRMED),
        (State.CONFIRMED, Event.ACK): Step(State.CONFIRMED),
        (State.CONFIRMED, Timer.I): _ENDED,
        (State.CONFIRMED, Event.TRANSPORT_ERROR): _ENDED,
    }
)
"""RFC 3261 figure 7, RFC 6026 figure 2."""

_ANSWERED: Final = Step(State.COMPLETED, (Do.STOP_TIMERS, Do.SEND_ANSWER, Start(Timer.J)))

NON_INVITE_SERVER: Final[Table] = MappingProxyType(
    {
        (State.START, Event.BEGIN): Step(State.TRYING, (Do.PASS_UP, Start(Timer.SILENT))),
        (State.TRYING, Event.REQUEST): Step(State.TRYING),
        (State.TRYING, Event.ANSWER_1XX): Step(State.PROCEEDING, (Do.SEND_ANSWER,)),
        (State.TRYING, Event.ANSWER_FINAL): _ANSWERED,
        # 4320 4.2: after this time no answer helps, the client has given up
        (State.TRYING, Timer.SILENT): _NO_ANSWER,
        (State.TRYING, Event.TRANSPORT_ERROR): _NO_TRANSPORT,
        (State.PROCEEDING, Event.REQUEST): Step(State.PROCEEDING, (Do.REPEAT_ANSWER,)),
        (State.PROCEEDING, Event.ANSWER_1XX): Step(State.PROCEEDING, (Do.SEND_ANSWER,)),
        (State.PROCEEDING, Event.ANSWER_FINAL): _ANSWERED,
        (State.PROCEEDING, Timer.SILENT): _NO_ANSWER,
        (State.PROCEEDING, Event.TRANSPORT_ERROR): _NO_TRANSPORT,
        (State.COMPLETED, Event.REQUEST): Step(State.COMPLETED, (Do.REPEAT_ANSWER,)),
        # 17.2.2: whatever the user says after its final response is dropped
        (State.COMPLETED, Event.ANSWER_1XX): Step(State.COMPLETED),
        (State.COMPLETED, Event.ANSWER_FINAL): Step(State.COMPLETED),
        (State.COMPLETED, Timer.J): _ENDED,
        (State.COMPLETED, Event.TRANSPORT_ERROR): _ENDED,
    }
)
"""RFC 3261 figure 8."""

TRANSITIONS: Final[Mapping[str, Table]] = MappingProxyType(
    {
        "INVITE client": INVITE_CLIENT,
        "non-INVITE client": NON_INVITE_CLIENT,
        "INVITE server": INVITE_SERVER,
        "non-INVITE server": NON_INVITE_SERVER,
    }
)
"""The four machines by name."""
