"""What a codec costs: `tandem bench codecs` from a checkout, with the same options.

python -m benchmarks.codecs [--json] [--seconds S] [--implementation native|reference] [--plot FILE]
"""

from __future__ import annotations

import sys

from gateway.cli.bench import bench
from gateway.lab.bench.codecs import cpu_model

__all__ = ["cpu_model", "main"]


def main() -> None:
    """Run the command."""
    bench(["codecs", *sys.argv[1:]])


if __name__ == "__main__":
    main()
