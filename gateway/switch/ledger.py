"""What is known of one call of an application: one frozen record, replaced at each change and told to the book."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from gateway.switch.caller_ids import shown_as
from gateway.switch.causes import Ending
from gateway.switch.money import debit_of
from gateway.switch.outcome import outcome_of
from gateway.switch.plans import Plan
from gateway.switch.records import CallRecord
from gateway.switch.steering import Pairs
from gateway.switch.stores import CallBook

__all__ = ["Ledger"]

_OUTSIDE: Final = "pstn"
"""Where calls to numbers that we own come from: they stay calls to that number, wherever they are connected to."""


class Ledger:
    """Keeps one call's record."""

    def __init__(self, record: CallRecord, book: CallBook) -> None:
        self.record = record
        self._book: Final = book

    def silence(self) -> None:
        """Note that the application is told no more."""
        self._note(replace(self.record, callbacks=False))

    def keep_cookies(self, cookies: Pairs) -> None:
        """Replace the cookies."""
        self._note(replace(self.record, cookies=cookies))

    def add_tags(self, tags: Pairs) -> None:
        """Add tags; a later one of the same key wins."""
        self._note(replace(self.record, tags=tuple((dict(self.record.tags) | dict(tags)).items())))

    def carry_headers(self, headers: Pairs) -> None:
        """Replace the headers."""
        self._note(replace(self.record, headers=headers))

    def planned(self, plan: Plan) -> None:
        """Note whom the call is connected to."""
        known = self.record
        outside = known.origination == _OUTSIDE
        self._note(
            replace(
                known,
                called=known.called if outside else plan.called,
                kind=known.kind if outside else plan.kind,
                cli=shown_as(plan.caller),
                domain=plan.domain,
                rate=plan.rate or known.rate,
            )
        )

    def joined(self, conference: str) -> None:
        """Note that it is in a conference."""
        self._note(replace(self.record, conference=conference, domain=self.record.domain or "conference"))

    def answered(self, at: float) -> bool:
        """Note when somebody first talked, in Unix seconds; tell whether that was now."""
        if self.record.answered_at is not None:
            return False
        self._note(replace(self.record, answered_at=at))
        return True

    def close(self, ending: Ending, at: float, *, reached: bool) -> CallRecord:
        """Return the record of the whole call; `reached`: who was called last has answered."""
        outcome = outcome_of(ending, answered=reached and self.record.answered_at is not None)
        ended = replace(self.record, ended_at=at, result=outcome.result, reason=outcome.reason)
        self.record = replace(ended, debit=debit_of(ended))
        return self.record

    def _note(self, record: CallRecord) -> None:
        if record != self.record:
            self.record = record
            self._book.note(record)
