"""A person's own microphone and loudspeaker, by `sounddevice` (extra `audio`).

The sound card runs on its own thread and clock.  Between it and the call are one short queue each way: the
newest 300 ms of what the microphone heard, and what the call's time line says for now.  There is no echo
canceller: a person who uses a loudspeaker will be heard twice, with headphones not.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from types import TracebackType
from typing import Any, Final, Self

import numpy as np

from gateway.errors import LocalError
from gateway.lab.phone.media import Media
from gateway.lab.phone.sources import Playout, Source
from gateway.lab.phone.track import Pcm

__all__ = ["Handset"]

_RATE_HZ: Final = 8000
_BLOCK: Final = 160
_QUEUE_BLOCKS: Final = 15
_MOST_SAMPLES: Final = 800
"""What may lie ready for the next packet: 100 ms; with more, the older part is dropped."""


class Handset:
    """The sound card as a source of calls; one call at a time is heard, the last that was connected."""

    finished = False

    def __init__(self) -> None:
        """Raise LocalError when `sounddevice`, its library or a device is missing."""
        self._lock = threading.Lock()
        self._spoken: deque[Pcm] = deque(maxlen=_QUEUE_BLOCKS)
        self._rest: Pcm = np.zeros(0, np.int16)
        self._playout: Playout | None = None
        self._stream = _open_stream(self._block)

    def __enter__(self) -> Self:
        self._stream.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stream.stop()
        self._stream.close()

    def connect(self, media: Media) -> Source:
        """Let this call be heard from now on; the handset is what it says."""
        self._playout = Playout(media.listener.heard, media.listener.receiver)
        return self

    def read(self, n_samples: int, now: float) -> Pcm:
        """Return the next int16 [n_samples] of the microphone; silence where it has not enough."""
        with self._lock:
            heard = np.concatenate([self._rest, *self._spoken])
            self._spoken.clear()
        self._rest = heard[n_samples:][-_MOST_SAMPLES:]
        out = np.zeros(n_samples, np.int16)
        out[: len(heard)] = heard[:n_samples]
        return out

    def _block(self, spoken: Any, played: Any, n_samples: int, when: Any, status: Any) -> None:
        """Serve the sound card: int16 [n, 1] in and out, on its thread."""
        with self._lock:
            self._spoken.append(np.array(spoken[:, 0], np.int16))
        playout = self._playout
        played[:, 0] = 0 if playout is None else playout.read(n_samples, time.monotonic())


def _open_stream(block: Any) -> Any:
    try:
        import sounddevice
    except (ImportError, OSError) as error:  # OSError: the module is there, PortAudio is not
        raise LocalError(
            f"no sound card can be used ({error}); it needs: pip install tandem-voice[audio]"
        ) from error
    try:
        return sounddevice.Stream(
            samplerate=_RATE_HZ, blocksize=_BLOCK, channels=1, dtype="int16", callback=block
        )
    except sounddevice.PortAudioError as error:
        raise LocalError(f"the sound card cannot be opened: {error}") from error
