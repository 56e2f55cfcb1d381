"""The six ways to speak on a leg: four codecs, of which two have an option that both ends must know."""

from __future__ import annotations

from typing import Any, Final

from gateway.media.commands import CodecOptions
from gateway.testing.plane_bench import BenchLeg, PlaneBench

__all__ = ["KINDS", "codec_leg"]

_KINDS: Final[dict[str, tuple[str, int, CodecOptions]]] = {
    "pcmu": ("pcmu", 20, CodecOptions()),
    "pcma": ("pcma", 20, CodecOptions()),
    "g729": ("g729", 20, CodecOptions()),
    "g729b": ("g729", 20, CodecOptions(annexb=True)),
    "ilbc20": ("ilbc", 20, CodecOptions(mode_ms=20)),
    "ilbc30": ("ilbc", 30, CodecOptions(mode_ms=30)),
}
KINDS: Final = tuple(_KINDS)
"""g729b is G.729 with Annex B: silence goes unsent."""


def codec_leg(bench: PlaneBench, name: str, kind: str, **changes: Any) -> BenchLeg:
    """Open a leg that speaks one of `KINDS`; `changes` are fields of `RowState`."""
    codec, ptime_ms, options = _KINDS[kind]
    given: dict[str, Any] = {"ptime_ms": ptime_ms, "options": options}
    return bench.leg(name, codec=codec, **(given | changes))
