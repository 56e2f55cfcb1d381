"""What is known of a phone number."""

from __future__ import annotations

from typing import Literal

from gateway.api.wire.base import Money, Said

__all__ = ["NumberItem", "NumberQueryResponse"]


class NumberItem(Said):
    """A number: whose country's, of what kind, at what price."""

    country_id: str
    """ISO 3166-1 alpha-2, or empty for a number of no country."""
    number_type: Literal["Unknown", "Fixed", "Mobile", "Other"]
    normalized_number: str
    """E.164 with +."""
    restricted: bool
    """The application may not call it."""
    rate: Money
    """Price of a minute."""


class NumberQueryResponse(Said):
    """The answer to a query, under both names that it has had."""

    method: str = "queryNumber"
    number: NumberItem
    number_item: NumberItem
