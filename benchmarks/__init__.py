"""One realistic unit of work per module; `python -m benchmarks` runs them all.

Each module has `measure() -> Iterator[Figure]`; figures are medians of several rounds of CPU time.
"""
