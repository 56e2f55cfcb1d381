"""What one party's audio becomes on its way to the switch: RTP packets, each with the time at which it arrives.

The network is a seed: the same packets are lost and the same ones late on every run.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gateway.lab.mix.scenario import Party
from gateway.lab.samples import RATE_HZ
from voicecodecs import codec, decode_frames, encode_frames

__all__ = ["PAYLOAD_TYPES", "Train", "decode", "packets_of"]

PAYLOAD_TYPES: Final = {"pcmu": 0, "pcma": 8, "g729": 18, "ilbc": 97}
_HEADER_BYTES: Final = 12
_HEADER: Final = np.dtype([("first", "u1"), ("pt", "u1"), ("seq", ">u2"), ("ts", ">u4"), ("ssrc", ">u4")])


@dataclass(frozen=True, slots=True)
class Train:
    """A party's packets that arrive, in the order of their arrival."""

    at_s: NDArray[np.float64]
    """[n] when."""
    data: NDArray[np.uint8]
    """[n, bytes] what."""
    lengths: NDArray[np.int32]
    """[n] how many of the bytes."""
    sent: int
    """How many were sent; the others are lost."""


def packets_of(party: Party, pcm: NDArray[np.int16], *, ssrc: int, start_s: float, seed: int) -> Train:
    """Return the packets in which `party` says `pcm` from `start_s` on."""
    frames = encode_frames(pcm, party.codec, implementation="native", **_options(party))
    frame_ms = 1000 * codec(party.codec, **_mode(party)).frame_samples // RATE_HZ
    per_packet = 1 if party.annexb else max(party.ptime_ms // frame_ms, 1)  # a pause begins at any frame
    payloads = [b"".join(frames[i : i + per_packet]) for i in range(0, len(frames), per_packet)]
    present = np.array([i for i, payload in enumerate(payloads) if payload], np.int64)
    ptime_s = per_packet * frame_ms / 1000
    data, lengths = _stamped(payloads, present, PAYLOAD_TYPES[party.codec], round(ptime_s * RATE_HZ), ssrc)
    sent_s = start_s + (present + 1) * ptime_s / (1 + party.drift_ppm / 1e6)
    chance = np.random.default_rng(seed)
    arrives = chance.random(present.size) >= party.loss
    at_s = sent_s + chance.random(present.size) * party.jitter_ms / 1000
    order = np.flatnonzero(arrives)[np.argsort(at_s[arrives], kind="stable")]
    return Train(at_s[order], data[order], lengths[order], sent=present.size)


def _mode(party: Party) -> dict[str, int]:
    return {"mode_ms": party.mode_ms} if party.codec == "ilbc" else {}


def _options(party: Party) -> dict[str, bool | int]:
    return {"annexb": party.annexb} if party.codec == "g729" else dict(_mode(party))


def _stamped(
    payloads: list[bytes], present: NDArray[np.int64], payload_type: int, step: int, ssrc: int
) -> tuple[NDArray[np.uint8], NDArray[np.int32]]:
    """Put RTP headers (RFC 3550 section 5.1) before the payloads that there are."""
    kept = [payloads[i] for i in present.tolist()]
    width = _HEADER_BYTES + max(map(len, kept), default=0)
    data = np.zeros((len(kept), width), np.uint8)
    header = np.zeros(len(kept), _HEADER)
    header["first"] = 0x80
    header["pt"] = payload_type
    header["pt"][:1] |= 0x80
    header["seq"] = np.arange(len(kept)) & 0xFFFF
    header["ts"] = present * step & 0xFFFFFFFF
    header["ssrc"] = ssrc
    data[:, :_HEADER_BYTES] = np.frombuffer(header.tobytes(), np.uint8).reshape(-1, _HEADER_BYTES)
    for row, payload in zip(data, kept, strict=True):
        row[_HEADER_BYTES : _HEADER_BYTES + len(payload)] = np.frombuffer(payload, np.uint8)
    lengths = np.array([_HEADER_BYTES + len(payload) for payload in kept], np.int32)
    return data, lengths


def decode(party: Party, packets: list[bytes]) -> NDArray[np.int16]:
    """Return what a party hears: the switch's packets, in order, each at its RTP time from the first on."""
    if not packets:
        return np.zeros(0, np.int16)
    facts = codec(party.codec, **_mode(party))
    first = int.from_bytes(packets[0][4:8], "big")
    frames: list[bytes | None] = []
    for packet in packets:
        at = (int.from_bytes(packet[4:8], "big") - first & 0xFFFFFFFF) // facts.frame_samples
        frames += [b""] * (at - len(frames))
        payload = packet[_HEADER_BYTES:]
        frames += [payload[i : i + facts.frame_bytes] for i in range(0, len(payload), facts.frame_bytes)]
    return decode_frames(frames, party.codec, implementation="native", **_mode(party))
