"""Two captured RTP streams beside each other: what went into the switch, and what came out of it.

The carried audio is compared byte by byte, so what goes in must not repeat itself; `distinct` speech sees to
that.  Delays are of the audio, not of the packets: a sample leaves when its packet leaves, plus its place in the
packet, and came when its packet came, plus its place there.  So other packet boundaries cost nothing by
themselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from gateway.testing.audio import speech
from gateway.testing.capture import RtpDatagram

__all__ = ["Passage", "distinct_speech", "passage"]

_RATE_HZ: Final = 8000
_SEARCH: Final = 8000


@dataclass(frozen=True, slots=True)
class Passage:
    """How one direction of a call came through."""

    n_matched: int
    """Packets that left and whose audio is, byte for byte, what came in, converted."""
    n_unmatched: int
    """Packets that left with anything else."""
    n_skipped: int
    """Bytes that came in between the first and the last that left, and never left."""
    n_before: int
    """Bytes that came in before the first that left."""
    delays_ms: tuple[float, ...]
    """Of each matched packet."""

    def delay_ms(self, percentile: float) -> float:
        """Return a percentile of the added one-way delay."""
        return float(np.percentile(self.delays_ms, percentile))


def distinct_speech(duration_s: float, *, seed: int) -> npt.NDArray[np.int16]:
    """Return speech under which a little noise makes every packet unlike every other: int16 [n]."""
    n_samples = round(duration_s * _RATE_HZ)
    noise = np.random.default_rng(seed).integers(-200, 201, n_samples)
    return (np.resize(speech(), n_samples) // 2 + noise).astype(np.int16)


def passage(came: Sequence[RtpDatagram], left: Sequence[RtpDatagram], convert: bytes) -> Passage:
    """Follow the audio of `came` through `left`; `convert` maps each byte of one law to the other (256 bytes)."""
    payloads = [each.packet.payload.translate(convert) for each in came]
    audio, starts = b"".join(payloads), np.cumsum([0, *map(len, payloads)])
    expected, delays, places, n_unmatched = 0, [], [], 0
    for each in left:
        payload = each.packet.payload
        place = audio.find(payload, max(0, expected - len(payload)), expected + _SEARCH)
        if place < 0:
            n_unmatched += 1
            continue
        index = int(np.searchsorted(starts, place, side="right")) - 1
        came_at = came[index].at + (place - int(starts[index])) / _RATE_HZ
        delays.append(1000.0 * (each.at - came_at))
        places.append((place, place + len(payload)))
        expected = place + len(payload)
    skipped = sum(max(0, later[0] - earlier[1]) for earlier, later in pairwise(places))
    return Passage(len(delays), n_unmatched, skipped, places[0][0] if places else len(audio), tuple(delays))
