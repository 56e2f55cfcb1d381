"""Frames of any codec as packets and back: what a phone puts on the wire, and what an ideal decoder makes of it.

A phone with discontinuous transmission sends nothing for a silent frame, and ends a packet with a silence
descriptor (RFC 3551 section 4.5.6).  A decoder that knows every packet tells a pause, where only the timestamps go on,
from a loss, where the sequence numbers do too.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

import voicecodecs
from gateway.testing.plane_packet import Packet
from gateway.testing.rtp_stream import in_order, signed

__all__ = ["Coding", "decoded_stream", "packed", "split"]


class Coding:
    """A codec with its options, as `voicecodecs` takes them: `Coding("ilbc", mode_ms=30)`."""

    def __init__(self, name: str, **options: Any) -> None:
        self.name = name
        self.options = options
        self.facts = voicecodecs.codec(name, mode_ms=options.get("mode_ms"))

    def encode(self, pcm: NDArray[np.int16]) -> list[bytes]:
        """Return the frames of `pcm`; what does not fill a frame is left out."""
        size = self.facts.frame_samples
        return voicecodecs.encode_frames(pcm[: pcm.size // size * size], self.name, **self.options)

    def decode(self, frames: Iterable[bytes | None]) -> NDArray[np.int16]:
        """Return the samples of frames; None = lost, b"" = not sent."""
        modes = {"mode_ms": self.options["mode_ms"]} if "mode_ms" in self.options else {}
        return voicecodecs.decode_frames(list(frames), self.name, **modes)

    def samples(self, payload: bytes) -> int:
        """Return how long a payload lasts."""
        return len(split(payload, self.facts)) * self.facts.frame_samples


def split(payload: bytes, facts: voicecodecs.Codec) -> list[bytes]:
    """Return the frames of a payload; the last may be a silence descriptor."""
    return [payload[i : i + facts.frame_bytes] for i in range(0, len(payload), facts.frame_bytes)]


def packed(frames: Sequence[bytes], per_packet: int, facts: voicecodecs.Codec) -> list[tuple[int, bytes]]:
    """Return packets as (first frame, payload): `per_packet` frames, or up to the first that is none of speech."""
    packets: list[tuple[int, bytes]] = []
    payload, count = b"", 0
    for number, frame in enumerate(frames):
        payload, count = payload + frame, count + 1
        if count == per_packet or len(frame) < facts.frame_bytes:
            if payload:
                packets.append((number + 1 - count, payload))
            payload, count = b"", 0
    return packets


def decoded_stream(packets: Sequence[Packet], coding: Coding) -> NDArray[np.int16]:
    """Return what an ideal receiver hears of packets of one codec, from the first on."""
    ordered = in_order(packets)
    if not ordered:
        return np.zeros(0, np.int16)
    facts = coding.facts
    frames: list[bytes | None] = list(split(ordered[0].payload, facts))
    for before, packet in itertools.pairwise(ordered):
        hole = signed(packet.timestamp - before.timestamp) - coding.samples(before.payload)
        lost = (packet.sequence - before.sequence) % 2**16 != 1
        frames += [None if lost else b""] * (hole // facts.frame_samples)
        frames += split(packet.payload, facts)
    return coding.decode(frames)
