"""What a codec costs, written down: `python -m benchmarks codecs`.

Measures as `tandem bench codecs` does, counts the vectors that pass, writes both to `results/codecs.json` and the
codecs' table of the README from it.  With --table nothing is measured: the table is written from the results there.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from benchmarks.vectors import counted
from gateway.lab.bench.codec_table import with_table
from gateway.lab.bench.codecs import as_document, cases, measure
from gateway.lab.bench.machine import machine

__all__ = ["main"]

_RESULT = Path(__file__).parent / "results" / "codecs.json"
_README = Path(__file__).parents[1] / "README.md"


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks codecs", description="What a codec costs.")
    parser.add_argument("--seconds", type=float, default=0.2, help="how long each figure is measured")
    parser.add_argument("--table", action="store_true", help="measure nothing, only write the README's table")
    chosen = parser.parse_args(arguments)
    if not chosen.table:
        document = as_document(measure(cases(), chosen.seconds), machine()) | {"vectors": counted()}
        _RESULT.write_text(json.dumps(document, indent=1) + "\n")
    _README.write_text(with_table(_README.read_text(), json.loads(_RESULT.read_text())))


if __name__ == "__main__":
    main()
