"""The timers of RFC 3261 section 17 with RFC 6026, under the names those RFCs give them, and four of our own.

All are monotonic seconds and derive from T1, T2 and T4.  A duration of None means "never started": over a
reliable transport nothing is retransmitted.  A duration of 0 means "at once".

Our own exist because no state may be without a deadline, whatever the code above forgets:
`TRYING` (RFC 3261 17.2.1: 100 after 200 ms), `CANCELLED` (9.1: no final answer 64*T1 after a CANCEL),
`SILENT` and `UNANSWERED` (nobody above ever answered a request, an INVITE).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from gateway.sip.symbols import Symbol

__all__ = ["RETRANSMISSIONS", "Timer", "TimerTable"]


class Timer(Symbol):
    """A timer of a transaction; the value is what it is for."""

    A = "INVITE client: send the request again"
    B = "INVITE client: nobody answers"
    C = "INVITE client: it rings for too long"
    D = "INVITE client: absorb repeated final responses"
    E = "client: send the request again"
    F = "client: nobody answers"
    G = "INVITE server: send the final response again"
    H = "INVITE server: no ACK came"
    I = "INVITE server: absorb repeated ACKs"  # noqa: E741 - the RFC's name
    J = "server: absorb repeated requests"
    K = "client: absorb repeated responses"
    L = "INVITE server: absorb repeated INVITEs after a 2xx"
    M = "INVITE client: pass up every 2xx of a fork"
    TRYING = "INVITE server: say 100 if nothing else was said"
    CANCELLED = "INVITE client: a CANCEL had no effect"
    SILENT = "server: the user never answered"
    UNANSWERED = "INVITE server: the user never answered"


@dataclass(frozen=True, slots=True)
class TimerTable:
    """Durations in seconds; the defaults are the RFC's."""

    t1_s: float = 0.5
    """Estimate of the round-trip time."""
    t2_s: float = 4.0
    """Longest interval between retransmissions (other than of an INVITE)."""
    t4_s: float = 5.0
    """Longest time a message stays in the network."""
    c_s: float = 185.0
    """Timer C: more than three minutes (RFC 3261 section 16.6)."""
    trying_s: float = 0.2
    """How long an INVITE waits for a first word before 100 is sent."""
    unanswered_s: float = 600.0
    """How long an INVITE may stay without a final answer of ours before 500 is sent."""

    def duration_s(self, timer: Timer, *, reliable: bool) -> float | None:
        """Return the first interval of `timer`: None where it is not used, 0.0 where it fires at once."""
        if timer in RETRANSMISSIONS:
            return None if reliable else self.t1_s
        if timer in _LINGERS and reliable:
            return 0.0
        match timer:
            case Timer.C:
                return self.c_s
            case Timer.I | Timer.K:
                return self.t4_s
            case Timer.TRYING:
                return self.trying_s
            case Timer.UNANSWERED:
                return self.unanswered_s
            case _:
                return 64 * self.t1_s

    def back_off_s(self, timer: Timer, interval_s: float) -> float:
        """Return the next interval of a retransmission: twice the last, at most T2 except for an INVITE."""
        return 2 * interval_s if timer is Timer.A else min(2 * interval_s, self.t2_s)


RETRANSMISSIONS: Final = frozenset({Timer.A, Timer.E, Timer.G})
"""Timers that send something again and start anew with a longer interval."""
_LINGERS: Final = frozenset({Timer.D, Timer.I, Timer.J, Timer.K})
