"""Messages bent: what a mutated corpus of text protocols is made of.

Flipped bits die in the first check of a text parser.  What gets deeper is text that is nearly right: a line twice,
a line of another message, a number too large, a comma where none belongs.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Final, TypeVar

__all__ = ["RECORD", "Mutator"]

_T = TypeVar("_T")

RECORD: Final = b"\x1e"
"""Stands before each message of a conversation."""
_MOST_BYTES: Final = 65_536
_LINE: Final = b"\r\n"
_TOKENS: Final = tuple(
    b'\0|\t| |"|%|%00|,|;|:|<|>|@|\\|=|/|?|*|~|\x7f|\x80|\xff|\r\n|\r\n |\n|\r|\r\n\r\n|;tag=|;lr|;branch=z9hG4bK|'
    b";rport|;received=|;expires=0|;q=0.5|<sip:a@b>|sips:|tel:+1|[::1]|[|]|0|-1|65536|4294967296|2147483648|"
    b"18446744073709551616|99999999999999999999|0x10|1e9|SIP/2.0|sip:|UTF-8|a=|m=audio 0 RTP/AVP 0\r\n|v=0".split(
        b"|"
    )
)


class Mutator:
    """Endless inputs from a seed and a corpus; the same seed gives the same inputs."""

    def __init__(self, seed: int, corpus: Sequence[bytes]) -> None:
        self._random = random.Random(seed)
        self._corpus = corpus
        self._ways: tuple[Callable[[bytes], bytes], ...] = (
            self._flipped,
            self._with_token,
            self._with_token,
            self._without_run,
            self._with_copy,
            self._with_noise,
            self._spliced,
            lambda data: self._parts_moved(data, _LINE),
            lambda data: self._parts_moved(data, _LINE),
            lambda data: self._parts_moved(data, RECORD),
        )

    def next(self) -> bytes:
        """Return the next input: now and then noise, mostly a message of the corpus bent 1 to 8 times."""
        if self._below(64) == 0:
            return self._random.randbytes(self._below(1 << self._below(11)))
        data = self._any_of(self._corpus)
        for _ in range(1 << self._below(4)):
            data = self._any_of(self._ways)(data)
        return data[:_MOST_BYTES]

    def _below(self, n: int) -> int:
        return int(self._random.random() * n)

    def _any_of(self, choices: Sequence[_T]) -> _T:
        return choices[self._below(len(choices))]

    def _run(self, data: bytes) -> slice:
        """Return some place and a few bytes from there on, seldom many."""
        at = self._below(len(data) + 1)
        return slice(at, at + self._below(1 << self._below(9)))

    def _flipped(self, data: bytes) -> bytes:
        if not data:
            return data
        at = self._below(len(data))
        return data[:at] + bytes([data[at] ^ 1 << self._below(8)]) + data[at + 1 :]

    def _with_token(self, data: bytes) -> bytes:
        """A token of the grammar, put in or over what was there."""
        at = self._below(len(data) + 1)
        token = self._any_of(_TOKENS)
        return data[:at] + token + data[at + len(token) * self._below(2) :]

    def _without_run(self, data: bytes) -> bytes:
        run = self._run(data)
        return data[: run.start] + data[run.stop :]

    def _with_copy(self, data: bytes) -> bytes:
        """A run once more, elsewhere, up to 64 times."""
        at = self._below(len(data) + 1)
        return data[:at] + data[self._run(data)] * (1 << self._below(7)) + data[at:]

    def _with_noise(self, data: bytes) -> bytes:
        run = self._run(data)
        return data[: run.start] + self._random.randbytes(run.stop - run.start) + data[run.stop :]

    def _spliced(self, data: bytes) -> bytes:
        other = self._any_of(self._corpus)
        return data[: self._below(len(data) + 1)] + other[self._below(len(other) + 1) :]

    def _parts_moved(self, data: bytes, separator: bytes) -> bytes:
        """Lines, or messages of a conversation: one less, one twice, two exchanged, one of another's."""
        parts = data.split(separator)
        one, other = self._below(len(parts)), self._below(len(parts))
        match self._below(4):
            case 0:
                del parts[one]
            case 1:
                parts.insert(other, parts[one])
            case 2:
                parts[one], parts[other] = parts[other], parts[one]
            case _:
                parts.insert(one, self._any_of(self._any_of(self._corpus).split(separator)))
        return separator.join(parts)
