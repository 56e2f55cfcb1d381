"""SIPp as caller and as callee: whole calls at an even rate, counted by strangers to the switch.

A call is INVITE, 401, ACK, INVITE with a password, 180, 200, ACK, BYE and 200 on the caller's side, and the same
without the password on the callee's.  How long a setup takes is the caller's time from its second INVITE to 180.
"""

from __future__ import annotations

import contextlib
import csv
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import numpy as np

from gateway.errors import LocalError
from gateway.lab.bench.servers.port import START_S
from gateway.lab.bench.signalling_servers import CALLEE_HOST, NUMBER, PASSWORD, bound, free_port

__all__ = ["REFUSED", "SCENARIOS", "Calls", "Sipp", "offer", "sipp_installed"]

SCENARIOS: Final = Path(__file__).parent / "sipp"
REFUSED: Final = "refused"
"""The column that counts answers of 503."""
_HOST: Final = "127.0.0.1"
_GIVE_UP_S: Final = 60.0
"""SIPp gives a call up after 32 s of repetitions."""
_LOOK_S: Final = 0.02
_AT_ONCE: Final = 10_000


@dataclass(frozen=True, slots=True)
class Calls:
    """What came of a number of calls."""

    offered: int
    completed: int
    """Those that the callee saw from INVITE to BYE."""
    failed: int
    """By the caller's or the callee's count; a call that was refused with 503 is not one."""
    repeated: int
    """Messages that the caller sent again."""
    setup_ms_p50: float
    setup_ms_p99: float
    seconds: float
    """From the first INVITE to the last BYE."""


def sipp_installed() -> bool:
    """Is there a load?"""
    return shutil.which("sipp") is not None


class Sipp:
    """One SIPp process with a scenario of ours.

    Args:
        scenario: `caller`, `callee` or `register`.
        arguments: more of its options, the remote address among them.
        host: the address that it binds.
        port: its SIP port.
        core: where it runs; None = anywhere.
    """

    def __init__(
        self, scenario: str, arguments: Sequence[str], *, host: str, port: int, core: int | None = None
    ) -> None:
        self._resources = contextlib.ExitStack()
        self._directory = Path(self._resources.enter_context(tempfile.TemporaryDirectory()))
        self._errors = self._directory / "errors"
        self._statistics = self._directory / "statistics.csv"
        self._port = port
        program = shutil.which("sipp")
        if program is None:
            raise LocalError("sipp is not installed (Debian: apt install sip-tester)")
        where = ["-i", host, "-p", str(port), "-buff_size", str(4 << 20)]
        told = ["-trace_stat", "-stf", str(self._statistics), "-fd", "1", "-trace_rtt", "-rtt_freq", "1"]
        wrong = ["-trace_err", "-error_file", str(self._errors)]
        what = ["-sf", str(SCENARIOS / f"{scenario}.xml"), "-nostdin", "-l", str(_AT_ONCE)]
        self._argv = [program, *arguments, *what, *where, *told, *wrong]
        self._core = core

    def __enter__(self) -> Self:
        self._child = subprocess.Popen(
            self._argv,
            cwd=self._directory,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=self._stay,
        )
        deadline = time.monotonic() + START_S
        while not bound(self._port):
            if self._child.poll() is not None or time.monotonic() > deadline:
                self.__exit__()
                raise LocalError(f"sipp did not start: {self.complaint()}")
            time.sleep(_LOOK_S)
        return self

    def __exit__(self, *_: object) -> None:
        if self._child.poll() is None:
            self._child.send_signal(signal.SIGKILL)
        self._child.wait()
        self._resources.close()

    def wait(self, within_s: float) -> None:
        """Wait until it has made all its calls.

        Raises:
            LocalError: it has not.
        """
        try:
            self._child.wait(within_s)
        except subprocess.TimeoutExpired:
            raise LocalError(f"sipp is not done after {within_s:.0f} s: {self.complaint()}") from None

    def finish(self, within_s: float) -> None:
        """Have it accept no new call, and wait for those that are up (SIGUSR1, as its manual says)."""
        if self._child.poll() is None:
            self._child.send_signal(signal.SIGUSR1)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._child.wait(within_s)

    def counted(self, column: str) -> int:
        """Return a cumulative counter of its last line of statistics."""
        lines = self.timeline(column)
        return lines[-1][1] if lines else 0

    def timeline(self, column: str) -> list[tuple[float, int]]:
        """Return wall time and a cumulative counter, line by line."""
        if not self._statistics.exists():
            return []
        with self._statistics.open(newline="") as file:
            rows = [row for row in csv.DictReader(file, delimiter=";") if row.get(f"{column}(C)")]
        return [(float(row["CurrentTime"].split("\t")[-1]), int(row[f"{column}(C)"])) for row in rows]

    def times_ms(self) -> list[tuple[float, float]]:
        """Return of each call the seconds since the start of this process, and the measured milliseconds."""
        found: list[tuple[float, float]] = []
        for file in self._directory.glob("*_rtt.csv"):
            for line in file.read_text().splitlines()[1:]:
                at, took, *_ = line.split(";")
                found.append((float(at) / 1000, float(took)))
        return found

    def complaint(self) -> str:
        """Return the beginning of what it found wrong."""
        return self._errors.read_text(errors="replace")[:1000] if self._errors.exists() else ""

    def _stay(self) -> None:
        if self._core is not None:
            os.sched_setaffinity(0, {self._core})


def offer(
    server_port: int, callee_port: int, *, rate_per_s: float, seconds: float, core: int, talk_s: float = 0.0
) -> Calls:
    """Offer calls at a rate for a while and return what came of them."""
    n = max(1, round(rate_per_s * seconds))
    login = ("-s", NUMBER, "-au", "alice", "-ap", PASSWORD)
    pace = ("-r", f"{rate_per_s:g}", "-rp", "1000", "-m", str(n), "-d", str(round(1000 * talk_s)))
    callee = Sipp("callee", (), host=CALLEE_HOST, port=callee_port, core=core)
    target = (f"{_HOST}:{server_port}", *login, *pace)
    with callee, Sipp("caller", target, host=_HOST, port=free_port(), core=core) as caller:
        began = time.monotonic()
        caller.wait(seconds + talk_s + _GIVE_UP_S)
        took_s = time.monotonic() - began
        callee.finish(within_s=2.0)
        times = [took for _, took in caller.times_ms()] or [float("nan")]
        return Calls(
            offered=n,
            completed=callee.counted("SuccessfulCall"),
            failed=caller.counted("FailedCall") + callee.counted("FailedCall"),
            repeated=caller.counted("Retransmissions"),
            setup_ms_p50=round(float(np.percentile(times, 50)), 1),
            setup_ms_p99=round(float(np.percentile(times, 99)), 1),
            seconds=round(took_s, 2),
        )
