"""The last messages, which a switch keeps of its own accord: `tandem trace` reads them, also after it has ended."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from gateway.observe.trace.file import CaptureFile, older
from gateway.observe.trace.sink import CaptureSink

__all__ = ["ring_files", "trace_ring"]

_NAME: Final = "trace.pcap"


def ring_files(folder: Path) -> list[Path]:
    """Return the files of a ring that are there, the older first."""
    newest = folder / _NAME
    return [path for path in (older(newest), newest) if path.exists()]


def trace_ring(folder: Path, max_bytes: int) -> CaptureSink:
    """Return what keeps at most about `max_bytes` of messages in `folder`, without their secrets."""
    return CaptureSink(CaptureFile(folder / _NAME, max_bytes), secrets=False)
