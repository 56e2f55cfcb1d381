"""An asyncio event loop in which nobody waits: time jumps to the next timer whenever nothing is ready.

`VirtualTimeLoop.time()` is a variable.  When the loop would sleep in its selector for `timeout` seconds,
the virtual selector returns at once and moves the clock on by `timeout`, so a minute of timers takes a few
milliseconds and comes out the same each time.  If there is neither a ready callback nor a timer, nothing
could ever happen again: that is a deadlock of the test and raises `Deadlocked` in place of hanging.

No real sockets, threads, executors, subprocesses or signals in such tests: their readiness is not seen.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from gateway.errors import LocalError

if TYPE_CHECKING:
    from _typeshed import FileDescriptorLike

__all__ = ["Deadlocked", "VirtualClock", "VirtualTimeLoop", "run_virtual"]

T = TypeVar("T")


class Deadlocked(LocalError):
    """Every task waits and no timer runs: in virtual time that is for ever."""


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock starts at 0 s and jumps when idle."""

    def __init__(self) -> None:
        self._virtual = _VirtualSelector()
        super().__init__(self._virtual)

    def time(self) -> float:
        """Return virtual monotonic seconds since the loop was made."""
        return self._virtual.now


class VirtualClock:
    """`gateway.clock.Clock` on a virtual loop; the wall stands at `epoch` when the loop starts."""

    def __init__(self, loop: asyncio.AbstractEventLoop, *, epoch: float = 1_700_000_000.0) -> None:
        self._loop = loop
        self._epoch = epoch

    def now(self) -> float:
        """Return virtual monotonic seconds."""
        return self._loop.time()

    def wall(self) -> float:
        """Return virtual seconds since 1970."""
        return self._epoch + self._loop.time()


def run_virtual(main: Coroutine[Any, Any, T]) -> T:
    """Run `main` to its end in virtual time and return its result, like `asyncio.run`.

    Raises Deadlocked if the coroutine waits for something that cannot happen.
    """
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(main)


class _VirtualSelector(selectors.BaseSelector):
    """A selector that knows no readiness, only the passing of time.

    The loop's own wake-up descriptor is registered with it and ignored.
    """

    def __init__(self) -> None:
        self.now = 0.0
        self._keys: dict[int, selectors.SelectorKey] = {}

    def register(self, fileobj: FileDescriptorLike, events: int, data: Any = None) -> selectors.SelectorKey:
        number = fileobj if isinstance(fileobj, int) else fileobj.fileno()
        key = selectors.SelectorKey(fileobj, number, events, data)
        self._keys[number] = key
        return key

    def unregister(self, fileobj: FileDescriptorLike) -> selectors.SelectorKey:
        number = fileobj if isinstance(fileobj, int) else fileobj.fileno()
        return self._keys.pop(number)

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None:
            raise Deadlocked(f"at {self.now:.3f} s every task waits and no timer is set")
        self.now += max(timeout, 0.0)
        return []

    def get_map(self) -> Mapping[FileDescriptorLike, selectors.SelectorKey]:
        return {key.fileobj: key for key in self._keys.values()}

    def close(self) -> None:
        self._keys.clear()
