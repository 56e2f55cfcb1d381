"""From a JSON path to the line and column where it stands, for people who look at a file.

Only the checker needs this: a call that meets a bad document is told the path alone.  The text must be JSON already;
what is no JSON has its own place, which the parser of JSON names.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from itertools import count
from typing import Final

from gateway.svaml.names import normal
from gateway.svaml.place import Place

__all__ = ["line_and_column", "offset_of", "offsets"]

_TOKEN: Final = re.compile(r'\s*([\[\]{}:,]|"(?:[^"\\]++|\\.)*+"|[^\s\[\]{}:,"]+)', re.DOTALL)
_ENDS: Final = ("]", "}")
_Tokens = Iterator[re.Match[str]]


def offsets(text: str) -> Mapping[str, int]:
    """Return path -> offset of every member (its key) and item of a JSON text; paths as `normal` makes them."""
    found: dict[str, int] = {}
    tokens = _TOKEN.finditer(text)
    _walk(next(tokens), tokens, Place(), found)
    return found


def offset_of(path: str, found: Mapping[str, int]) -> int:
    """Return where a path stands, or the nearest thing around it that does."""
    wanted = normal(path)
    while wanted not in found and (cut := max(wanted.rfind("."), wanted.rfind("["))) > 0:
        wanted = wanted[:cut]
    return found.get(wanted, 0)


def line_and_column(text: str, offset: int) -> tuple[int, int]:
    """Return both, counted from 1."""
    return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)


def _walk(first: re.Match[str], tokens: _Tokens, place: Place, found: dict[str, int]) -> None:
    """Note where the value that begins with `first` stands, unless its key has been noted, and all in it."""
    found.setdefault(normal(place.path), first.start(1))
    if first[1] == "[":
        _walk_items(tokens, place, found)
    elif first[1] == "{":
        _walk_members(tokens, place, found)


def _walk_items(tokens: _Tokens, place: Place, found: dict[str, int]) -> None:
    for index in count():
        first = next(tokens)
        if first[1] in _ENDS:
            return
        _walk(first, tokens, place.at(index), found)
        if next(tokens)[1] in _ENDS:
            return


def _walk_members(tokens: _Tokens, place: Place, found: dict[str, int]) -> None:
    for key in tokens:
        if key[1] in _ENDS:
            return
        member = place.at(str(json.loads(key[1])))
        found.setdefault(normal(member.path), key.start(1))
        next(tokens)  # the colon
        _walk(next(tokens), tokens, member, found)
        if next(tokens)[1] in _ENDS:
            return
