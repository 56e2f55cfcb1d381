"""One child process: started, reaped, and what is known of it in between.

A child runs in a session of its own, so the terminal's Ctrl-C reaches the supervisor alone and the order of
the end is ours.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from gateway.supervisor.backoff import Backoff

__all__ = ["HOPELESS_STATUS", "Child", "Ended", "Running", "Waiting"]

HOPELESS_STATUS = os.EX_CONFIG
"""Exit status 78 (sysexits.h): starting me again cannot help."""


@dataclass(slots=True)
class Running:
    """A process lives.  Times are monotonic seconds."""

    process: subprocess.Popen[bytes]
    started_at: float
    ready_at: float | None = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """A restart is due."""

    until: float


@dataclass(frozen=True, slots=True)
class Ended:
    """No process, and none to come."""


@dataclass(slots=True)
class Child:
    """A program that the supervisor keeps alive."""

    name: str
    argv: Sequence[str]
    state: Running | Waiting | Ended = Ended()
    backoff: Backoff = field(default_factory=Backoff)

    @property
    def is_ready(self) -> bool:
        """Say whether a process lives and has said that it is ready."""
        return isinstance(self.state, Running) and self.state.ready_at is not None

    def start(self, environment: Mapping[str, str], descriptors: Mapping[str, int], now: float) -> Running:
        """Start a process that inherits `descriptors`, each named by a variable of its environment.

        Raises OSError if the program cannot be run.
        """
        process = subprocess.Popen(
            self.argv,
            env={**environment, **{name: str(number) for name, number in descriptors.items()}},
            pass_fds=tuple(descriptors.values()),
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        self.state = Running(process, now)
        return self.state

    def reap(self, now: float) -> tuple[int, float] | None:
        """Return (exit status, seconds of health) if the process has just ended, else None.

        A status below 0 is the number of the signal that ended it.
        """
        if not isinstance(self.state, Running):
            return None
        status = self.state.process.poll()
        if status is None:
            return None
        healthy_s = 0.0 if self.state.ready_at is None else now - self.state.ready_at
        self.state = Ended()
        return status, healthy_s

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process, if there is one; SIGKILL goes to all that it has started too."""
        if not isinstance(self.state, Running):
            return
        if number != signal.SIGKILL:
            self.state.process.send_signal(number)
            return
        try:
            os.killpg(self.state.process.pid, number)
        except ProcessLookupError:
            pass

    def end_now(self) -> None:
        """Kill the process and wait for it; no restart follows."""
        if isinstance(self.state, Running):
            self.signal(signal.SIGKILL)
            self.state.process.wait()
        self.state = Ended()
