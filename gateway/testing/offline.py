"""Speech coded offline, as a live path would have: the yardstick for what a call did to it.

A live path cuts speech into frames wherever its packets happen to begin, and a codec that cuts it elsewhere makes
other errors: a tenth of a point, two with silence suppression.  So speech is coded offline with each cut that the
path could have made, and the coding that is most like what was heard is the one to compare it with.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

import voicecodecs
from gateway.lab.measures import correlation

__all__ = ["Coding", "coded_alike"]

Pcm = npt.NDArray[np.int16]

_CUT: Final = 80
"""Samples between two places where a path may cut: 10 ms, the tick of the plane and of phones."""
_LONGEST_FRAME: Final = 240


@dataclass(frozen=True, slots=True)
class Coding:
    """A codec and how it is used: its name, and the options of its encoder and decoder."""

    codec: str
    encoder: Mapping[str, int] = field(default_factory=dict)
    decoder: Mapping[str, int] = field(default_factory=dict)

    def heard_of(self, pcm: Pcm) -> Pcm:
        """Return speech coded and decoded: int16 [n] -> int16 [n]."""
        whole = np.pad(pcm, (0, -len(pcm) % _LONGEST_FRAME))
        frames = voicecodecs.encode_frames(whole, self.codec, implementation="native", **self.encoder)
        return voicecodecs.decode_frames(frames, self.codec, implementation="native", **self.decoder)[
            : len(pcm)
        ]


def coded_alike(heard: Pcm, said: Pcm, path: Sequence[Coding]) -> Pcm:
    """Return `said` after the codecs of a path, cut into frames as `heard` seems to have been."""
    return max(_codings(said, path), key=lambda coded: correlation(heard, coded))


def _codings(said: Pcm, path: Sequence[Coding]) -> Iterator[Pcm]:
    for silence in range(0, _LONGEST_FRAME, _CUT):
        pcm = np.pad(said, (silence, 0))
        for coding in path:
            pcm = coding.heard_of(pcm)
        yield pcm[silence:]
