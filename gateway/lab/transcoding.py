"""From one file of speech to another: WAV or payloads in, WAV or payloads out.

Everything goes through samples at 8 kHz.  Coding is done a second at a time, so that progress can be shown;
the bits are those of coding all at once.  Samples after the last whole frame make a short last frame with
G.711; other codecs drop them, and the report says how many.
"""

from __future__ import annotations

import os
import wave
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from gateway.errors import LocalError
from gateway.lab.payloads import Options, Payloads, holds_silence, read_payloads, write_payloads
from gateway.lab.samples import RATE_HZ, Pcm, read_wav, write_wav
from voicecodecs import Codec, CodecError, Decoder, Encoder, Implementation

__all__ = ["Coding", "Progress", "Report", "transcode"]

Progress = Callable[[float, float], None]
"""Called with the seconds done and all seconds of the coding going on."""

_CHUNK_FRAMES: Final = 50
_STREAMED_BYTES: Final = 0x7FFFF000
"""A WAV header that claims more was written before anybody knew the length."""


@dataclass(frozen=True, slots=True)
class Coding:
    """How the payloads of one file are coded; `codec` None = the file is WAV."""

    path: Path
    codec: str | None


@dataclass(frozen=True, slots=True)
class Report:
    """What was done."""

    source: str
    source_codec: str
    through: str | None
    """The codec that speech passed from one WAV file to the other."""
    target: str
    target_codec: str
    duration_s: float
    samples: int
    frames_read: int
    frames_coded: int
    frames_lost: int
    """Of those that were read."""
    frames_untransmitted: int
    """Of all."""
    samples_dropped: int
    """After the last whole frame."""
    bytes_written: int


def transcode(
    source: Coding,
    target: Coding,
    *,
    through: str | None = None,
    options: Options,
    implementation: Implementation = "native",
    progress: Progress,
) -> Report:
    """Read `source`, write `target`.

    options: how payloads are to be coded (annexb, mode_ms).  `through`: between two WAV files, the codec that
    the speech is to pass.

    Raises:
        LocalError: a file that cannot be read or written, is truncated or is not what its name says, or that
            cannot hold what is wanted.
        CodecError: no such codec, or a payload that the codec does not know.
    """
    if target.codec is not None and options.get("annexb") and not holds_silence(target.path):
        raise LocalError(f"{target.path} cannot hold the silence of Annex B; a file named .bit can")
    read = None if source.codec is None else read_payloads(source.path, source.codec)
    pcm = _read_whole_wav(source.path) if read is None else _decoded(read, implementation, progress)
    codec, coded, dropped = target.codec or through, None, 0
    if codec is not None:
        coded, dropped = _encoded(pcm, codec, options, implementation, progress)
    if coded is not None and target.codec is not None:
        write_payloads(target.path, coded)
    else:
        write_wav(target.path, pcm if coded is None else _decoded(coded, implementation, progress))
    return Report(
        source=str(source.path),
        source_codec=source.codec or "wav",
        through=through,
        target=str(target.path),
        target_codec=target.codec or "wav",
        duration_s=pcm.size / RATE_HZ,
        samples=pcm.size,
        frames_read=0 if read is None else len(read.frames),
        frames_coded=0 if coded is None else len(coded.frames),
        frames_lost=_count(None, read),
        frames_untransmitted=_count(b"", read) + _count(b"", coded),
        samples_dropped=dropped,
        bytes_written=target.path.stat().st_size,
    )


def _count(kind: bytes | None, payloads: Payloads | None) -> int:
    return 0 if payloads is None else list(payloads.frames).count(kind)


def _read_whole_wav(path: Path) -> Pcm:
    pcm = read_wav(path)
    with path.open("rb") as file, wave.open(file) as reader:
        claimed = reader.getnframes() * reader.getnchannels() * reader.getsampwidth()
        there = os.fstat(file.fileno()).st_size - file.tell()
    if there < claimed < _STREAMED_BYTES:
        raise LocalError(f"{path} is truncated: of {claimed} bytes of samples there are {max(there, 0)}")
    if not pcm.size:
        raise LocalError(f"{path} has no samples")
    return pcm


def _decoded(payloads: Payloads, implementation: Implementation, progress: Progress) -> Pcm:
    decoder = Decoder(payloads.codec, implementation=implementation, **payloads.options)
    facts, frames = decoder.codec, payloads.frames
    parts = []
    for at in range(0, len(frames), _CHUNK_FRAMES):
        chunk = frames[at : at + _CHUNK_FRAMES]
        lengths = np.array([-1 if frame is None else len(frame) for frame in chunk], np.int32)
        if facts.short_last_frame:
            lengths[lengths > 0] = facts.frame_bytes
        padded = b"".join((frame or b"").ljust(facts.frame_bytes, b"\0") for frame in chunk)
        rows = np.zeros(len(chunk), np.intp)
        table = np.frombuffer(padded, np.uint8).reshape(len(chunk), facts.frame_bytes)
        try:
            parts.append(decoder.decode(rows, table, lengths))
        except CodecError as error:
            raise _moved(error, at) from None
        progress((at + len(chunk)) * facts.frame_ms / 1000, len(frames) * facts.frame_ms / 1000)
    pcm = np.concatenate(parts).reshape(-1)
    return pcm[: pcm.size - _missing_samples(facts, frames[-1])]


def _moved(error: CodecError, first_frame: int) -> CodecError:
    """Name the frame by its place in the file, not in the chunk."""
    if error.frame is None:
        return error
    said = str(error).removeprefix(f"frame {error.frame}: ")
    return CodecError(said, frame=first_frame + error.frame)


def _missing_samples(facts: Codec, last: bytes | None) -> int:
    """Return how many samples a short last frame lacks."""
    if not facts.short_last_frame or not last:
        return 0
    return facts.frame_samples - len(last) * facts.frame_samples // facts.frame_bytes


def _encoded(
    pcm: Pcm, codec: str, options: Options, implementation: Implementation, progress: Progress
) -> tuple[Payloads, int]:
    encoder = Encoder(codec, implementation=implementation, **options)
    facts = encoder.codec
    n_tail = pcm.size % facts.frame_samples
    if facts.short_last_frame and n_tail:
        whole = np.pad(pcm, (0, facts.frame_samples - n_tail))
    else:
        whole = pcm[: pcm.size - n_tail]
    frames = list(_encoded_frames(encoder, whole, progress))
    if facts.short_last_frame and n_tail:
        frames[-1] = frames[-1][: n_tail * facts.frame_bytes // facts.frame_samples]
    kept = {name: value for name, value in options.items() if name in facts.decoder_options}
    return Payloads(facts.name, frames, kept), 0 if facts.short_last_frame else n_tail


def _encoded_frames(encoder: Encoder, whole: Pcm, progress: Progress) -> Iterator[bytes]:
    facts = encoder.codec
    n_samples = facts.frame_samples * _CHUNK_FRAMES
    for at in range(0, whole.size, n_samples):
        chunk = whole[at : at + n_samples].reshape(-1, facts.frame_samples)
        payloads, lengths = encoder.encode(np.zeros(len(chunk), np.intp), chunk)
        for payload, length in zip(payloads, lengths.tolist(), strict=True):
            yield payload[:length].tobytes()
        progress((at + chunk.size) / facts.rate_hz, whole.size / facts.rate_hz)
