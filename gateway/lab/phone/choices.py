"""What the options of `tandem call` and `tandem answer` mean to a phone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import voicecodecs
from gateway.errors import LocalError
from gateway.lab.phone.call import SourceMaker
from gateway.lab.phone.handset import Handset
from gateway.lab.phone.media import Media
from gateway.lab.phone.sources import PcmSource, Playout, Source, ToneSource
from gateway.lab.samples import RATE_HZ, read_wav, speech

__all__ = ["Voice", "codec_names", "voice"]


@dataclass(frozen=True, slots=True)
class Voice:
    """What a phone says in its calls."""

    name: str
    """For people: `speech`, `echo`, a file's name, ..."""
    make: SourceMaker
    length_s: float | None
    """How long it speaks; None: as long as the call."""


def codec_names(text: str) -> tuple[str, ...]:
    """Read `PCMU,PCMA` as names of `voicecodecs`, in order.  Raise LocalError, saying which there are."""
    names = tuple(part.strip().lower() for part in text.split(",") if part.strip())
    if not names:
        raise LocalError("--codec names no codec")
    for name in names:
        try:
            voicecodecs.codec(name)
        except voicecodecs.CodecError as error:
            raise LocalError(f"--codec: {error}") from error
    return tuple(dict.fromkeys(names))


def voice(
    *,
    wav: Path | None = None,
    echo: bool = False,
    tone_hz: float | None = None,
    handset: Handset | None = None,
    repeat: bool = False,
) -> Voice:
    """Return what to say: one of the arguments, or the shipped speech.

    Raise LocalError when more than one is given or the file is no WAV.
    """
    if (wav is not None) + echo + (tone_hz is not None) + (handset is not None) > 1:
        raise LocalError("a phone says one thing: give only one of --wav, --echo, --tone and --mic")
    if handset is not None:
        return Voice("microphone", handset.connect, None)
    if echo:
        return Voice("echo", _echo, None)
    if tone_hz is not None:
        if not 20.0 <= tone_hz <= RATE_HZ / 2.0:
            raise LocalError(f"--tone: {tone_hz:g} Hz is not between 20 and {RATE_HZ // 2}")
        return Voice(f"tone of {tone_hz:g} Hz", lambda _: ToneSource(tone_hz), None)
    pcm = speech() if wav is None else read_wav(wav)
    return Voice(
        "speech" if wav is None else wav.name,
        lambda _: PcmSource(pcm, repeat=repeat),
        None if repeat else len(pcm) / RATE_HZ,
    )


def _echo(media: Media) -> Source:
    return Playout(media.listener.heard, media.listener.receiver)
