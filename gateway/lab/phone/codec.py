"""One stream through one codec: `voicecodecs` has banks of rows, a phone has one voice.

A packet is a whole number of frames, one after the other (RFC 3551 section 4.3).  The last may be short:
G.711 has samples, not frames, and G.729 may end with a silence descriptor of two bytes (section 4.5.6).
"""

from __future__ import annotations

import numpy as np

import voicecodecs
from gateway.errors import BadMessage
from gateway.lab.phone.track import Pcm
from gateway.sdp.codecs import CodecOffer, annexb, ilbc_mode_ms

__all__ = ["StreamDecoder", "StreamEncoder"]


class StreamEncoder:
    """Sound in, payloads out, one stream."""

    def __init__(self, offer: CodecOffer) -> None:
        """Raise CodecError for a codec that this build does not have."""
        dtx = {"annexb": annexb(offer)} if offer.name == "g729" else {}
        self._bank = voicecodecs.Encoder(offer.name, 1, implementation="native", **dtx, **_mode(offer))

    def encode(self, pcm: Pcm) -> bytes:
        """Return the payload of pcm, int16 [n]: whole frames; b"" = nothing to transmit.

        A silence descriptor ends its packet (RFC 3551 section 4.5.6), and so does a frame that is not transmitted:
        what follows them in `pcm` is not transmitted either.
        """
        frame_samples = self._bank.codec.frame_samples
        frames = np.ascontiguousarray(pcm).reshape(-1, frame_samples)
        payloads, lengths = self._bank.encode(np.zeros(len(frames), np.intp), frames)
        silent = np.flatnonzero(lengths < self._bank.codec.frame_bytes)
        last = int(silent[0]) + 1 if silent.size else len(frames)
        return b"".join(
            payload[:length].tobytes()
            for payload, length in zip(payloads[:last], lengths[:last].tolist(), strict=True)
        )


class StreamDecoder:
    """Payloads in, sound out, one stream."""

    def __init__(self, offer: CodecOffer) -> None:
        """Raise CodecError for a codec that this build does not have."""
        self._bank = voicecodecs.Decoder(offer.name, 1, implementation="native", **_mode(offer))

    def decode(self, payload: bytes) -> Pcm:
        """Return the sound of one packet, int16 [n].  Raise BadMessage if it is no payload of this codec."""
        facts = self._bank.codec
        n_frames, n_short = -(-len(payload) // facts.frame_bytes), len(payload) % facts.frame_bytes
        lengths = np.full(n_frames, facts.frame_bytes, np.int32)
        if n_short and not facts.short_last_frame:
            lengths[-1] = n_short
        padded = payload.ljust(n_frames * facts.frame_bytes, b"\0")
        payloads = np.frombuffer(padded, np.uint8).reshape(n_frames, facts.frame_bytes)
        try:
            pcm = self._bank.decode(np.zeros(n_frames, np.intp), payloads, lengths).reshape(-1)
        except voicecodecs.CodecError as error:
            raise BadMessage(str(error)) from error
        if n_short and facts.short_last_frame:
            return pcm[: len(payload) * facts.frame_samples // facts.frame_bytes]
        return pcm


def _mode(offer: CodecOffer) -> dict[str, int]:
    return {"mode_ms": ilbc_mode_ms(offer)} if offer.name == "ilbc" else {}
