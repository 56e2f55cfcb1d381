"""Where traced messages go: to every sink that the configuration names."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Protocol

from gateway.errors import LocalError
from gateway.observe.trace.file import CaptureFile
from gateway.observe.trace.hep import HepSender
from gateway.observe.trace.message import Address, Traced
from gateway.observe.trace.ring import trace_ring
from gateway.observe.trace.sink import CaptureSink

__all__ = ["FLUSH_S", "Sink", "Tracer", "tracer_of"]

FLUSH_S: Final = 0.05
"""How often messages go to the disk.  Media is written later than this, so that a reader learns of a stream first."""


class Sink(Protocol):
    """Something that takes messages."""

    def write(self, message: Traced) -> None:
        """Take one; OSError = it could not."""
        ...


class Tracer:
    """Gives each message to each sink; one that fails costs its messages and nobody else's."""

    def __init__(self, sinks: Sequence[Sink]) -> None:
        self.lost = 0
        """Messages that a sink did not take."""
        self._sinks = sinks
        self._files = [sink for sink in sinks if isinstance(sink, CaptureSink)]

    def write(self, message: Traced) -> None:
        """Take one message."""
        for sink in self._sinks:
            try:
                sink.write(message)
            except OSError:
                self.lost += 1

    async def run(self) -> None:
        """Write what is gathered for files, and a last time at the end; only the end waits for a disk."""
        try:
            for file in self._files:
                await asyncio.to_thread(file.prepare)
            while self._files:
                await asyncio.sleep(FLUSH_S)
                await asyncio.to_thread(self._flush)
        finally:
            self._flush()

    def _flush(self) -> None:
        for file in self._files:
            file.flush()


def tracer_of(
    folder: Path, *, keep_bytes: int, pcap: Path | None, pcap_bytes: int, collector: Address | None
) -> Tracer | None:
    """Return the tracer for a configuration; None = nothing is traced.

    Raises:
        LocalError: the collector has an address that nothing reaches.
    """
    sinks: list[Sink] = [trace_ring(folder, keep_bytes)] if keep_bytes else []
    if pcap is not None:
        sinks.append(CaptureSink(CaptureFile(pcap, pcap_bytes), secrets=True))
    if collector is not None:
        try:
            sinks.append(HepSender(collector))
        except OSError as error:
            raise LocalError(f"trace.hep {collector[0]}: {error.strerror}") from None
    return Tracer(sinks) if sinks else None
