"""The real process that speaks, started as the supervisor starts it, with rings of its own.

with SpeechProcess(data_dir) as process:
client = SpeechClient(process.path, clock.now, log, FreeRings(range(8)))
...
process.rings.read(ring, 8000)
"""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import numpy as np
import structlog
from numpy.typing import NDArray

from gateway.config import load
from gateway.media.ring import RINGS_BYTES, Rings
from gateway.speech.prompter import SayItem
from gateway.speech_service import open_prompts

__all__ = ["SpeechProcess", "spoken"]


def spoken(text: str, data_dir: Path) -> NDArray[np.int16]:
    """Return what the engine makes of an English text, int16 [n] at 8 kHz, or has made, if `data_dir` knows it."""

    async def render() -> list[NDArray[np.int16]]:
        async with open_prompts(load(None, data_dir), structlog.get_logger()) as prompts:
            return [chunk async for chunk in prompts.play([SayItem(text)], locale="en-US", owner="")]

    return np.concatenate(asyncio.run(render()))


class SpeechProcess:
    """One process while the block runs; ready when the block begins."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir: Final = data_dir
        self._open: Final = ExitStack()
        directory = self._open.enter_context(tempfile.TemporaryDirectory(prefix="t"))
        self.path: Final = str(Path(directory) / "speech")
        memory = os.memfd_create("tandem-rings")
        self._open.callback(os.close, memory)
        os.truncate(memory, RINGS_BYTES)
        self._memory: Final = memory
        self.rings: Final = Rings.inherited(memory)

    def __enter__(self) -> Self:
        control = self._open.enter_context(socket.socket(socket.AF_UNIX))
        control.bind(self.path)
        control.listen()
        (ready, says_ready), (lifeline, alive) = os.pipe(), os.pipe()
        self._open.callback(os.close, alive)
        descriptors = {
            "TANDEM_CONTROL_FD": control.fileno(),
            "TANDEM_RINGS_FD": self._memory,
            "TANDEM_READY_FD": says_ready,
            "TANDEM_LIFELINE_FD": lifeline,
        }
        told = {"TANDEM_DATA": str(self._data_dir), "TANDEM_CONFIG": ""}
        process = subprocess.Popen(
            (sys.executable, "-m", "gateway.speech_service"),
            env={**os.environ, **told, **{name: str(number) for name, number in descriptors.items()}},
            pass_fds=tuple(descriptors.values()),
        )
        self._open.callback(process.wait)
        self._open.callback(process.terminate)
        os.close(says_ready)
        os.close(lifeline)
        with os.fdopen(ready, "rb") as wait:
            assert wait.read(1), "it ended before it was ready"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.close()
