"""Make any value fit for one line of a log, without ever raising.

Names and headers in our logs were written by strangers.  A carriage return forges a second record, an escape sequence
rewrites the operator's terminal, a bidirectional override turns a sentence round, a lone surrogate makes the encoder
raise.  So everything that is logged passes through here: text is escaped and elided, containers are cut, and what is
neither becomes its `repr`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from typing import TypeVar

__all__ = ["Plain", "escaped", "plain"]

Plain = str | int | float | bool | None | list["Plain"] | dict[str, "Plain"]
"""What JSON can say."""

Item = TypeVar("Item")

MAX_TEXT = 4096
MAX_ITEMS = 64
MAX_DEPTH = 6
UNSAFE = re.compile(
    "[\\x00-\\x1f\\x7f-\\x9f"  # C0, DEL, C1
    "\\u061c\\u200e\\u200f\\u2028\\u2029\\u202a-\\u202e\\u2066-\\u2069"  # line ends, bidirectional controls
    "\\ud800-\\udfff\\ufeff]"  # surrogates, byte order mark
)


def escaped(text: str) -> str:
    """Return `text`, elided after MAX_TEXT, with its control characters written out in hexadecimal."""
    if len(text) > MAX_TEXT:
        text = f"{text[:MAX_TEXT]}... ({len(text)} characters)"
    if text.isascii() and text.isprintable():
        return text
    return UNSAFE.sub(_written_out, text)


def plain(value: object, depth: int = 0) -> Plain:
    """Return what JSON can say of `value`.  Cannot raise."""
    match value:
        case None | bool():
            return value
        case int():
            return int(value) if abs(value) < 1 << 63 else "an integer beyond 64 bits"
        case float():
            return float(value) if math.isfinite(value) else str(float(value))
        case str():
            return escaped(str(value))
        case bytes() | bytearray():
            return escaped(value.decode("utf-8", "backslashreplace"))
        case _:
            return _plain_container(value, depth)


def _plain_container(value: object, depth: int) -> Plain:
    try:
        if depth < MAX_DEPTH and isinstance(value, Mapping):
            pairs = [(escaped(str(key)), item) for key, item in _first(value.items())]
            return {key: plain(item, depth + 1) for key, item in pairs}
        if depth < MAX_DEPTH and isinstance(value, list | tuple | set | frozenset):
            return [plain(item, depth + 1) for item in _first(value)]
        return escaped(str(value) if isinstance(value, BaseException) else repr(value))
    except Exception as error:  # a broken __repr__ is somebody's bug and nobody's outage
        return f"<{type(value).__name__} that cannot be shown: {type(error).__name__}>"


def _first(items: Iterable[Item]) -> list[Item]:
    return [item for _, item in zip(range(MAX_ITEMS), items, strict=False)]


def _written_out(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
