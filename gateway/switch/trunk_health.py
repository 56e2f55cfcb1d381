"""How a server of a trunk is: one table, fed by the calls that go there and by OPTIONS.

A server is *down* after two silences in a row, be they of a call or of a ping: one is a lost packet or a slow
minute.  Any answer makes it *up*, whatever it says: 404 to a ping is as alive as 200.  Only 503 says something
of the server and not of the call.

Whoever was silent or overloaded is avoided for a while, half a minute or what a Retry-After asks for; a pause
that was asked for is kept in any case (RFC 3261 section 21.5.4), the other is a preference: when nobody else
is left, a server that failed is better than none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

__all__ = ["HEALTH", "Health", "HealthInput", "HealthState"]

_AVOIDED_S: Final = 30.0
_LONGEST_ASKED_S: Final = 3600
"""Nobody makes us stay away for longer."""


class HealthState(StrEnum):
    """How a server is."""

    UP = "up"
    SUSPECT = "suspect"
    DOWN = "down"


class HealthInput(StrEnum):
    """What can be learnt of it."""

    ANSWERED = "it answered"
    SILENT = "it did not answer, or cannot be connected to"
    OVERLOADED = "it said 503"


_S, _I = HealthState, HealthInput

HEALTH: Final[Mapping[tuple[HealthState, HealthInput], HealthState]] = {
    (_S.UP, _I.ANSWERED): _S.UP,
    (_S.UP, _I.SILENT): _S.SUSPECT,
    (_S.UP, _I.OVERLOADED): _S.SUSPECT,
    (_S.SUSPECT, _I.ANSWERED): _S.UP,
    (_S.SUSPECT, _I.SILENT): _S.DOWN,
    (_S.SUSPECT, _I.OVERLOADED): _S.SUSPECT,
    (_S.DOWN, _I.ANSWERED): _S.UP,
    (_S.DOWN, _I.SILENT): _S.DOWN,
    (_S.DOWN, _I.OVERLOADED): _S.SUSPECT,
}
"""Every pair: nothing that is learnt of a server is a mistake."""


@dataclass(slots=True)
class Health:
    """What is known of one server."""

    state: HealthState = HealthState.UP
    avoid_until: float = 0.0
    """Monotonic seconds; others first until then."""
    forbidden_until: float = 0.0
    """Monotonic seconds; nothing new goes there until then, for it said so."""

    def learn(self, learnt: HealthInput, now: float, *, retry_after_s: int | None = None) -> bool:
        """Take in what was learnt; True if the state is another one now."""
        was, self.state = self.state, HEALTH[self.state, learnt]
        if learnt is HealthInput.ANSWERED:
            self.avoid_until = self.forbidden_until  # a pause that was asked for is kept
        else:
            self.avoid_until = max(self.avoid_until, now + _AVOIDED_S)
        if learnt is HealthInput.OVERLOADED and retry_after_s:
            self.forbidden_until = self.avoid_until = now + min(retry_after_s, _LONGEST_ASKED_S)
        return was is not self.state
