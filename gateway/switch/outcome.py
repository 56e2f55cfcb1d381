"""What an application is told of a call's end: one table from SIP, Q.850 and our own decisions to result and reason.

The *result* says whether anybody talked, the *reason* who or what ended it.  What a status means depends on whether
somebody had answered, so the table has two halves.  Rows are tried in order; in each, None fits everything.

    answered   by            reason          result
    yes        caller        CALLERHANGUP    ANSWERED
    yes        callee        CALLEEHANGUP    ANSWERED
    yes        manager       MANAGERHANGUP   ANSWERED
    yes        timeout       TIMEOUT         ANSWERED
    yes        (else)        GENERALERROR    ANSWERED
    no         caller        CANCEL          NOANSWER      who called gave up
    no         manager       MANAGERHANGUP   BUSY if it said so, else FAILED
    no         486, 600      N/A             BUSY          nobody's fault: the reason has no word for it
    no         403, 603...   BLOCKED         FAILED        somebody refused the call itself
    no         timeout       TIMEOUT         NOANSWER
    no         408, 480      TIMEOUT         NOANSWER      a carrier that waited in our place
    no         500, 503...   CONGESTION      FAILED
    no         (else)        GENERALERROR    FAILED

An `Ending` that is a decision of ours may name its reason itself (no credit, a callback that failed); the result is
then that of the same table.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from gateway.switch.causes import Ending
from gateway.switch.records import CallReason, CallResult

__all__ = ["Outcome", "outcome_of"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a call ended, in the words of a record."""

    result: CallResult
    reason: CallReason


@dataclass(frozen=True, slots=True)
class _Row:
    by: str | None
    statuses: frozenset[int] | None
    result: CallResult
    reason: CallReason

    def fits(self, ending: Ending) -> bool:
        return self.by in (None, ending.by) and (self.statuses is None or ending.status in self.statuses)


_BUSY: Final = frozenset({486, 600})
_REFUSED: Final = frozenset({401, 402, 403, 407, 433, 603, 607, 608})
_SILENT: Final = frozenset({408, 480, 504})
_CONGESTED: Final = frozenset({500, 502, 503})

_ANSWERED: Final = (
    _Row("caller", None, CallResult.ANSWERED, CallReason.CALLERHANGUP),
    _Row("callee", None, CallResult.ANSWERED, CallReason.CALLEEHANGUP),
    _Row("manager", None, CallResult.ANSWERED, CallReason.MANAGERHANGUP),
    _Row("timeout", None, CallResult.ANSWERED, CallReason.TIMEOUT),
    _Row(None, None, CallResult.ANSWERED, CallReason.GENERALERROR),
)
_UNANSWERED: Final = (
    _Row("caller", None, CallResult.NOANSWER, CallReason.CANCEL),
    _Row("manager", _BUSY, CallResult.BUSY, CallReason.MANAGERHANGUP),
    _Row("manager", None, CallResult.FAILED, CallReason.MANAGERHANGUP),
    _Row(None, _BUSY, CallResult.BUSY, CallReason.NA),
    _Row(None, _REFUSED, CallResult.FAILED, CallReason.BLOCKED),
    _Row("timeout", None, CallResult.NOANSWER, CallReason.TIMEOUT),
    _Row("callee", _SILENT, CallResult.NOANSWER, CallReason.TIMEOUT),
    _Row(None, _CONGESTED, CallResult.FAILED, CallReason.CONGESTION),
    _Row(None, None, CallResult.FAILED, CallReason.GENERALERROR),
)


def outcome_of(ending: Ending, *, answered: bool) -> Outcome:
    """Return what became of a call that ended so; `answered`: somebody had picked up."""
    row = next(row for row in (_ANSWERED if answered else _UNANSWERED) if row.fits(ending))
    result = CallResult.FAILED if ending.reason is not None and not answered else row.result
    return Outcome(result, ending.reason or row.reason)
