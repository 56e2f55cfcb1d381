"""The ratios that are asked of the codecs, each by name, from the figures of one run.

- G.729 against bcg729 of the same run: how many times its throughput, for a batch by the bank, and for a single row
  by the engine, of which the call is taken off as it is for bcg729.
- iLBC of 20 ms against the fixed-point code that its vectors come from.  That was measured once, compiled with -O3
  for its machine, beside bcg729; so its time here is taken to be its time there, scaled by what bcg729 needs here
  and needed there.
- G.711 in nanoseconds a sample, and against a plain table loop.

A ratio that lacks a figure, as where bcg729 is not installed, is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

__all__ = ["BATCH", "ratios"]

BATCH: Final = 64
"""Rows of the batch that is compared."""

# Microseconds on an AMD EPYC with AVX-512 and gcc 12: WebRTC's iLBC of 2016-06 for 20 ms, bcg729 1.1.1 for 10 ms.
_FIXED_POINT_ILBC_US: Final = {"encode": 30.6, "decode": 10.6}
_BCG729_BESIDE_IT_US: Final = {"encode": 18.2, "decode": 3.5}

_G729: Final = "g729 annexb=False"
_ILBC: Final = "ilbc mode_ms=20"
_KERNEL_ROWS: Final = 1024
_AT_LEAST: Final = {BATCH: 2.0, 1: 1.0}
_BELOW: Final = {"encode": 0.5, "decode": 0.6}
_BELOW_NS: Final = 0.1

_Costs = Mapping[tuple[str, str, str, int], float]
"""(codec, work, implementation, rows) -> nanoseconds a sample."""
Ratio = dict[str, Any]
"""value; at_least or below, where that is asked; met, whether it is."""


def ratios(figures: Sequence[Mapping[str, Any]]) -> dict[str, Ratio]:
    """Return every ratio that can be computed, by its name."""
    costs = {
        (figure["codec"], figure["work"], figure["implementation"], figure["rows"]): figure[
            "ns_per_sample_p50"
        ]
        for figure in figures
    }
    return {name: ratio for work in ("encode", "decode") for name, ratio in _of_work(work, costs)}


def _of_work(work: str, costs: _Costs) -> Iterator[tuple[str, Ratio]]:
    bcg729 = costs.get((_G729, work, "bcg729", 1))
    if bcg729:
        for rows, bound in _AT_LEAST.items():
            if ours := costs.get((_G729, work, "engine" if rows == 1 else "native", rows)):
                yield f"g729a_{work}_{rows}_rows_times_bcg729", _at_least(bound, bcg729 / ours)
        if ours := costs.get((_ILBC, work, "native", BATCH)):
            scale = bcg729 * 80 / 1000 / _BCG729_BESIDE_IT_US[work]
            theirs = _FIXED_POINT_ILBC_US[work] * scale
            yield (
                f"ilbc20_{work}_{BATCH}_rows_of_fixed_point",
                _below(_BELOW[work], ours * 160 / 1000 / theirs),
            )
    for law in ("pcmu", "pcma"):
        ours, table, copy = (costs.get((law, work, by, _KERNEL_ROWS)) for by in ("kernel", "table", "memcpy"))
        if ours:
            yield f"{law}_{work}_ns_per_sample", _below(_BELOW_NS, ours)
        if ours and table:
            yield f"{law}_{work}_times_table_loop", {"value": round(table / ours, 3)}
        if ours and copy:
            yield f"{law}_{work}_times_memcpy", {"value": round(ours / copy, 3)}


def _at_least(bound: float, value: float) -> Ratio:
    return {"value": round(value, 3), "at_least": bound, "met": value >= bound}


def _below(bound: float, value: float) -> Ratio:
    return {"value": round(value, 4), "below": bound, "met": value < bound}
