"""What `amd` asks for: whether a person or a machine has answered (section 6.5 of the wire format).

    synchronous    the ACE waits for the verdict and carries it
    asynchronous   the ACE says `inprogress`; the verdict follows as a notification `amd`, and `amd_beep` says that a
                   machine has beeped; a call that is over before there is a verdict is told of as `hangup`

A call whose application wants no callbacks is not listened to.
"""

from __future__ import annotations

from typing import Final

from gateway.media.events import AnswerJudged, BeepHeard
from gateway.svaml.asking import Asking
from gateway.svaml.events import AmdReason, AmdResult, AmdStatus, NotifyType
from gateway.svaml.model import Amd
from gateway.switch.answerers import AnswerNews
from gateway.switch.steering import SteeredCall

__all__ = ["NO_AMD", "Answering"]

NO_AMD: Final = Amd()


class Answering:
    """Finds out who has answered one call."""

    def __init__(self, call: SteeredCall, asking: Asking) -> None:
        self._call: Final = call
        self._asking: Final = asking
        self._awaited = False
        """The application was promised a verdict that has not come."""

    async def found_out(self, amd: Amd) -> AmdResult | None:
        """Return what the ACE says of who has just answered; None = it was not asked."""
        if not (amd.enabled and self._call.record.callbacks):
            return None
        if not amd.asynchronous:
            return _result(await self._call.who_answered())
        self._awaited = True
        self._call.watch_answerer(self._tell)
        return AmdResult(AmdStatus.INPROGRESS)

    async def hung_up(self) -> None:
        """Tell that the call was over before there was a verdict, if one was promised."""
        if self._awaited:
            self._awaited = False
            result = AmdResult(AmdStatus.HANGUP, duration_s=self._asking.since_answer_s(self._call))
            await self._asking.notify(self._call, NotifyType.AMD, amd=result)

    async def _tell(self, news: AnswerNews) -> None:
        match news:
            case AnswerJudged():
                self._awaited = False
                await self._asking.notify(self._call, NotifyType.AMD, amd=_result(news))
            case BeepHeard(after_ms=after_ms):
                result = AmdResult(AmdStatus.MACHINE, AmdReason.BEEP, (after_ms or 0) / 1000)
                await self._asking.notify(self._call, NotifyType.AMD_BEEP, amd=result)


def _result(verdict: AnswerJudged) -> AmdResult:
    return AmdResult(AmdStatus(verdict.who.value), AmdReason(verdict.sign.value), verdict.after_ms / 1000)
