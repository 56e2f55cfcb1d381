"""Who held up the event loop?  A thread that looks on, for a loop that stands still cannot say so itself.

The loop beats every 50 ms.  When a beat is more than 250 ms late, the thread takes down where the loop's thread is
at that moment, which is inside whatever does not let go; when the loop beats again, the stall is told there, once,
with its length.  On a quiet machine none may ever happen; on a busy one a stall without a guilty line in its stack
is the machine's.
"""

from __future__ import annotations

import asyncio
import sys
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

__all__ = ["LoopWatch", "Stall"]

_BEATS: Final = 5
"""In the time after which a loop is said to stand still."""


@dataclass(frozen=True, slots=True)
class Stall:
    """The loop stood still, and goes on."""

    lasted_s: float
    stack: tuple[str, ...]
    """Where it stood, the innermost line last."""


class LoopWatch:
    """Watch the running loop while the block runs; `told` hears of each stall, in the loop."""

    def __init__(self, told: Callable[[Stall], None], *, limit_s: float = 0.25) -> None:
        self._told = told
        self._limit_s = limit_s
        self._beat_s = limit_s / _BEATS
        self._over = threading.Event()
        self._stack: tuple[str, ...] = ()
        self._timer: asyncio.TimerHandle | None = None

    def __enter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        self._watched = threading.get_ident()
        self._beaten_at = self._loop.time()
        self._timer = self._loop.call_later(self._beat_s, self._beat)
        self._thread = threading.Thread(target=self._watch, name="loop-watch", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        del kind, error, trace
        self._over.set()
        self._thread.join()
        if self._timer is not None:
            self._timer.cancel()

    def _beat(self) -> None:
        now = self._loop.time()
        stack, self._stack = self._stack, ()
        if stack:
            self._told(Stall(now - self._beaten_at - self._beat_s, stack))
        self._beaten_at = now
        self._timer = self._loop.call_later(self._beat_s, self._beat)

    def _watch(self) -> None:
        while not self._over.wait(self._beat_s):
            late_s = self._loop.time() - self._beaten_at - self._beat_s
            if late_s > self._limit_s and not self._stack:
                frame = sys._current_frames().get(self._watched)
                self._stack = tuple(line.rstrip() for line in traceback.format_stack(frame))
