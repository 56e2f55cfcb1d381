"""What an application may spend: calls a second, where to, and for how much.

The limits are its own (`records.Application`) and are read anew for each call, so that an administrator's change
counts at once.  Money is looked at before a call and booked after it: calls that are up when the balance runs out may
overdraw it, which is what operators expect, as nobody's conversation is cut.
"""

from __future__ import annotations

from typing import Final

from gateway.errors import Overload
from gateway.switch.numbers import covered_by
from gateway.switch.records import Application, Money
from gateway.switch.steering import Forbidden, NoCredit

__all__ = ["Allowances", "TooOften", "check_credit", "check_destination"]


class TooOften(Overload):
    """The application asks for more calls a second than it may: its affair, not a want of ours."""


class Allowances:
    """How fast each application may begin calls: a bucket of a second's worth that fills as it is emptied."""

    def __init__(self) -> None:
        self._buckets: dict[str, tuple[float, float]] = {}
        """By key in lower case: tokens, and when they were counted."""

    def take(self, application: Application, now: float) -> None:
        """Count one more call.

        Raises:
            TooOften: the application begins more calls a second than it may.
        """
        rate = application.calls_per_s
        if rate is None:
            return
        key, burst = application.key.lower(), max(1.0, rate)
        tokens, counted_at = self._buckets.get(key, (burst, now))
        tokens = min(burst, tokens + (now - counted_at) * rate)
        if tokens < 1.0:
            self._buckets[key] = tokens, now
            raise TooOften(f"the application begins more than {rate:g} calls a second", retry_after_s=1)
        self._buckets[key] = tokens - 1.0, now


_NOTHING: Final = 0


def check_credit(application: Application) -> None:
    """See that the application may spend anything.

    Raises:
        NoCredit: its balance is used up, or its cap is reached.
    """
    if application.balance is not None and application.balance.amount <= _NOTHING:
        raise NoCredit("the balance is used up")
    if application.spend_cap is not None and _reached(application.spent, application.spend_cap):
        raise NoCredit("the spend cap is reached")


def check_destination(application: Application, number: str) -> None:
    """See that the application may call a number in E.164.

    Raises:
        Forbidden: it is not on its list of destinations.
    """
    if not covered_by(number, application.destinations):
        raise Forbidden(f"{number} is not among the destinations of the application")


def _reached(spent: Money | None, cap: Money) -> bool:
    return (_NOTHING if spent is None else spent.amount) >= cap.amount
