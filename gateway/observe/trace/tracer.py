"""Where traced messages go: to every sink that the configuration names."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Protocol

from gateway.errors import LocalError
from gateway.observe.trace.hep import HepSender
from gateway.observe.trace.message import Address, Traced
from gateway.observe.trace.pcap import PcapFile
from gateway.observe.trace.ring import TraceRing

__all__ = ["Sink", "Tracer", "tracer_of"]

_FLUSH_S: Final = 0.2


class Sink(Protocol):
    """Something that takes messages."""

    def write(self, message: Traced) -> None:
        """Take one; OSError = it could not."""
        ...


class Tracer:
    """Gives each message to each sink; one that fails costs its messages and nobody else's."""

    def __init__(self, sinks: Sequence[Sink], ring: TraceRing | None = None) -> None:
        self.lost = 0
        """Messages that a sink did not take."""
        self._sinks = sinks
        self._ring = ring

    def write(self, message: Traced) -> None:
        """Take one message."""
        for sink in self._sinks:
            try:
                sink.write(message)
            except OSError:
                self.lost += 1

    async def run(self) -> None:
        """Write what the ring gathers, a few times a second, and a last time at the end."""
        if self._ring is None:
            return
        try:
            while True:
                await asyncio.sleep(_FLUSH_S)
                self._ring.flush()
        finally:
            self._ring.flush()


def tracer_of(
    folder: Path, *, keep_bytes: int, pcap: Path | None, collector: Address | None
) -> Tracer | None:
    """Return the tracer for a configuration; None = nothing is traced.

    Raises:
        LocalError: the capture file cannot be written, or the collector has an address that nothing reaches.
    """
    ring = TraceRing(folder, keep_bytes) if keep_bytes else None
    sinks: list[Sink] = [ring] if ring else []
    if pcap is not None:
        sinks.append(PcapFile(pcap))
    if collector is not None:
        try:
            sinks.append(HepSender(collector))
        except OSError as error:
            raise LocalError(f"trace.hep {collector[0]}: {error.strerror}") from None
    return Tracer(sinks, ring) if sinks else None
