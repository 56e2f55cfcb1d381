"""The kinds of value that SVAML fields have: how each is read, tolerantly, and how it is written.

Clients of ten years have written SVAML, and what they write differs: numbers as strings, booleans as strings, names in
any case, keys of a phone as numbers, Norway as `false` (a YAML reader took `no` for a boolean).  All of that is settled
here, once for each kind, so that the table of fields (`gateway.svaml.fields`) needs to say only which kind a field is.

To read is to return the value, or None for "as if it had not been given", or to raise `SvamlError`; what was changed or
dropped on the way is remarked at its place.  To write is to give the form that is read back as the same value.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Generic, Protocol, TypeVar

from gateway.svaml.names import likely
from gateway.svaml.place import Place, shown

__all__ = [
    "COUNTRIES",
    "Among",
    "AsItIs",
    "Choice",
    "Country",
    "Flag",
    "Keys",
    "Kind",
    "Text",
    "Whole",
    "flag_of",
    "text_of",
    "whole_of",
]

T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_CONTROL_BUT_LINES: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_MOST_NUMBER: Final = 10**30
"""A number beyond is no sequence of digits that anybody meant."""
_HALF: Final = re.compile(r"[\ud800-\udfff]")
_WHOLE: Final = re.compile(r"[+-]?\d{1,18}(?:\.0+)?", re.ASCII)
_FLAGS: Final[Mapping[str, bool]] = {
    "true": True, "yes": True, "on": True, "1": True,
    "false": False, "no": False, "off": False, "0": False,
}  # fmt: skip
COUNTRIES: Final = (
    "at", "au", "bg", "br", "be", "ch", "cl", "cn", "cz", "de", "dk", "ee", "es", "fi", "fr", "gr", "hu", "il", "in",
    "it", "lt", "jp", "mx", "my", "nl", "no", "nz", "ph", "pl", "pt", "ru", "se", "sg", "th", "uk", "us", "tw", "ve",
    "za",
)  # fmt: skip
"""The countries whose ring tone there is; `uk` is the wire's name of Great Britain."""


class Kind(Protocol[T]):
    """How a kind of value is read and written."""

    @property
    def said(self) -> str:
        """What the documentation calls it."""
        ...

    def read(self, value: object, place: Place) -> T | None:
        """Return the value of what the JSON holds here (never None), or None to take it as not given.

        Raises:
            SvamlError: it cannot be a value of this kind.
        """
        ...

    def write(self, value: T) -> object:
        """Return the JSON of a value."""
        ...


class AsItIs:
    """A kind whose values are written as they are."""

    __slots__ = ()

    def write(self, value: object) -> object:
        return value


@dataclass(frozen=True, slots=True)
class Text(AsItIs):
    """A string of at most `most` characters; a number is taken for its digits."""

    most: int = 256
    cut: bool = False
    """Too long is shortened, not refused."""
    lines: bool = False
    """May have line breaks: it is spoken, and never becomes a header."""
    empty: bool = False
    """An empty string is a value, not the absence of one."""
    ascii: bool = False
    """Other characters become question marks."""

    @property
    def said(self) -> str:
        return f"text, {self.most} characters at most{', the rest is cut off' if self.cut else ''}"

    def read(self, value: object, place: Place) -> str | None:
        text = text_of(value, place)
        if not self.lines:
            text = text.strip()
        if (_CONTROL_BUT_LINES if self.lines else _CONTROL).search(text):
            raise place.wrong("has a control character in it")
        if self.ascii and not text.isascii():
            place.remark("has characters that are not ASCII: replaced")
            text = text.encode("ascii", "replace").decode()
        if len(text) > self.most:
            text = self._shortened(text, place)
        return text if text or self.empty else None

    def _shortened(self, text: str, place: Place) -> str:
        if not self.cut:
            raise place.wrong(f"has {len(text)} characters, {self.most} is the most")
        place.remark(f"has {len(text)} characters: cut off after {self.most}")
        return text[: self.most].rstrip()


@dataclass(frozen=True, slots=True)
class Flag(AsItIs):
    """A boolean, or a word or number for one."""

    said: str = "true or false"

    def read(self, value: object, place: Place) -> bool | None:
        return None if value == "" else flag_of(value, place)


@dataclass(frozen=True, slots=True)
class Whole(AsItIs):
    """A whole number; more than `most` is cut down to it, 0 below `least` means "not given"."""

    least: int
    most: int
    unit: str = ""

    @property
    def said(self) -> str:
        return f"whole number {self.least} to {self.most}{' ' if self.unit else ''}{self.unit}"

    def read(self, value: object, place: Place) -> int | None:
        if value == "":
            return None
        number = whole_of(value, place)
        if number > self.most:
            place.remark(f"{shown(value)} is taken as {self.most}, the most there is")
            return self.most
        if number >= self.least:
            return number
        if number:
            raise place.wrong(f"{shown(value)} is too small, {self.least} is the least")
        place.remark("0 is taken as not given")
        return None


@dataclass(frozen=True, slots=True)
class Choice(Generic[T]):
    """One of a closed set of words, in any case; an unknown one is refused, or if `lenient` remarked and dropped."""

    values: Mapping[str, T]
    lenient: bool = False

    @classmethod
    def of(cls, members: type[E], *, lenient: bool = False) -> Choice[E]:
        """Return the choice between the members of an enumeration."""
        return Choice({member.value: member for member in members}, lenient)

    @property
    def said(self) -> str:
        return "one of " + ", ".join(f"`{word}`" for word in self.values)

    def read(self, value: object, place: Place) -> T | None:
        word = text_of(value, place).strip()
        if not word:
            return None
        for known, meant in self.values.items():
            if known.lower() == word.lower():
                return meant
        if not self.lenient:
            raise place.wrong(f"{shown(value)} is not known", cure=likely(word, self.values))
        place.remark(
            f"{shown(value)} is not known and has no effect", mistyped=word, known=tuple(self.values)
        )
        return None

    def write(self, value: T) -> object:
        return next(word for word, meant in self.values.items() if meant == value)


@dataclass(frozen=True, slots=True)
class Among(AsItIs):
    """One of a few whole numbers; another one is refused, or if `lenient` remarked and dropped."""

    values: tuple[int, ...]
    lenient: bool = False

    @property
    def said(self) -> str:
        return "one of " + ", ".join(map(str, self.values))

    def read(self, value: object, place: Place) -> int | None:
        if value == "":
            return None
        number = whole_of(value, place)
        if number in self.values:
            return number
        if not self.lenient:
            raise place.wrong(f"{shown(value)} is not possible", cure=f"write {self.said}")
        place.remark(f"{shown(value)} is not {self.said} and has no effect")
        return None


@dataclass(frozen=True, slots=True)
class Country(AsItIs):
    """The country of a ring tone; `false` is Norway."""

    said: str = "country code, " + " ".join(COUNTRIES)

    def read(self, value: object, place: Place) -> str | None:
        if value is False:
            return "no"
        code = text_of(value, place).strip().lower()
        code = {"false": "no", "gb": "uk"}.get(code, code)
        if code and code not in COUNTRIES:
            place.remark(f"there is no ring tone of {shown(value)}: no effect")
        return code if code in COUNTRIES else None


@dataclass(frozen=True, slots=True)
class Keys(AsItIs):
    """Keys of a telephone: `0-9 * #`, and with `pauses` a `w` for 500 ms."""

    most: int
    pauses: bool = False

    @property
    def said(self) -> str:
        known = "`0-9 * #`" + (", `w` waits 500 ms" if self.pauses else "")
        return f"one of {known}" if self.most == 1 else f"keys {known}, {self.most} at most"

    def read(self, value: object, place: Place) -> str | None:
        keys = text_of(value, place).strip().lower()
        known = "0123456789*#w" if self.pauses else "0123456789*#"
        if strange := keys.strip(known):
            cure = f"use {' '.join(known)}"
            raise place.wrong(f"{shown(strange[0])} in {shown(keys)} is no key", cure=cure)
        if len(keys) > self.most:
            raise place.wrong(f"has {len(keys)} keys, {self.most} is the most")
        return keys or None


def text_of(value: object, place: Place) -> str:
    """Return a string, or a number as one.

    Raises:
        SvamlError: it is neither, or holds half a character (a lone surrogate, which nothing can send on).
    """
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < _MOST_NUMBER:
        value = str(int(value) if float(value).is_integer() else value)
    if not isinstance(value, str):
        raise place.wrong(f"{shown(value)} is no string")
    if _HALF.search(value):
        raise place.wrong("holds half of a surrogate pair")
    return value


def flag_of(value: object, place: Place) -> bool:
    """Return a boolean, or what a word or a number says for one.

    Raises:
        SvamlError: it says neither yes nor no.
    """
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float | str):
        said = text_of(value, place).strip().lower()
        if said in _FLAGS:
            return _FLAGS[said]
    raise place.wrong(f"{shown(value)} is neither true nor false")


def whole_of(value: object, place: Place) -> int:
    """Return a whole number, or the one that a string or a float such as 30.0 says.

    Raises:
        SvamlError: it is no whole number.
    """
    if isinstance(value, str) and _WHOLE.fullmatch(value.strip()):
        return int(value.strip().partition(".")[0])
    if isinstance(value, float) and math.isfinite(value) and value.is_integer():
        return int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise place.wrong(f"{shown(value)} is no whole number")
