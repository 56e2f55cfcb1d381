"""Calls: what a callout returns, what GetCall shows, what a client reports of one."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from gateway.api.wire.base import AnyCase, Asked, Identity, Money, Said
from gateway.svaml.events import iso_time
from gateway.switch.records import CallRecord

__all__ = ["CallReport", "CallResponse", "CalloutResponse"]


class CalloutResponse(Said):
    """A callout that was begun."""

    call_id: str


class CallResponse(Said):
    """A call, ongoing or finished; `timestamp`, `userRate` and `debit` are always there."""

    from_: Identity | None = Field(
        default=None, serialization_alias="from", exclude_if=lambda value: value is None
    )
    to: Identity | None = Field(default=None, exclude_if=lambda value: value is None)
    domain: str
    call_id: str
    duration: int
    """Whole seconds since the answer, or from there to the end."""
    status: Literal["ONGOING", "FINAL"]
    result: str
    reason: str
    timestamp: str
    """When the call began: ISO 8601, UTC."""
    custom: str
    user_rate: Money
    """Price of a minute."""
    debit: Money
    """Price of the call."""

    @classmethod
    def of(cls, record: CallRecord, *, at: float, with_from: bool) -> CallResponse:
        """Return what a record says.

        at: Unix seconds, for the duration of a call that is up.  with_from: PyPI sinch 1.1.4 dies of a `from`, all
        others want it.
        """
        return cls(
            from_=Identity.of(record.caller) if with_from and record.caller else None,
            to=Identity.of(record.called) if record.called else None,
            domain=record.domain,
            call_id=record.call,
            duration=record.lasted_s(at),
            status="ONGOING" if record.ongoing else "FINAL",
            result=record.result,
            reason=record.reason,
            timestamp=iso_time(record.started_at),
            custom=record.custom,
            user_rate=Money.of(record.rate),
            debit=Money.of(record.debit),
        )


class CallReport(Asked):
    """How a call was in the customer's eyes; kept in its CDR."""

    status: Annotated[Literal["success", "failure"], AnyCase]
    details: Annotated[str, Field(max_length=64)] = ""
