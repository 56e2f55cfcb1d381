"""What one core carries, as the README's table, written from the documents of `tandem bench bridge | conference`."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from gateway.lab.bench.marks import Marks

__all__ = ["table", "with_table"]

_MARKS: Final = Marks(
    "<!-- capacity: written by `python -m benchmarks capacity` -->", "<!-- capacity end -->"
)
_HEADINGS: Final = ("work", "Tandem", "a packet", "the peer", "a packet", "ratio")


def with_table(text: str, documents: Sequence[Mapping[str, Any]]) -> str:
    """Return the text with the table between its marks written from the documents, in their order.

    Raises:
        ValueError: the marks are not there.
    """
    return _MARKS.filled(text, table(documents))


def table(documents: Sequence[Mapping[str, Any]]) -> str:
    """Return the table in Markdown, and a line that says where it was measured."""
    machine = documents[0]["machine"]
    rounds = max(_rounds(document) for document in documents)
    return "\n".join(
        (
            _line(_HEADINGS),
            _line(["---"] * len(_HEADINGS)),
            *(_line(_cells(document)) for document in documents),
            "",
            f"Calls or people on one core of {machine['cpu']} ({machine['cores']} of them, Linux "
            f"{machine['kernel'].split('-')[0]}), the load on another: the median of {rounds} ramps of ours, the best "
            f"of {rounds} of the peer's in the same run; CPU for a packet in and out at that number.",
        )
    )


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _cells(document: Mapping[str, Any]) -> list[str]:
    unit, peer = document["unit"], document["peer"]
    ours = [document["work"], f"{document['capacity']:,.0f} {unit}", _cost(document, "tandem")]
    if peer is None:
        return [*ours, "nobody carries it", "", ""]
    theirs = f"{document['peer_capacity']:,} {unit} ({peer})"
    return [*ours, theirs, _cost(document, peer), f"{document['ratio']:.2f}"]


def _rounds(document: Mapping[str, Any]) -> int:
    return sum(ramp["server"] == "tandem" for ramp in document["ramps"])


def _cost(document: Mapping[str, Any], server: str) -> str:
    """Return what a packet cost a server where it carried the most, over its ramps."""
    best = [
        max((step for step in ramp["steps"] if step["clean"]), key=lambda step: step["n"], default=None)
        for ramp in document["ramps"]
        if ramp["server"] == server
    ]
    costs = [step["cpu_us_per_packet"] for step in best if step is not None]
    return f"{statistics.median(costs):.1f} us" if costs else ""
