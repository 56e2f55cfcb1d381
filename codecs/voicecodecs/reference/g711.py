"""G.711 u-law and A-law in plain integers (ITU-T G.711 tables 1a to 2b; RTP: RFC 3551 section 4.5.14).

A code is a sign bit, three bits of segment and four bits of step.  Within a segment the steps are equally
wide; from one segment to the next they double.  So a code is a small floating-point number: segment is the
exponent and step the fraction.  Two things make the difference between right and nearly right:

- negative samples are one's complemented (~x, so -1 has the magnitude 0), not negated: the decision points of
  negative samples lie one lower than those of positive ones;
- the magnitude is cut (to 14 bits with sign for u-law, 13 for A-law) before it is coded, not rounded.

On the wire u-law has its lower seven bits inverted and A-law every second one, so that silence is not a run
of zeroes; the sign bit is 1 for positive samples.  A frame here is 10 ms; a lost or untransmitted frame is
silence.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

__all__ = ["G711Decoder", "G711Encoder", "alaw_decode", "alaw_encode", "ulaw_decode", "ulaw_encode"]

_FRAME_SAMPLES = 80


def ulaw_encode(sample: int) -> int:
    """Encode one sample (-32768 to 32767) as a u-law code (0 to 255).

    >>> [hex(ulaw_encode(sample)) for sample in (-32768, -1, 0, 32767)]
    ['0x0', '0x7f', '0xff', '0x80']
    """
    positive, magnitude = _sign_and_magnitude(sample)
    # 33 makes every segment begin at a power of two; 8191 is where the law clips (table 2a).
    biased = min((magnitude >> 2) + 33, 8191)
    segment = biased.bit_length() - 6
    step = biased >> (segment + 1) & 0xF
    return (positive | segment << 4 | step) ^ 0x7F


def ulaw_decode(code: int) -> int:
    """Decode one u-law code (0 to 255) to the middle of its step (-32124 to 32124).

    >>> [ulaw_decode(code) for code in (0x00, 0x7F, 0xFF, 0x80)]
    [-32124, 0, 0, 32124]
    """
    positive, segment, step = _fields(code ^ 0x7F)
    magnitude = (((33 + 2 * step) << segment) - 33) << 2
    return magnitude if positive else -magnitude


def alaw_encode(sample: int) -> int:
    """Encode one sample (-32768 to 32767) as an A-law code (0 to 255).

    >>> [hex(alaw_encode(sample)) for sample in (-32768, -1, 0, 32767)]
    ['0x2a', '0x55', '0xd5', '0xaa']
    """
    positive, magnitude = _sign_and_magnitude(sample)
    cut = magnitude >> 4
    # Segments 0 and 1 have the same step width: below 16 there is nothing to scale (table 1a).
    segment = max(cut.bit_length() - 4, 0)
    step = cut >> max(segment - 1, 0) & 0xF
    return (positive | segment << 4 | step) ^ 0x55


def alaw_decode(code: int) -> int:
    """Decode one A-law code (0 to 255) to the middle of its step (-32256 to 32256).

    >>> [alaw_decode(code) for code in (0x2A, 0x55, 0xD5, 0xAA)]
    [-32256, -8, 8, 32256]
    """
    positive, segment, step = _fields(code ^ 0x55)
    magnitude = (33 + 2 * step) << (segment + 2) if segment else (1 + 2 * step) << 3
    return magnitude if positive else -magnitude


@dataclass(frozen=True, slots=True)
class G711Encoder:
    """Codes frames with one law; has no state."""

    encode_sample: Callable[[int], int]

    def encode(self, samples: Sequence[int]) -> bytes:
        """Encode a frame, a byte for a sample."""
        return bytes(map(self.encode_sample, samples))


@dataclass(frozen=True, slots=True)
class G711Decoder:
    """Decodes frames with one law; has no state."""

    decode_sample: Callable[[int], int]

    def accepts(self, n_bytes: int) -> bool:
        """Say whether a frame can have that many bytes."""
        return n_bytes in (0, _FRAME_SAMPLES)

    def decode(self, payload: bytes | None) -> list[int]:
        """Decode a frame; None (lost) and b"" (untransmitted) give silence."""
        return list(map(self.decode_sample, payload)) if payload else [0] * _FRAME_SAMPLES


def _sign_and_magnitude(sample: int) -> tuple[int, int]:
    return (0x80, sample) if sample >= 0 else (0, ~sample)


def _fields(code: int) -> tuple[int, int, int]:
    return code & 0x80, code >> 4 & 7, code & 0xF
