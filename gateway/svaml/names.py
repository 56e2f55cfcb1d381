"""How names are compared, and what somebody who mistyped one may have meant."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Final

__all__ = ["likely", "normal"]

_ALIKE: Final = 0.7
_LONGEST: Final = 64
"""Nobody mistypes a name into more than that, and likeness is dear to measure."""


def normal(name: str) -> str:
    """Return a name as names are compared: the wire's case does not matter, nor do a Python client's underscores."""
    return name.replace("_", "").lower()


def likely(name: str, known: Iterable[str]) -> str:
    """Return a cure for a name that nobody knows: "write X" for the nearest known one, or the list of all."""
    names = {normal(each): each for each in known}
    if not names:
        return ""
    nearest = get_close_matches(normal(name[:_LONGEST]), names, n=1, cutoff=_ALIKE)
    return f"write {names[nearest[0]]}" if nearest else f"there are {', '.join(names.values())}"
