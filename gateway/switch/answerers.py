"""Who has answered a call: asked of the media plane, for whoever steers the call.

Either the call waits for the verdict, which takes four seconds (`judged`), or it goes on, and its steering is told when
there is one (`watch`).  Then a machine is listened to until it has beeped, because only what is said after that is
recorded.  A person is not listened to any longer: the call may be relayed.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias

from gateway.media.answering_machine import AnsweringTerms, Sign, Who
from gateway.media.events import AnswerJudged, BeepHeard
from gateway.switch.legs import Leg

__all__ = ["AnswerNews", "Answerer"]

AnswerNews: TypeAlias = AnswerJudged | BeepHeard

_GRACE_S: Final = 1.0
"""A plane that was restarted meanwhile may take longer than its terms say, but not for ever."""


class Answerer:
    """Whoever answered one call, if anybody wants to know."""

    def __init__(
        self, now: Callable[[], float], hear: Callable[[float], Awaitable[None]], terms: AnsweringTerms
    ) -> None:
        """`hear(until)` lets the next thing happen to the call, monotonic seconds as `now` tells them."""
        self._now: Final = now
        self._hear: Final = hear
        self._terms: Final = terms
        self._leg: Leg | None = None
        self._verdict: AnswerJudged | None = None
        self._tell: Callable[[AnswerNews], Awaitable[None]] | None = None

    async def judged(self, leg: Leg) -> AnswerJudged:
        """Return who has just answered `leg`."""
        patience_s = self._terms.longest_wait_ms / 1000 + _GRACE_S
        until = self._now() + patience_s
        self._begin(leg)
        while self._verdict is None and self._now() < until:
            await self._hear(until)
        self._end()
        return self._verdict or AnswerJudged(leg.id, Who.NOTSURE, Sign.NONE, round(1000 * patience_s))

    def watch(self, leg: Leg, tell: Callable[[AnswerNews], Awaitable[None]]) -> None:
        """Tell who has just answered `leg`, and when a machine has beeped."""
        self._tell = tell
        self._begin(leg)

    async def take(self, news: AnswerNews) -> None:
        """Take in what the plane found out."""
        if self._leg is None or news.leg != self._leg.id:
            return
        if isinstance(news, AnswerJudged):
            if self._verdict is not None:
                return  # it was asked anew, by a plane that was restarted
            self._verdict = news
        if isinstance(news, BeepHeard) or news.who is Who.HUMAN:
            self._end()
        if self._tell is not None and news != BeepHeard(news.leg, None):
            await self._tell(news)

    def _begin(self, leg: Leg) -> None:
        self._leg, self._verdict = leg, None
        leg.find_out_who(self._terms)

    def _end(self) -> None:
        if self._leg is not None:
            self._leg.find_out_who(None)
            self._leg = None
