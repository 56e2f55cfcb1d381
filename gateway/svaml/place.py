"""Where in a document a value stands, so that whatever is said of it can name the place."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final

from gateway.svaml.errors import Remark, SvamlError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Place", "likely", "normal", "shown"]

_PLAIN: Final = re.compile(r"[A-Za-z_$][\w$-]*", re.ASCII)
_MOST_SHOWN: Final = 40


@dataclass(frozen=True, slots=True)
class Place:
    """A JSON path, and the remarks of the whole document, which every place of it adds to."""

    path: str = "$"
    remarks: list[Remark] = field(default_factory=list)

    def at(self, key: str | int) -> Place:
        """Return the place of a member or an item."""
        if isinstance(key, int):
            return Place(f"{self.path}[{key}]", self.remarks)
        step = f".{key}" if _PLAIN.fullmatch(key) else f"[{json.dumps(key)}]"
        return Place(self.path + step, self.remarks)

    def wrong(self, reason: str, *, cure: str = "", missing: bool = False) -> SvamlError:
        """Return the error to raise about this place."""
        return SvamlError(self.path, reason, cure=cure, missing=missing)

    def remark(self, reason: str) -> None:
        """Note something that is no error."""
        self.remarks.append(Remark(self.path, reason))


def normal(name: str) -> str:
    """Return a name as names are compared: the wire's case does not matter, nor do a Python client's underscores."""
    return name.replace("_", "").lower()


def shown(value: object) -> str:
    """Return a value as an error shows it: short, as JSON, safe to print."""
    try:
        text = json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):
        text = f"a {type(value).__name__}"
    text = text.encode("utf-8", "backslashreplace").decode()
    return text if len(text) <= _MOST_SHOWN else f"{text[: _MOST_SHOWN - 3]}..."


def likely(name: str, known: Iterable[str]) -> str:
    """Return a cure for a name that nobody knows: "write X" for the nearest known one, or the list of all."""
    names = {normal(each): each for each in known}
    nearest = get_close_matches(normal(name), names, n=1, cutoff=0.7)
    return f"write {names[nearest[0]]}" if nearest else f"there are {', '.join(names.values())}"
