"""What went over the wire of one leg, as sound: RTP packets decoded and laid at their place in the record's time.

A packet's place is its RTP time from the first packet of its stream on, so jitter is not heard; what was lost is
silence.  This is the wire, not an ear: it has neither a playout buffer nor concealment.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gateway.lab.samples import RATE_HZ
from voicecodecs import CodecError, Decoder

__all__ = ["Tape"]

_HEADER_BYTES: Final = 12
_ASTRAY_SAMPLES: Final = RATE_HZ
"""A packet so far from its time begins a stream of its own."""


@dataclass(slots=True)
class _Stream:
    """Packets of one source, whose times go on."""

    ssrc: int
    timestamp: int
    at: int
    """Where the first lies, in samples."""
    packets: dict[int, tuple[str, int, bytes]] = field(default_factory=dict)
    """By place: codec, milliseconds of its frames, payload."""

    def place_of(self, timestamp: int) -> int:
        return self.at + ((timestamp - self.timestamp + 2**31) % 2**32 - 2**31)


class Tape:
    """Takes packets as they come; `pcm` is what they said."""

    def __init__(self) -> None:
        self._streams: list[_Stream] = []
        self.packets = 0
        """How many were audio."""
        self.codecs: dict[str, int] = {}
        """How many were of each codec."""

    def add(self, at_s: float, packet: bytes, formats: Mapping[int, str], mode_ms: int) -> None:
        """Take a packet that came `at_s` seconds after the record's begin; what is no audio is left out."""
        codec = formats.get(packet[1] & 0x7F) if len(packet) > _HEADER_BYTES and packet[0] >> 6 == 2 else None
        if codec is None or at_s < 0:
            return
        self.packets += 1
        self.codecs[codec] = self.codecs.get(codec, 0) + 1
        timestamp, ssrc = int.from_bytes(packet[4:8], "big"), int.from_bytes(packet[8:12], "big")
        due = round(at_s * RATE_HZ)
        stream = self._streams[-1] if self._streams else None
        if stream is None or stream.ssrc != ssrc or abs(stream.place_of(timestamp) - due) > _ASTRAY_SAMPLES:
            stream = _Stream(ssrc, timestamp, due)
            self._streams.append(stream)
        stream.packets.setdefault(stream.place_of(timestamp), (codec, mode_ms, _payload(packet)))

    def pcm(self, seconds: float) -> NDArray[np.int16]:
        """Return what was said in so many seconds, int16 at 8 kHz."""
        out = np.zeros(round(seconds * RATE_HZ), np.int16)
        for stream in self._streams:
            ears: dict[tuple[str, int], _Ear] = {}
            for place, (codec, mode_ms, payload) in sorted(stream.packets.items()):
                ear = ears.setdefault((codec, mode_ms), _Ear(codec, mode_ms))
                _lay(out, place, ear.decode(payload))
        return out


def _lay(out: NDArray[np.int16], place: int, pcm: NDArray[np.int16]) -> None:
    pcm = pcm[max(-place, 0) :]
    place = max(place, 0)
    room = out[place : place + pcm.size]
    room[:] = pcm[: room.size]


def _payload(packet: bytes) -> bytes:
    """Return what is behind header, contributing sources and extension, without padding (RFC 3550 section 5.1)."""
    begin = _HEADER_BYTES + 4 * (packet[0] & 0x0F)
    if packet[0] & 0x10:
        begin += 4 + 4 * int.from_bytes(packet[begin + 2 : begin + 4], "big")
    end = len(packet) - (packet[-1] if packet[0] & 0x20 else 0)
    return packet[begin : max(end, begin)]


class _Ear:
    """Decodes the packets of one codec, in order."""

    def __init__(self, codec: str, mode_ms: int) -> None:
        mode = {"mode_ms": mode_ms} if codec == "ilbc" else {}
        self._bank = Decoder(codec, 1, implementation="native", **mode)

    def decode(self, payload: bytes) -> NDArray[np.int16]:
        """Return the sound of a payload; none if it is no whole number of frames."""
        facts = self._bank.codec
        frames = [payload[i : i + facts.frame_bytes] for i in range(0, len(payload), facts.frame_bytes)]
        padded = b"".join(frame.ljust(facts.frame_bytes, b"\0") for frame in frames)
        lengths = np.array([len(frame) for frame in frames], np.int32)
        if facts.short_last_frame:
            lengths[:] = facts.frame_bytes
        payloads = np.frombuffer(padded, np.uint8).reshape(len(frames), facts.frame_bytes)
        try:
            pcm = self._bank.decode(np.zeros(len(frames), np.intp), payloads, lengths).reshape(-1)
        except CodecError:
            return np.zeros(0, np.int16)
        n_samples = len(payload) * facts.frame_samples // facts.frame_bytes
        return pcm[:n_samples] if facts.short_last_frame else pcm
