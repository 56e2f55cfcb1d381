"""Which of an application's two URLs is asked, as a table: section 6 of the wire format.

The primary URL is asked first, and the fallback at once when that failed.  After three failures in a row the primary
is bypassed, so that nobody waits five seconds for a server that is known to be gone; a minute after its last failure
one request tries it again, while others go on to the fallback, and a success restores it.

Requests overlap, so an outcome may come at any time, also long after the state in which it was asked for: the table
has a row for every pair.  Nothing here knows a clock; `now` is monotonic seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Final

__all__ = [
    "FAILURES",
    "RETRY_S",
    "TRANSITIONS",
    "Failover",
    "FailoverInput",
    "FailoverState",
    "FailoverStep",
    "Route",
]

FAILURES: Final = 3
"""So many in a row and the primary URL is bypassed."""
RETRY_S: Final = 60.0
"""After so long without a failure a bypassed primary URL is tried again."""


class FailoverState(Enum):
    """How the primary URL is thought of."""

    PREFERRED = "the primary URL is asked first"
    BYPASSED = "only the fallback is asked"
    TRYING = "one request tries the primary URL again, the others ask the fallback"


class FailoverInput(Enum):
    """What can happen."""

    ASKED = "a request is to be sent"
    ASKED_LATE = "a request is to be sent, a minute or more after the last failure"
    SUCCEEDED = "the primary URL has answered"
    FAILED = "it has failed, once or twice in a row"
    FAILED_OFTEN = "it has failed three times or more in a row"
    ABANDONED = "nobody waits for its answer any more"


class Route(Enum):
    """Where a request goes."""

    PRIMARY_FIRST = "to the primary URL, and to the fallback if that fails"
    FALLBACK_ONLY = "to the fallback"


@dataclass(frozen=True, slots=True)
class FailoverStep:
    """The state that follows, and where a request goes."""

    state: FailoverState
    route: Route = Route.PRIMARY_FIRST


_S, _I = FailoverState, FailoverInput
_PREFERRED, _BYPASSED, _TRYING = (FailoverStep(state) for state in _S)
_AROUND_BYPASSED = FailoverStep(_S.BYPASSED, Route.FALLBACK_ONLY)
_AROUND_TRYING = FailoverStep(_S.TRYING, Route.FALLBACK_ONLY)

TRANSITIONS: Final[Mapping[tuple[FailoverState, FailoverInput], FailoverStep]] = {
    (_S.PREFERRED, _I.ASKED): _PREFERRED,
    (_S.PREFERRED, _I.ASKED_LATE): _PREFERRED,
    (_S.PREFERRED, _I.SUCCEEDED): _PREFERRED,
    (_S.PREFERRED, _I.FAILED): _PREFERRED,
    (_S.PREFERRED, _I.FAILED_OFTEN): _BYPASSED,
    (_S.PREFERRED, _I.ABANDONED): _PREFERRED,
    (_S.BYPASSED, _I.ASKED): _AROUND_BYPASSED,
    (_S.BYPASSED, _I.ASKED_LATE): _TRYING,
    (_S.BYPASSED, _I.SUCCEEDED): _PREFERRED,
    (_S.BYPASSED, _I.FAILED): _BYPASSED,
    (_S.BYPASSED, _I.FAILED_OFTEN): _BYPASSED,
    (_S.BYPASSED, _I.ABANDONED): _BYPASSED,
    (_S.TRYING, _I.ASKED): _AROUND_TRYING,
    (_S.TRYING, _I.ASKED_LATE): _AROUND_TRYING,
    (_S.TRYING, _I.SUCCEEDED): _PREFERRED,
    (_S.TRYING, _I.FAILED): _BYPASSED,
    (_S.TRYING, _I.FAILED_OFTEN): _BYPASSED,
    (_S.TRYING, _I.ABANDONED): _BYPASSED,
}
"""Every pair is here; the route is read where a request is to be sent."""


class Failover:
    """The record of one primary URL that has a fallback."""

    def __init__(self) -> None:
        self._state = FailoverState.PREFERRED
        self._failures = 0
        self._failed_at = 0.0

    @property
    def bypassed(self) -> bool:
        """The fallback is asked in the primary URL's place."""
        return self._state is not FailoverState.PREFERRED

    def route(self, now: float) -> Route:
        """Say where a request goes that is to be sent now."""
        late = now - self._failed_at >= RETRY_S
        return self._step(FailoverInput.ASKED_LATE if late else FailoverInput.ASKED).route

    def succeeded(self) -> None:
        """The primary URL has answered."""
        self._failures = 0
        self._step(FailoverInput.SUCCEEDED)

    def failed(self, now: float) -> None:
        """The primary URL has not answered, or not well."""
        self._failures += 1
        self._failed_at = now
        often = self._failures >= FAILURES
        self._step(FailoverInput.FAILED_OFTEN if often else FailoverInput.FAILED)

    def abandoned(self) -> None:
        """Whoever asked the primary URL has gone: the call ended meanwhile."""
        self._step(FailoverInput.ABANDONED)

    def _step(self, happening: FailoverInput) -> FailoverStep:
        step = TRANSITIONS[self._state, happening]
        self._state = step.state
        return step
