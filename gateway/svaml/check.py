"""Judge a document before a call has to: what is wrong, where, and what would do.

A document is written for a moment, and may not say so.  Without one it is tried at all of them: it is right if it can
be obeyed at any, and the answer says at which.  What is then worth a warning is what is ignored at all of those.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from gateway.svaml.errors import Remark, SvamlError
from gateway.svaml.load import load
from gateway.svaml.locate import line_and_column, offset_of, offsets
from gateway.svaml.model import Moment
from gateway.svaml.parse import Parsed, parse

__all__ = ["JUDGED", "Finding", "Judgement", "Severity", "check"]


class Severity(StrEnum):
    """How bad a finding is."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something about a document."""

    severity: Severity
    path: str
    line: int
    """From 1."""
    column: int
    """From 1."""
    reason: str
    cure: str = ""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What there is to say about a document."""

    moments: tuple[Moment, ...]
    """When it can be obeyed; empty = it is wrong."""
    findings: tuple[Finding, ...]

    @property
    def good(self) -> bool:
        """It can be obeyed."""
        return bool(self.moments)


JUDGED: Final = tuple(moment for moment in Moment if moment is not Moment.DICE)
"""Where a document that does not say its moment is tried: after the end of a call nothing is wrong, so not there."""


def check(data: bytes, moments: Sequence[Moment] = JUDGED) -> Judgement:
    """Judge a document as it would be at these moments."""
    read: dict[Moment, Parsed] = {}
    errors: list[SvamlError] = []
    for moment in moments:
        try:
            read[moment] = parse(data, moment=moment)
        except SvamlError as error:
            errors.append(error)
    text = data.decode("utf-8-sig", "replace")
    if not read:
        return Judgement((), (_error(_commonest(errors), text),))
    return Judgement(
        tuple(read), tuple(_warning(each, text) for each in _always_ignored(tuple(read.values())))
    )


def _commonest(errors: Sequence[SvamlError]) -> SvamlError:
    """Return the error that most moments agree on: what only one says has to do with the moment."""
    counted = Counter(str(error) for error in errors)
    return max(errors, key=lambda error: counted[str(error)])


def _always_ignored(read: Sequence[Parsed]) -> tuple[Remark, ...]:
    first, *others = read
    return tuple(each for each in first.ignored if all(each in other.ignored for other in others))


def _error(error: SvamlError, text: str) -> Finding:
    offset = _offset(text, error.path) if error.offset is None else error.offset
    line, column = line_and_column(text, offset)
    return Finding(Severity.ERROR, error.path, line, column, error.reason, error.cure)


def _warning(remark: Remark, text: str) -> Finding:
    line, column = line_and_column(text, _offset(text, remark.path))
    return Finding(Severity.WARNING, remark.path, line, column, remark.reason, remark.cure)


def _offset(text: str, path: str) -> int:
    """Return where a path stands; the beginning where the text is not even JSON."""
    try:
        return 0 if load(text) is None else offset_of(path, offsets(text))
    except SvamlError:
        return 0
