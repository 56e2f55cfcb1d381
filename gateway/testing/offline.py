"""Speech coded offline, as a live path would have: the yardstick for what a call did to it.

A live path cuts speech into frames wherever its packets and its clock happen to meet, and a codec that cuts it
elsewhere makes other errors: a tenth of a point, three where silence is not sent.  So the beginning is coded offline
with every cut that there is, and the one that is most like what was heard is taken for the whole.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

import voicecodecs
from gateway.lab.measures import correlation

__all__ = ["Coding", "coded_alike"]

Pcm = npt.NDArray[np.int16]

_BEGINNING: Final = 12_000
"""Samples that tell one cut from another: half a second of silence and one of speech."""


@dataclass(frozen=True, slots=True)
class Coding:
    """A codec and how it is used: its name, and the options of its encoder and decoder."""

    codec: str
    encoder: Mapping[str, int] = field(default_factory=dict)
    decoder: Mapping[str, int] = field(default_factory=dict)
    frame: int = 80
    """Samples that are coded together."""

    def heard_of(self, pcm: Pcm) -> Pcm:
        """Return speech coded and decoded: int16 [n] -> int16 [n]."""
        whole = np.pad(pcm, (0, -len(pcm) % self.frame))
        frames = voicecodecs.encode_frames(whole, self.codec, implementation="native", **self.encoder)
        return voicecodecs.decode_frames(frames, self.codec, implementation="native", **self.decoder)[
            : len(pcm)
        ]


def coded_alike(heard: Pcm, said: Pcm, path: Sequence[Coding]) -> Pcm:
    """Return `said` after the codecs of a path, cut into frames as `heard` seems to have been."""
    beginning, start = said[:_BEGINNING], heard[:_BEGINNING]
    cuts = range(max(coding.frame for coding in path))
    return _coded(said, path, max(cuts, key=lambda cut: correlation(start, _coded(beginning, path, cut))))


def _coded(said: Pcm, path: Sequence[Coding], cut: int) -> Pcm:
    """Return `said` after the codecs of a path that began `cut` samples earlier, in silence."""
    pcm = np.pad(said, (cut, 0))
    for coding in path:
        pcm = coding.heard_of(pcm)
    return pcm[cut:]
