"""Signals as bytes on a pipe, so that one selector hears everything."""

from __future__ import annotations

import os
import signal
from types import FrameType

__all__ = ["SignalPipe"]

HEARD = (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD, signal.SIGHUP)


class SignalPipe:
    """Catches signals while the `with` block runs.  Main thread only; what was there before comes back."""

    def __enter__(self) -> SignalPipe:
        self._pipe, self._write_end = os.pipe()
        os.set_blocking(self._pipe, False)
        os.set_blocking(self._write_end, False)
        nohup = signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
        heard = [number for number in HEARD if not (nohup and number == signal.SIGHUP)]
        self._before = {number: signal.signal(number, _ignore) for number in heard}
        self._wakeup_before = signal.set_wakeup_fd(self._write_end, warn_on_full_buffer=False)
        return self

    def __exit__(self, *_: object) -> None:
        signal.set_wakeup_fd(self._wakeup_before)
        for number, handler in self._before.items():
            signal.signal(number, handler)
        os.close(self._pipe)
        os.close(self._write_end)

    def fileno(self) -> int:
        """Return the descriptor for a selector."""
        return self._pipe

    def read(self) -> list[signal.Signals]:
        """Return the signals that have arrived, in order."""
        try:
            return [signal.Signals(number) for number in os.read(self._pipe, 4096)]
        except BlockingIOError:
            return []


def _ignore(number: int, frame: FrameType | None) -> None:
    """Do nothing: the byte on the pipe is the message."""
