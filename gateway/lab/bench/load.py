"""The yardstick: phones on sockets of their own that speak, listen and count (native/load/load.h).

A run is *clean* when at most 0.1 % of the packets are lost, the 99th percentile of the spacing between two packets
of a leg is at most 30 ms, and no leg is silent.
"""

from __future__ import annotations

import functools
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

import voicecodecs
from gateway.lab import _load
from gateway.lab.bench.servers import PAYLOAD_TYPES
from gateway.lab.samples import speech

__all__ = ["LoadReport", "Phones", "song"]

_PHONE: Final = np.dtype(
    [
        ("fd", "<i4"),
        ("ssrc", "<u4"),
        ("received", "<u4"),
        ("lost", "<u4"),
        ("reordered", "<u4"),
        ("foreign", "<u4"),
        ("sent", "<u4"),
        ("send_errors", "<u4"),
        ("timestamp", "<u4"),
        ("sequence", "<u2"),
        ("heard_sequence", "<u2"),
        ("payload_type", "u1"),
        ("heard", "u1"),
        ("padding", "u1", (2,)),
        ("heard_at", "<f8"),
        ("spacing_max_s", "<f8"),
        ("song", "<u8"),
        ("line", "<u4"),
    ],
    align=True,
)
"""struct phone of native/load/load.h."""
_BINS_PER_MS: Final = 10
_MAX_LOSS: Final = 0.001
_MAX_SPACING_MS: Final = 30.0
_MAX_LATE_MS: Final = 5.0
_PACKET_MS: Final = 20
_PACKETS_PER_SECOND: Final = 50


@dataclass(frozen=True, slots=True)
class LoadReport:
    """What the phones of one run heard."""

    legs: int
    received: int
    lost: int
    silent_legs: int
    spacing_p50_ms: float
    spacing_p99_ms: float
    spacing_max_ms: float
    late_max_ms: float
    """How late the load itself was at worst."""
    missing: float
    """Share of the packets that should have been heard and were not."""

    @property
    def clean(self) -> bool:
        """Did everybody hear everything in time?"""
        return self.missing <= _MAX_LOSS and self.spacing_p99_ms <= _MAX_SPACING_MS and self.silent_legs == 0

    @property
    def void(self) -> bool:
        """Was the load itself late, so that nothing is said about the server?"""
        return self.late_max_ms > _MAX_LATE_MS

    @property
    def verdict(self) -> str:
        """Return why the run is not clean, or `clean`."""
        late = f", the load {self.late_max_ms:.0f} ms late" if self.void else ""
        if self.silent_legs:
            return f"{self.silent_legs} legs are silent"
        if self.missing > _MAX_LOSS:
            return f"{100 * self.missing:.2f} % lost{late}"
        if self.spacing_p99_ms > _MAX_SPACING_MS:
            return f"packets {self.spacing_p99_ms:.1f} ms apart{late}"
        return "clean"


def _percentile(histogram: NDArray[np.uint64], share: float) -> float:
    total = int(histogram.sum())
    if total == 0:
        return float("inf")
    return float(np.searchsorted(np.cumsum(histogram), share * total)) / _BINS_PER_MS


@functools.cache
def song(codec: str) -> tuple[bytes, int]:
    """Return five seconds of speech as payloads of 20 ms, one after the other, and the bytes of one."""
    facts = next(mode for mode in voicecodecs.modes(codec) if _PACKET_MS % mode.frame_ms == 0)
    frames = (
        voicecodecs.encode_frames(speech(), codec, mode_ms=facts.frame_ms)
        if "mode_ms" in facts.encoder_options
        else voicecodecs.encode_frames(speech(), codec)
    )
    payloads = b"".join(frames)
    n_bytes = facts.frame_bytes * _PACKET_MS // facts.frame_ms
    return payloads[: len(payloads) // n_bytes * n_bytes], n_bytes


class Phones:
    """`n` phones on loopback; `ports[i]` is where phone i listens."""

    def __init__(self, n: int, address: str = "127.0.0.1") -> None:
        self._sockets = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(n)]
        for phone in self._sockets:
            phone.bind((address, 0))
        self.ports: list[int] = [phone.getsockname()[1] for phone in self._sockets]

    def close(self) -> None:
        """Hang up."""
        for phone in self._sockets:
            phone.close()

    def run(
        self,
        targets: Sequence[tuple[str, int]],
        codecs: Sequence[str],
        *,
        seconds: float,
        settle_s: float,
    ) -> LoadReport:
        """Speak to `targets` (one a phone) for `seconds`; the first `settle_s` do not count.

        Phones speak `codecs` in turn: (a, b) means that phones 0, 2, ... speak a.  At most two may differ.
        """
        for phone, target in zip(self._sockets, targets, strict=True):
            phone.connect(target)
        fds = np.array([phone.fileno() for phone in self._sockets], np.int32)
        spoken = [codecs[i % len(codecs)] for i in range(len(targets))]
        first, second = min(codecs), max(codecs)
        types = np.array([PAYLOAD_TYPES[codec] for codec in spoken], np.uint8)
        song_of = np.array([codec == second for codec in spoken], np.uint8)
        (one, one_bytes), (other, other_bytes) = song(first), song(second)
        phones_bytes, spacing_bytes, late_s, _ = _load.run(
            fds, types, song_of, one, one_bytes, other, other_bytes, seconds, settle_s
        )
        phones: NDArray[Any] = np.frombuffer(phones_bytes, _PHONE)
        spacing = np.frombuffer(spacing_bytes, np.uint64)
        expected = len(targets) * (seconds - settle_s) * _PACKETS_PER_SECOND
        received = int(phones["received"].sum())
        return LoadReport(
            legs=len(targets),
            received=received,
            lost=int(phones["lost"].sum()),
            silent_legs=int((phones["received"] == 0).sum()),
            spacing_p50_ms=_percentile(spacing, 0.5),
            spacing_p99_ms=_percentile(spacing, 0.99),
            spacing_max_ms=float(phones["spacing_max_s"].max()) * 1000,
            late_max_ms=late_s * 1000,
            missing=max(0.0, 1 - received / expected),
        )
