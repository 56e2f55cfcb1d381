"""A glance at a message that nobody has read yet: whom does it concern, and does it begin anything?

A switch with too much to do has to choose before it reads: reading a message costs thirty times as much as
looking at its first word and two of its lines.  So this looks at bytes, believes what it sees, and is never
the last word: a message that lies about itself gets a better place in the queue and then the answer that it
deserves, from those who read it.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import Final

__all__ = ["Standing", "call_id_of", "standing_of"]


class Standing(Enum):
    """What a message asks for, as far as it concerns who goes first."""

    BEGUN = "it belongs to something that is under way, or costs next to nothing"
    REGISTERS = "a phone says where it is: new, unless it has said so before"
    BEGINS = "it begins something"


_FIRST_WORD: Final = re.compile(rb"[\r\n]*([A-Za-z]+)")
_TO_TAG: Final = re.compile(rb"\r\n[Tt][Oo]?[ \t]*:[^\r\n]*;[ \t]*[Tt][Aa][Gg][ \t]*=")
_CALL_ID: Final = re.compile(rb"\r\n(?:[Cc][Aa][Ll][Ll]-[Ii][Dd]|[Ii])[ \t]*:[ \t]*([^\r\n]+)")
_ALWAYS_BEGUN: Final = frozenset(
    {b"SIP", b"ACK", b"BYE", b"CANCEL", b"PRACK", b"UPDATE", b"INFO", b"NOTIFY", b"OPTIONS"}
)
"""First words of what is never turned away: responses, requests within dialogs, and the question whether we live."""


def standing_of(data: bytes) -> Standing:
    """Return what a message asks for."""
    word = _FIRST_WORD.match(data)
    method = word.group(1) if word is not None else b""
    if method in _ALWAYS_BEGUN or _TO_TAG.search(data) is not None:
        return Standing.BEGUN
    return Standing.REGISTERS if method == b"REGISTER" else Standing.BEGINS


def call_id_of(data: bytes) -> bytes:
    """Return what the message gives as its Call-ID; nothing if it gives none."""
    found = _CALL_ID.search(data)
    return found.group(1).rstrip(b" \t") if found is not None else b""
