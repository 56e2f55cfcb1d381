"""How good speech sounds after a path that cost it something: ViSQOL's MOS-LQO (PyPI's visqol-python), 1 to 5.

ViSQOL v3 compares what was heard with what was said as an ear would, spectrogram against spectrogram, and moves
each stretch a little to find its like: a playout buffer that changes its delay is not mistaken for damage.  In its
speech mode it wants some seconds of speech at 16 kHz with half a second of silence around; narrow-band speech is
given as that, its upper half empty on both sides.  The score is the one of the original's default, the lattice.

Scores of one codec are only comparable on the same speech, so a path is judged against the same speech coded
offline: what the codec takes is not the path's fault.
"""

from __future__ import annotations

import functools
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gateway.lab.measures import align, level_dbov
from gateway.lab.samples import RATE_HZ, read_wav, resample

__all__ = ["passage_of", "quality", "spoken"]

Pcm = npt.NDArray[np.int16]

_VISQOL_HZ: Final = 16_000
_SILENCE_S: Final = 0.5
_LEVEL_DBOV: Final = -26.0
"""The active level that telephone speech has in listening tests (ITU-T P.56)."""


def spoken(text: str, *, voice: str) -> Pcm:
    """Return a text spoken by espeak-ng, half a second of silence around it: int16 at 8 kHz."""
    program = shutil.which("espeak-ng")
    assert program, "espeak-ng is not installed (Debian: apt install espeak-ng)"
    with tempfile.TemporaryDirectory() as directory:
        wav = Path(directory) / "spoken.wav"
        subprocess.run((program, "-v", voice, "-w", str(wav), text), check=True)
        speech = read_wav(wav)
    gain = 10 ** ((_LEVEL_DBOV - level_dbov(speech)) / 20)
    loud = np.clip(np.rint(speech * gain), -32768, 32767).astype(np.int16)
    return np.pad(loud, round(_SILENCE_S * RATE_HZ))


def passage_of(recording: Pcm, said: Pcm) -> Pcm:
    """Return the stretch of a recording in which `said` was heard: as long as it is, unless the end is missing."""
    start = max(0, align(recording, said))
    return recording[start : start + len(said)]


def quality(heard: Pcm, said: Pcm) -> float:
    """Return the MOS-LQO of `heard`, a passage, against `said`; both int16 at 8 kHz."""
    return float(_judge().measure_from_arrays(_wide(said), _wide(heard), sample_rate=_VISQOL_HZ).moslqo)


@functools.cache
def _judge() -> Any:  # the package is there only where the dependency group `interop` is installed
    from visqol import VisqolApi

    api = VisqolApi()
    api.create(mode="speech", use_lattice_model=True)
    return api


def _wide(pcm: Pcm) -> npt.NDArray[np.float64]:
    return resample(pcm, RATE_HZ, _VISQOL_HZ).astype(np.float64) / 32768
