"""Whole signals: encode samples to a list of frames, decode a list of frames to samples.

For files, tests and anything that is not in a hurry; the media plane uses banks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from voicecodecs.arrays import Int16Array, checked
from voicecodecs.banks import Decoder, Encoder
from voicecodecs.catalogue import Codec, codec, modes
from voicecodecs.engines import Implementation
from voicecodecs.errors import CodecError

__all__ = ["decode_frames", "encode_frames"]


def encode_frames(
    pcm: Int16Array, name: str, *, implementation: Implementation = "native", **options: bool | int
) -> list[bytes]:
    """Encode a signal, pcm int16 [n_samples], to a list of payloads, one a frame.

    b"" = nothing to transmit.  Samples after the last whole frame make a short last frame if the codec codes
    sample by sample (G.711); with other codecs they are dropped.

    Raises:
        CodecError: no such codec or option, or pcm of another type or shape.

    >>> [frame.hex() for frame in encode_frames(np.zeros(4, np.int16), "pcmu")]
    ['ffffffff']
    """
    encoder = Encoder(name, implementation=implementation, **options)
    facts = encoder.codec
    pcm = checked(pcm, "pcm", np.int16, (np.size(pcm),))
    n_frames, n_tail = divmod(pcm.size, facts.frame_samples)
    if n_tail and facts.short_last_frame:
        pcm = np.pad(pcm, (0, facts.frame_samples - n_tail))
        n_frames += 1
    whole = pcm[: n_frames * facts.frame_samples].reshape(n_frames, facts.frame_samples)
    payloads, lengths = encoder.encode(np.zeros(n_frames, np.intp), whole)
    if n_tail and facts.short_last_frame:
        lengths[-1] = n_tail * facts.frame_bytes // facts.frame_samples
    data, step = payloads.tobytes(), facts.frame_bytes
    return [
        data[at : at + length] for at, length in zip(range(0, len(data), step), lengths.tolist(), strict=True)
    ]


def decode_frames(
    frames: Iterable[bytes | None],
    name: str,
    *,
    implementation: Implementation = "native",
    **options: bool | int,
) -> Int16Array:
    """Decode a list of payloads, one a frame, to pcm int16 [n_samples].

    None = that frame was lost, b"" = nothing was transmitted; either lasts as long as a frame, and with
    G.711 is silence.  The last frame may be short if the codec codes sample by sample (G.711).  Frames say by
    their length which mode of a codec they are in (iLBC: 38 or 50 bytes), whatever `mode_ms` says; where that
    changes the decoder starts anew.

    Raises:
        CodecError: no such codec or option, a frame that is not bytes, or one of a wrong length; the text
            says which and what was wrong.

    >>> decode_frames([bytes([0x80, 0x00])], "pcmu").tolist()
    [32124, -32124]
    """
    decoder = Decoder(name, implementation=implementation, **options)
    if len(modes(name)) == 1:
        return _decoded(decoder, list(frames))
    parts = [np.zeros(0, np.int16)]
    for facts, run in _runs(list(frames), decoder.codec):
        parts.append(_decoded(Decoder(name, implementation=implementation, mode_ms=facts.frame_ms), run))
    return np.concatenate(parts)


def _runs(frames: list[bytes | None], agreed: Codec) -> Iterator[tuple[Codec, list[bytes | None]]]:
    """Cut the list where the codec's mode changes; what is not there is of the mode before."""
    by_bytes = {mode.frame_bytes: mode for mode in modes(agreed.name)}
    lengths = [_length(i, frame, codec(agreed.name)) for i, frame in enumerate(frames)]
    said = [by_bytes.get(length) for length in lengths]
    for i, (length, mode) in enumerate(zip(lengths, said, strict=True)):
        if mode is None and length > 0:
            raise CodecError(codec(agreed.name).wrong_length(length), frame=i)
    facts, begin = next((mode for mode in said if mode), agreed), 0
    for i, mode in enumerate(said):
        if mode is not None and mode is not facts:
            yield facts, frames[begin:i]
            facts, begin = mode, i
    yield facts, frames[begin:]


def _decoded(decoder: Decoder, listed: list[bytes | None]) -> Int16Array:
    facts = decoder.codec
    lengths = np.array([_length(i, frame, facts) for i, frame in enumerate(listed)], np.int32)
    n_tail_samples = 0
    if facts.short_last_frame and listed and 0 < lengths[-1] < facts.frame_bytes:
        n_tail_samples = facts.frame_samples - int(lengths[-1]) * facts.frame_samples // facts.frame_bytes
        lengths[-1] = facts.frame_bytes
    padded = b"".join((frame or b"").ljust(facts.frame_bytes, b"\0") for frame in listed)
    payloads = np.frombuffer(padded, np.uint8).reshape(len(listed), facts.frame_bytes)
    pcm = decoder.decode(np.zeros(len(listed), np.intp), payloads, lengths).reshape(-1)
    return pcm[: pcm.size - n_tail_samples]


def _length(index: int, frame: object, facts: Codec) -> int:
    if frame is None:
        return -1
    if not isinstance(frame, bytes | bytearray):
        raise CodecError(f"a {type(frame).__name__}; bytes are needed, or None for a lost frame", frame=index)
    if len(frame) > facts.frame_bytes:
        raise CodecError(facts.wrong_length(len(frame)), frame=index)
    return len(frame)
