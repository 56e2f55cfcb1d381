"""What is known of a phone number from the number alone: Google's tables, by `phonenumbers`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import phonenumbers
from phonenumbers import PhoneNumberType

from gateway.switch.numbers import e164

__all__ = ["NumberFacts", "NumberType", "facts_of"]

NumberType = Literal["Unknown", "Fixed", "Mobile", "Other"]

_TYPES: Final[dict[int, NumberType]] = {
    PhoneNumberType.FIXED_LINE: "Fixed",
    PhoneNumberType.FIXED_LINE_OR_MOBILE: "Fixed",  # North America's, where nobody can tell
    PhoneNumberType.MOBILE: "Mobile",
    PhoneNumberType.UNKNOWN: "Unknown",
}
"""Of whatever else there is (toll free, premium, pagers, ...): Other."""


@dataclass(frozen=True, slots=True)
class NumberFacts:
    """A number and what it is."""

    e164: str
    """With its plus."""
    country: str
    """ISO 3166-1 alpha-2; empty = of no country."""
    number_type: NumberType


def facts_of(written: str) -> NumberFacts | None:
    """Return what is known of a number, however it is written; None = it is none."""
    number = e164(written)
    if number is None:
        return None
    try:
        parsed = phonenumbers.parse(number, None)
    except phonenumbers.NumberParseException:
        return NumberFacts(number, "", "Unknown")
    country = phonenumbers.region_code_for_number(parsed)
    if country is None:  # no valid number, and yet it begins as those of a country do
        country = phonenumbers.region_code_for_country_code(parsed.country_code or 0)
    return NumberFacts(
        number,
        country if country.isalpha() and country != "ZZ" else "",
        _TYPES.get(phonenumbers.number_type(parsed), "Other"),
    )
