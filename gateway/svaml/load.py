"""From the bytes of a document to JSON, and from a JSON object to its members.

What arrives was written by anybody.  Size and depth have limits, so that nobody's document costs us more than a
document should; a key that stands twice in one object is kept in mind, to be complained about where the object is
read (of an object that nobody reads, nobody cares); and everything else that can be wrong with JSON is one error.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from itertools import accumulate
from typing import Final, NoReturn

from gateway.svaml.errors import SvamlError
from gateway.svaml.names import normal
from gateway.svaml.place import Place, shown

__all__ = ["MOST_BYTES", "MOST_DEPTH", "load", "members_of"]

MOST_BYTES: Final = 64 * 1024
"""Reading the worst that fits takes a tenth of a second, and calls wait meanwhile; a large menu has 10 KiB."""
MOST_DEPTH: Final = 32

_STRING_OR_BRACKET: Final = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[\[\]{}]', re.DOTALL)
"""Matches an unfinished string too, to its end: no text takes more than one pass."""
_STEP: Final[Mapping[str, int]] = {"[": 1, "{": 1, "]": -1, "}": -1}
_ROOT: Final = Place().path


class _Object(dict[str, object]):
    """A JSON object that remembers which of its keys were written twice."""

    twice: str | None = None


def load(data: bytes | str) -> object:
    """Return what the JSON says; None for nothing but white space.

    Raises:
        SvamlError: it is too large, too deep, not UTF-8 or not JSON.
    """
    if len(data) > MOST_BYTES:
        raise SvamlError(_ROOT, f"{len(data)} bytes are too many, {MOST_BYTES} is the most")
    text = _decoded(data) if isinstance(data, bytes) else data
    if not text.strip():
        return None
    _check_depth(text)
    try:
        document: object = json.loads(text, object_pairs_hook=_object, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        reason = f"is not JSON: {error.msg} at line {error.lineno}, column {error.colno}"
        raise SvamlError(_ROOT, reason, offset=error.pos) from None
    except ValueError as error:
        raise SvamlError(_ROOT, f"is not JSON: {error}") from None
    return document


def members_of(value: object, place: Place) -> dict[str, tuple[str, object]]:
    """Return an object's members that are not null: `normal` name -> the name as written, and the value.

    Raises:
        SvamlError: it is no object, or gives one member twice.
    """
    if not isinstance(value, Mapping):
        raise place.wrong(f"{shown(value)} is no object", cure="write { ... }")
    if isinstance(value, _Object) and value.twice is not None:
        raise place.at(value.twice).wrong("is given twice")
    members: dict[str, tuple[str, object]] = {}
    for key, given in value.items():
        if not isinstance(key, str) or given is None:
            continue
        if normal(key) in members:
            raise place.at(key).wrong(f"is given twice, also as {shown(members[normal(key)][0])}")
        members[normal(key)] = (key, given)
    return members


def _decoded(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SvamlError(_ROOT, f"is not UTF-8: byte {error.start} is {data[error.start]:#04x}") from None


def _check_depth(text: str) -> None:
    if text.count("[") + text.count("{") <= MOST_DEPTH:
        return
    steps = (_STEP.get(match[0], 0) for match in _STRING_OR_BRACKET.finditer(text))
    if max(accumulate(steps), default=0) > MOST_DEPTH:
        raise SvamlError(_ROOT, f"is nested too deeply, {MOST_DEPTH} levels are the most")


def _object(pairs: list[tuple[str, object]]) -> _Object:
    made = _Object(pairs)
    if len(made) < len(pairs):
        made.twice = Counter(key for key, _ in pairs).most_common(1)[0][0]
    return made


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")
