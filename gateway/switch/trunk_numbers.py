"""How a trunk writes telephone numbers, and how we read what it writes.

Inside the switch a number is E.164 with its plus, `+46701234567`.  Carriers want it so, or without the plus, or
as it is dialled in their country: `0701234567` at home, `0015550100` abroad.  One rule a trunk says which, and
the same rule reads what the trunk sends: what comes in is compared with the numbers that we own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

__all__ = ["NumberFormat", "Style"]

Style: TypeAlias = Literal["e164", "plain", "national", "international"]
_NUMBER: Final = re.compile(r"\+?[0-9][0-9().-]{0,31}")
_VISUAL: Final = str.maketrans("", "", "().-")
"""Visual separators of a telephone number (RFC 3966 section 5.1.1)."""


@dataclass(frozen=True, slots=True)
class NumberFormat:
    """One trunk's rule."""

    style: Style = "e164"
    """`+4670...`, plain `4670...`, national `070...` (abroad as international), international `004670...`."""
    country: str = ""
    """The calling code in which national numbers are, e.g. `46`."""
    national_prefix: str = "0"
    """Stands before a national number; `""` in countries that have none."""
    international_prefix: str = "00"
    """Stands before the calling code of another country."""
    dial_prefix: str = ""
    """Stands before every number that we dial, whatever its style: the carrier takes it off again."""

    def dialled(self, number: str) -> str:
        """Return a number of ours as this trunk wants to be asked for it."""
        return self.dial_prefix + self.written(number)

    def written(self, number: str) -> str:
        """Return a number of ours in the trunk's style; what is no E.164 number is left as it is."""
        if not number.startswith("+") or self.style == "e164":
            return number
        digits = number[1:]
        if self.style == "plain":
            return digits
        if self.style == "national" and self.country and digits.startswith(self.country):
            return self.national_prefix + digits[len(self.country) :]
        return self.international_prefix + digits

    def read(self, text: str) -> str:
        """Return what the trunk wrote as E.164, if it is a number and can be; a name is left as it is."""
        if not _NUMBER.fullmatch(text):
            return text
        number = text.translate(_VISUAL)
        if number.startswith("+"):
            return number
        if self.style == "plain" and not number.startswith("0"):
            return f"+{number}"
        if self.international_prefix and number.startswith(self.international_prefix):
            return f"+{number[len(self.international_prefix) :]}"
        if self._is_national(number):
            return f"+{self.country}{number[len(self.national_prefix) :]}"
        return number

    def _is_national(self, number: str) -> bool:
        """Tell whether a number is one of the country; without a prefix only the style can say so."""
        if not self.country:
            return False
        return number.startswith(self.national_prefix) if self.national_prefix else self.style == "national"
