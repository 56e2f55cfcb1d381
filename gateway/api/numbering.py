"""What is known of a phone number from the number alone: Google's tables, by `phonenumbers`.

A number is E.164 with its plus, written with any punctuation; the trunk prefix in parentheses that Europeans like to print,
`+46(0)73-017-0101`, is dropped.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

import phonenumbers
from phonenumbers import PhoneNumberType

__all__ = ["NumberFacts", "NumberType", "facts_of", "normalised"]

NumberType = Literal["Unknown", "Fixed", "Mobile", "Other"]

_TYPES: Final[dict[int, NumberType]] = {
    PhoneNumberType.FIXED_LINE: "Fixed",
    PhoneNumberType.MOBILE: "Mobile",
    PhoneNumberType.FIXED_LINE_OR_MOBILE: "Mobile",
    PhoneNumberType.UNKNOWN: "Unknown",
}
"""Of whatever else there is (toll free, premium, pagers, ...): Other."""
_LONGEST: Final = 40
_TRUNK_PREFIX: Final = re.compile(r"\(0+\)")
_PUNCTUATION: Final = re.compile(r"[\s()./-]+")
_E164: Final = re.compile(r"\+[1-9][0-9]{1,14}")


@dataclass(frozen=True, slots=True)
class NumberFacts:
    """A number and what it is."""

    e164: str
    country: str
    """ISO 3166-1 alpha-2; empty = of no country."""
    number_type: NumberType


def normalised(written: str) -> str | None:
    """Return a number as E.164 with its plus; None = it is none."""
    if len(written) > _LONGEST:
        return None
    digits = _PUNCTUATION.sub("", _TRUNK_PREFIX.sub("", written))
    e164 = digits if digits.startswith("+") else f"+{digits.removeprefix('00')}"
    return e164 if _E164.fullmatch(e164) else None


def facts_of(written: str) -> NumberFacts | None:
    """Return what is known of a number, however it is written; None = it is none."""
    e164 = normalised(written)
    if e164 is None:
        return None
    try:
        number = phonenumbers.parse(e164, None)
    except phonenumbers.NumberParseException:
        return NumberFacts(e164, "", "Unknown")
    country = phonenumbers.region_code_for_number(number) or ""
    return NumberFacts(
        e164,
        "" if country == phonenumbers.REGION_CODE_FOR_NON_GEO_ENTITY else country,
        _TYPES.get(phonenumbers.number_type(number), "Other"),
    )
