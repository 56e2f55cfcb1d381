"""What a call through ctypes costs, to be taken off what a peer's function seems to cost."""

from __future__ import annotations

import ctypes
import statistics
import time
from typing import Any, Final

__all__ = ["ns_of_call"]

_ROUNDS: Final = 7
_CALLS: Final = 1000


def ns_of_call(*arguments: Any) -> float:
    """Return the nanoseconds that a function of the C library takes which does next to nothing with these."""
    nothing = ctypes.CDLL(None).labs
    rounds = []
    for _ in range(_ROUNDS):
        started = time.process_time_ns()
        for _ in range(_CALLS):
            nothing(*arguments)
        rounds.append(time.process_time_ns() - started)
    return statistics.median(rounds) / _CALLS
