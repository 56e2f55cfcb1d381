"""What a call costs: each minute that was begun, at the price of its destination."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from gateway.switch.records import MONEY_PLACES, CallRecord, Money

__all__ = ["debit_of"]

_MINUTE_S: Final = 60
_SMALLEST: Final = Decimal(1).scaleb(-MONEY_PLACES)


def debit_of(record: CallRecord) -> Money | None:
    """Return what a call that is over cost; None if its destination has no price.

    A call that nobody answered costs nothing, one of 61 s costs two minutes.
    """
    if record.rate is None:
        return None
    minutes = 0
    if record.answered_at is not None and record.ended_at is not None:
        minutes = max(1, -(-record.duration_s // _MINUTE_S))
    return Money((record.rate.amount * minutes).quantize(_SMALLEST), record.rate.currency)
