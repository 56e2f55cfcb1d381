"""How much a trunk may carry: so many calls at a time, and so many new ones a second, in both directions.

A permit is one call's place.  It is given before anything is sent and given back when the leg closes; giving it
back twice is giving it back once, so that every path of a call may do it.
"""

from __future__ import annotations

from typing import Final

from gateway.errors import Overload

__all__ = ["Load", "Permit"]


class Permit:
    """A call's place on a trunk."""

    def __init__(self, load: Load) -> None:
        self._load: Load | None = load

    def release(self) -> None:
        """Give the place back; once is enough."""
        if self._load is not None:
            self._load.calls -= 1
            self._load = None


class Load:
    """What one trunk carries."""

    def __init__(self, trunk: str, *, max_calls: int | None, calls_per_s: float | None) -> None:
        """None = without limit."""
        self._trunk: Final = trunk
        self._max_calls: Final = max_calls
        self._rate_per_s: Final = calls_per_s
        self._burst: Final = max(1.0, calls_per_s or 0.0)
        self._tokens = self._burst
        self._filled_at: float | None = None
        self.calls = 0
        """Up, or being set up."""

    def resume(self) -> Permit:
        """Take a place for a call that is there already."""
        self.calls += 1
        return Permit(self)

    def admit(self, now: float) -> Permit:
        """Take a place for a call.

        Raises:
            Overload: a limit is reached; the text says which.
        """
        if self._max_calls is not None and self.calls >= self._max_calls:
            raise Overload(f"trunk {self._trunk} carries its {self._max_calls} calls")
        if self._rate_per_s is not None:
            self._spend(self._rate_per_s, now)
        return self.resume()

    def _spend(self, rate_per_s: float, now: float) -> None:
        """Take a token out of a bucket that fills as fast as calls may come and holds a second's worth."""
        filled = 0.0 if self._filled_at is None else (now - self._filled_at) * rate_per_s
        self._tokens, self._filled_at = min(self._burst, self._tokens + filled), now
        if self._tokens < 1.0:
            raise Overload(f"trunk {self._trunk} takes {rate_per_s:g} new calls a second")
        self._tokens -= 1.0
