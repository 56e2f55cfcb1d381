"""Tables in `docs/` that name tests: what stands in them, and whether those tests exist.

A page that says "this is held by that test" is worth something only while it is true, so every such table has a test
of its own, and they all read it from here.
"""

from __future__ import annotations

import ast
import re
from functools import lru_cache
from pathlib import Path
from typing import Final

__all__ = ["ROOT", "named_tests", "rows_of", "unknown_tests"]

ROOT: Final = Path(__file__).parents[2]
"""Where `docs/` and `tests/` are."""

_NAME: Final = re.compile(r"`([^`\s]+\.py::\w+)`")


def rows_of(page: str, *, columns: int) -> list[list[str]]:
    """Return the cells of all rows of that width in a page of `docs/`, without heads and rules."""
    found = []
    for line in (ROOT / "docs" / page).read_text().splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if line.startswith("|") and len(cells) == columns:
            found.append(cells)
    rules = {index for index, cells in enumerate(found) if all(set(cell) <= set(":-") for cell in cells)}
    heads = {index - 1 for index in rules}
    return [cells for index, cells in enumerate(found) if index not in rules | heads]


def named_tests(cell: str) -> list[str]:
    """Return the tests that a cell names: `tests/sip/test_forks.py::test_...`, in backquotes."""
    return _NAME.findall(cell)


def unknown_tests(cell: str) -> list[str]:
    """Return those of its tests that do not exist."""
    return [each for each in named_tests(cell) if not _exists(*each.split("::"))]


def _exists(path: str, name: str) -> bool:
    return name in _functions(path)


@lru_cache(maxsize=256)
def _functions(path: str) -> frozenset[str]:
    """Return the functions of a file, those of its classes too; none if there is no such file."""
    file = ROOT / path
    if not file.is_file():
        return frozenset()
    tree = ast.parse(file.read_text())
    return frozenset(
        node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )
