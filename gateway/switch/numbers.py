"""Telephone numbers as people and programs write them, and the one form that the switch compares: E.164 with its plus.

`+46(0)73-017-0101`, `0046730170101` and `46730170101` are one number.  What is national needs a country, which the
caller of `e164` may know; without one a number is taken to be international whether it has its plus or not.
"""

from __future__ import annotations

import re
from typing import Final

import phonenumbers

__all__ = ["bare", "covered_by", "e164", "is_e164"]

_E164: Final = re.compile(r"\+[1-9][0-9]{6,14}\Z")
_TELEPHONE: Final = re.compile(r"[+0-9(][0-9()./ \-]{2,39}\Z")
_INTERNATIONAL_PREFIX: Final = "00"


def is_e164(text: str) -> bool:
    """Tell whether a text is an E.164 number with its plus, as short or long as the standard lets one be."""
    return _E164.match(text) is not None


def e164(text: str, *, region: str | None = None) -> str | None:
    """Return a number in E.164; None if it is no telephone number.

    region: ISO 3166-1 alpha-2 of the country whose national numbers are meant; None = there are none.
    """
    text = text.strip()
    if is_e164(text):
        return text
    if region is None and is_e164(f"+{text}"):
        return f"+{text}"
    if not _TELEPHONE.match(text):
        return None
    if text.startswith(_INTERNATIONAL_PREFIX):
        text = f"+{text.removeprefix(_INTERNATIONAL_PREFIX)}"
    elif region is None and not text.startswith("+"):
        text = f"+{text}"
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        return None
    written = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return written if is_e164(written) else None


def bare(number: str) -> str:
    """Return a number without its plus, as callbacks show caller ids."""
    return number.removeprefix("+")


def covered_by(number: str, prefixes: tuple[str, ...]) -> bool:
    """Tell whether an E.164 number begins with one of the prefixes; without any, every number does."""
    return not prefixes or number.startswith(prefixes)
