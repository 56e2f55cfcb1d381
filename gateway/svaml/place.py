"""Where in a document a value stands, so that whatever is said of it can name the place."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from gateway.svaml.errors import Remark, SvamlError

__all__ = ["Place", "shown"]

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

    def remark(self, reason: str, *, mistyped: str = "", known: Sequence[str] = ()) -> None:
        """Note something that is no error; `known` is what `mistyped` may have been meant to be."""
        self.remarks.append(Remark(self.path, reason, mistyped, tuple(known)))


def shown(value: object) -> str:
    """Return a value as an error shows it: short, as JSON, safe to print."""
    try:
        text = json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError, RecursionError):
        text = f"a {type(value).__name__}"
    text = text.encode("utf-8", "backslashreplace").decode()
    return text if len(text) <= _MOST_SHOWN else f"{text[: _MOST_SHOWN - 3]}..."
