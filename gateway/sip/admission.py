"""How much new work is taken on: a rate that follows the measured delay of the queue (RFC 6357, RFC 7415).

Without it an overloaded switch does the wrong thing well: it works on calls whose callers have given up, and
the more is offered the fewer it completes.  What tells of overload is time: how long a message has waited
between its arrival at our socket and its turn.  That one number holds everything, whatever is slow.

Delays are averaged over windows of 100 ms, new work and begun work apart; the worse one counts.  Two windows
in a row above the target are an *episode* of overload, a single one may be a pause of the machine.  In an
episode new work is let in at a rate: seven tenths of what was managed when it began, less by a tenth whenever two
windows are late again, more by a hundredth for each that is not and had to refuse.  A second without a refusal
ends the episode.  A rate, and not a share to refuse, because a rate needs no time to find out that ten times
as much is offered as before.

The rate is a bucket of tokens.  A source that was let in less often than an equal share of the rate may take its
token ahead of time, so that one who asks for ten times too much does not crowd out the others.

Sans-IO: `now` in, a verdict out; `episodes` tells when one began and when it was over.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Final

__all__ = ["Admission", "Episode"]

_WINDOW_S: Final = 0.1
_LATE_WINDOWS: Final = 2
_CALM_WINDOWS: Final = 10
_AT_FIRST: Final = 0.7
"""What was managed before calls came to their ends is more than can be managed."""
_LESS: Final = 0.9
_MORE: Final = 1.01
_SETTLING_S: Final = 0.5
"""How long a lower rate is given to show in the delay, before it is lowered again."""
_LEAST_PER_S: Final = 1.0
_TOO_LATE: Final = 4.0
"""New work that has waited for so many times the target is refused in an episode: its turn came too late."""
_DEBT_S: Final = 0.1
_FAIR_S: Final = 1.0
_BURST_S: Final = 0.1
"""By how much a source may be ahead of its share: calls do not come evenly."""


@dataclass(frozen=True, slots=True)
class Episode:
    """An episode of overload has begun, or is over."""

    over: bool
    delay_s: float
    """How long messages waited in the last window."""
    rate_per_s: float
    """How much new work is let in from now on, or was in the end."""
    refused: int = 0
    """How often something was refused in it."""
    lasted_s: float = 0.0


@dataclass(slots=True)
class _Window:
    """What was seen within a tenth of a second."""

    began: float
    waits_s: list[float] = field(default_factory=lambda: [0.0, 0.0])
    """The sum of all waits, of begun work and of new."""
    handled: list[int] = field(default_factory=lambda: [0, 0])
    refused: int = 0

    @property
    def delay_s(self) -> float:
        """The mean wait of the kind of work that waits longer."""
        return max(wait / n if n else 0.0 for wait, n in zip(self.waits_s, self.handled, strict=True))


class Admission:
    """The gate for what begins something."""

    def __init__(self, *, target_s: float = 0.05) -> None:
        """`target_s`: how long messages may wait on average."""
        self._target_s: Final = target_s
        self.episodes: Final[deque[Episode]] = deque(maxlen=16)
        """What happened and was not taken yet."""
        self._window = _Window(0.0)
        self._previous = _Window(0.0)
        self._late = 0
        self._calm = 0
        self._rate_per_s: float | None = None
        self._tokens = 0.0
        self._filled_at = 0.0
        self._settled_at = 0.0
        self._began_at = 0.0
        self._refused = 0
        self._due_at: dict[str, float] = {}
        """When each source of the last second has used up its share (the virtual time of ITU-T I.371's GCRA)."""
        self._asking: set[str] = set()
        self._sources = 1
        self._counting_since = 0.0

    @property
    def overloaded(self) -> bool:
        """Whether an episode is on."""
        return self._rate_per_s is not None

    def next_deadline(self) -> float | None:
        """Return when to call `settle` even if nothing comes; None outside of an episode."""
        return self._window.began + _WINDOW_S if self.overloaded else None

    def settle(self, now: float) -> None:
        """Judge the window that is over, if one is."""
        if now >= self._window.began + _WINDOW_S:
            self._judge(self._window, now)
            self._previous, self._window = self._window, _Window(now)

    def lets_in(self, source: str, now: float) -> bool:
        """Decide on one piece of new work from `source`, an address."""
        self.settle(now)
        if self._rate_per_s is None:
            return True
        self._fill(now)
        modest = self._is_modest(source, now)
        if self._tokens >= 1.0 or (modest and self._tokens > -_DEBT_S * self._rate_per_s):
            self._tokens -= 1.0
            self._due_at[source] = max(now, self._due_at.get(source, now)) + self._sources / self._rate_per_s
            return True
        self.refuse()
        return False

    def waited(self, wait_s: float, now: float, *, new: bool) -> None:
        """Note that a message has got its turn, and how long it had waited."""
        self.settle(now)
        self._window.waits_s[new] += wait_s
        self._window.handled[new] += 1

    def is_too_late(self, wait_s: float) -> bool:
        """Tell whether new work has waited for so long that somebody else should be served."""
        return self.overloaded and wait_s > _TOO_LATE * self._target_s

    def refuse(self) -> None:
        """Count a refusal."""
        self._window.refused += 1
        self._refused += 1

    def _judge(self, window: _Window, now: float) -> None:
        late = window.delay_s > self._target_s
        self._late = self._late + 1 if late else 0
        self._calm = 0 if late or window.refused else self._calm + 1
        if self._rate_per_s is None:
            if self._late >= _LATE_WINDOWS:
                self._begin(window, now)
        elif self._late >= _LATE_WINDOWS and now >= self._settled_at:
            self._set_rate(_LESS * self._rate_per_s, now)
        elif self._calm >= _CALM_WINDOWS:
            self._end(window, now)
        elif window.refused and not late:
            self._rate_per_s *= _MORE

    def _begin(self, window: _Window, now: float) -> None:
        managed = window.handled[True] + self._previous.handled[True]
        self._set_rate(_AT_FIRST * managed / (now - self._previous.began), now)
        self._tokens, self._filled_at = 0.0, now
        self._began_at, self._refused = now, 0
        self.episodes.append(Episode(over=False, delay_s=window.delay_s, rate_per_s=self._rate_per_s or 0.0))

    def _end(self, window: _Window, now: float) -> None:
        rate_per_s, lasted_s = self._rate_per_s or 0.0, now - self._began_at
        self._rate_per_s = None
        self.episodes.append(Episode(True, window.delay_s, rate_per_s, self._refused, lasted_s))

    def _set_rate(self, rate_per_s: float, now: float) -> None:
        self._rate_per_s = max(_LEAST_PER_S, rate_per_s)
        self._settled_at = now + _SETTLING_S

    def _fill(self, now: float) -> None:
        rate_per_s = self._rate_per_s or 0.0
        most = max(1.0, rate_per_s * _WINDOW_S)
        self._tokens = min(most, self._tokens + (now - self._filled_at) * rate_per_s)
        self._filled_at = now

    def _is_modest(self, source: str, now: float) -> bool:
        """Tell whether `source` was let in less often than an equal share of the rate."""
        if now >= self._counting_since + _FAIR_S:
            self._due_at = {each: at for each, at in self._due_at.items() if at > now - _FAIR_S}
            self._sources, self._counting_since = max(1, len(self._asking)), now
            self._asking.clear()
        self._asking.add(source)
        return self._due_at.get(source, now) <= now + _BURST_S
