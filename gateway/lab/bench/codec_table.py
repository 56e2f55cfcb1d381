"""The codecs' table of the README, written from a run of `python -m benchmarks codecs`.

A frame, its bits and its delay are the standards'; what it costs and how many vectors pass are the run's.  The
table lies between two marks, so that it can be written again and again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from gateway.lab.bench.marks import Marks

__all__ = ["table", "with_table"]

_MARKS: Final = Marks("<!-- codecs: written by `python -m benchmarks codecs` -->", "<!-- codecs end -->")
_ROWS: Final = 64


@dataclass(frozen=True, slots=True)
class _Line:
    """What is known of a codec before it runs."""

    title: str
    figures: str
    """Its name among the figures."""
    frame: str
    bits: str
    """Of a frame."""
    delay_ms: float
    """Algorithmic: from the first sample of a frame until it can be heard, if coding and sending took no time."""
    vectors: str
    """Its name among the vectors."""
    works: tuple[str, ...] = ("encode", "decode")


_LINES: Final = (
    _Line("G.711 u-law", "pcmu", "any", "8 a sample", 0.125, "pcmu"),
    _Line("G.711 A-law", "pcma", "any", "8 a sample", 0.125, "pcma"),
    _Line("G.711 Appendix I", "pcmu", "10 ms", "", 3.75, "g711 plc", ("conceal",)),
    _Line("G.729 A", "g729 annexb=False", "10 ms", "80", 15, "g729 annexb=False"),
    _Line("G.729 A + B", "g729 annexb=True", "10 ms", "80, 16, 0", 15, "g729 annexb=True"),
    _Line("iLBC 20", "ilbc mode_ms=20", "20 ms", "304", 25, "ilbc mode_ms=20"),
    _Line("iLBC 30", "ilbc mode_ms=30", "30 ms", "400", 40, "ilbc mode_ms=30"),
)


def with_table(text: str, document: Mapping[str, Any]) -> str:
    """Return the text with the table between its marks written from the document.

    Raises:
        ValueError: the marks are not there.
    """
    return _MARKS.filled(text, table(document))


def table(document: Mapping[str, Any]) -> str:
    """Return the table in Markdown, and a line that says where it was measured."""
    costs = {
        (figure["codec"], figure["work"]): figure["us_p50"]
        for figure in document["figures"]
        if figure["implementation"] == "native" and figure["rows"] == _ROWS
    }
    lines = [
        "| codec | frame | bits | delay | encode | decode | channels a core | vectors passed |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
        *("| " + " | ".join(_cells(line, costs, document["vectors"])) + " |" for line in _LINES),
        "",
        f"Microseconds of CPU for 20 ms of one row, coded {_ROWS} rows at a time on one core of "
        f"{document['machine']['cpu']}; a channel encodes and decodes.",
    ]
    return "\n".join(lines) + "\n"


def _cells(
    line: _Line,
    costs: Mapping[tuple[str, str], float],
    vectors: Mapping[str, Mapping[str, Mapping[str, int]]],
) -> Iterator[str]:
    own = {work: costs[line.figures, work] for work in line.works}
    yield from (line.title, line.frame, line.bits, f"{line.delay_ms:g} ms")
    yield f"{own['encode']:.2f}" if "encode" in own else ""
    yield f"{own['decode' if 'decode' in own else 'conceal']:.2f}"
    yield f"{20_000 / sum(own.values()):.0f}"
    yield ", ".join(_passed(whose, tally) for whose, tally in vectors[line.vectors].items())


def _passed(whose: str, tally: Mapping[str, int]) -> str:
    return f"{tally['passed']} of {tally['of']}" + (" of our own" if whose == "own" else "")
