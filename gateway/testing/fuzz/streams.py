"""Valid streams for the decoders and the media plane, in the records that `native/fuzz` reads.

Speech of the lab, coded by the codecs themselves, and the project's own iLBC vectors: enough for the mutator to
start from frames that mean something.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from gateway.testing.audio import speech
from voicecodecs import encode_frames

__all__ = ["g729", "ilbc", "pcma", "pcmu", "plane", "srtp"]

_ROOT: Final = Path(__file__).parents[3]
_TICK, _REPORT, _VOICE = 0, 1, 5
_LOST, _UNTRANSMITTED, _ANEW, _SHORT, _WHOLE, _DECODE = 0, 1, 3, 4, 5, 0x20
_FRAMES: Final = 24
_PACKETS: Final = 8
"""Inputs of C have at most 4096 bytes."""
_SHORT_BYTES: Final = (2, 38)
"""A SID frame of G.729; iLBC of 20 ms where 30 ms would fit."""


def pcmu() -> list[bytes]:
    """Return streams of G.711 u-law: whole and with losses, of two calls at once."""
    return _corpus("pcmu")


def pcma() -> list[bytes]:
    """Return streams of G.711 A-law."""
    return _corpus("pcma")


def g729() -> list[bytes]:
    """Return streams of G.729, with pauses too."""
    return _corpus("g729")


def ilbc() -> list[bytes]:
    """Return streams of iLBC in both modes."""
    return _corpus("ilbc")


def srtp() -> list[bytes]:
    """Return packets for every suite: of ours, plain and with one byte changed, RTP and RTCP by turns."""
    rtp = bytes([0x80, 0, 0, 1]) + bytes(8) + bytes(range(80))
    extended = bytes([0x91, 0, 255, 255]) + bytes(12) + bytes([0xBE, 0xDE, 0, 1]) + bytes(24)
    report = bytes([0x81, 201, 0, 7]) + bytes(28)
    told = [
        b"".join(
            bytes([len(packet) // 4 << 3 | how << 1 | rtcp, 0]) + packet + bytes([7, 1])[: how - 1]
            for rtcp, packet in ((0, rtp), (1, report), (0, extended))
        )
        for how in (2, 3)
    ]
    return [bytes([suite]) + each * 3 for suite in range(6) for each in told]


def _corpus(codec: str) -> list[bytes]:
    streams = list(_streams(codec))
    return [_told(each) for stream in streams for each in _varied(stream)]


def _streams(codec: str) -> Iterable[tuple[int, Sequence[bytes]]]:
    """Yield the mode byte and the frames of each valid stream."""
    said = speech()
    for gain in (1.0, 0.02, 8.0):
        pcm = np.clip(said[: 240 * _FRAMES] * gain, -32768, 32767).astype(np.int16)
        if codec == "ilbc":
            yield 1, encode_frames(pcm, codec, mode_ms=20)
            yield 0, encode_frames(pcm, codec, mode_ms=30)
        else:
            yield 0, encode_frames(pcm[: 80 * _FRAMES], codec)
    if codec == "g729":
        pauses = (said[: 80 * 4 * _FRAMES] * 0.002).astype(np.int16)
        yield 0, encode_frames(pauses, codec, annexb=True)
    if codec == "ilbc":
        for mode, name, n_bytes in ((1, "voice-20.lbc", 38), (0, "voice-30.lbc", 50)):
            stream = (_ROOT / "tests" / "vectors" / "ilbc" / name).read_bytes()
            yield mode, [stream[at : at + n_bytes] for at in range(0, _FRAMES * n_bytes, n_bytes)]


def _varied(stream: tuple[int, Sequence[bytes]]) -> Iterable[tuple[int, list[bytes | None]]]:
    mode, frames = stream
    yield mode, list(frames)
    yield mode, [None if at % 5 in (2, 3) else frame for at, frame in enumerate(frames)]
    yield mode, [*frames[:6], *[None] * 12, *frames[6:]]


def _told(stream: tuple[int, list[bytes | None]]) -> bytes:
    """Give the frames to two calls in turn, which are decoded together."""
    mode, frames = stream
    rows = (at % 2 << 3 | _DECODE * (at % 2) for at in range(len(frames)))
    return bytes([mode]) + b"".join(map(_record, frames, rows))


def _record(frame: bytes | None, row: int) -> bytes:
    if frame is None:
        return bytes([_LOST | row])
    if not frame:
        return bytes([_UNTRANSMITTED | row])
    return bytes([(_SHORT if len(frame) in _SHORT_BYTES else _WHOLE) | row]) + frame


def plane() -> list[bytes]:
    """Return what phones send: audio of every codec, digits, reports, pauses, in every mode of the plane."""
    said = speech()[: 240 * _PACKETS]
    voices = {
        0: _packets(encode_frames(said, "pcmu"), 2),
        18: _packets(encode_frames(said, "g729"), 3),
        97: _packets(encode_frames(said, "ilbc", mode_ms=20), 1),
        13: [b"\x30\x7f\x40", b"\x50"] * _PACKETS,
    }
    return [
        bytes([mode])
        + b"".join(_spoken(at, kind, payload_type, voices[payload_type]) for at in range(_PACKETS))
        for mode in range(3)
        for payload_type in voices
        for kind in ("audio", "digits", "reports", "restart")
    ]


def _packets(frames: Sequence[bytes], n_frames: int) -> list[bytes]:
    return [b"".join(frames[at : at + n_frames]) for at in range(0, len(frames), n_frames)]


def _spoken(at: int, kind: str, payload_type: int, payloads: Sequence[bytes]) -> bytes:
    """Return 20 ms: a packet of each of two phones, which hear one another in all codecs in turn, and two ticks."""
    sequence, timestamp = at, 160 * at
    if kind == "restart" and at > _PACKETS // 2:
        sequence, timestamp = at * 977 & 0xFFFF, 0xFFFFF000 + 160 * at & 0xFFFFFFFF
    packet = _rtp(payload_type, sequence, timestamp, payloads[at % len(payloads)])
    if kind == "digits" and at % 8 > 3:
        packet = _rtp(101, sequence, 320, struct.pack(">BBH", 5, 0x80 * (at % 8 == 7) | 10, 160 * (at % 8)))
    records = _arrival(packet, row=0) + _arrival(packet, row=1) + bytes([_VOICE, at << 2 & 0xFC])
    if kind == "reports":
        records += _arrival(_sender_report(timestamp), row=0, how=0x10) + bytes([_REPORT, at % 4])
    return records + bytes([_TICK, _TICK])


def _arrival(packet: bytes, *, row: int, how: int = 0) -> bytes:
    return bytes([15, row | how | 0x20, len(packet) // 4, len(packet) % 4]) + packet


def _rtp(payload_type: int, sequence: int, timestamp: int, payload: bytes) -> bytes:
    return struct.pack(">BBHII", 0x80, payload_type, sequence, timestamp, 77) + payload


def _sender_report(timestamp: int) -> bytes:
    """SR with one report block, SDES with a CNAME, BYE (RFC 3550 sections 6.4.1, 6.5, 6.6)."""
    report = struct.pack(">BBHIIIIII", 0x81, 200, 12, 77, 1, 2, timestamp, 3, 480)
    block = struct.pack(">IIIIII", 1001, 1 << 24, 9, 10, 11, 12)
    description = struct.pack(">BBHIBB", 0x81, 202, 3, 77, 1, 4) + b"a@b!" + bytes(2)
    return report + block + description + struct.pack(">BBHI", 0x81, 203, 1, 77)
