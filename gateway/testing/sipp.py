"""SIPp as a load of calls by the script: XML scenarios, RTP both ways, and its own count of what failed.

SIPp sends RTP but never reads it: its socket fills up, and the kernel counts an error for every packet after
that, as it would for a switch that is too slow.  So its socket is read here, through a second descriptor of it
(pidfd_getfd(2)), by a thread that keeps what it needs to tell whether something was lost.  All calls of one
SIPp share that socket and one SSRC, so streams are told apart by their sender.
"""

from __future__ import annotations

import contextlib
import csv
import ctypes
import os
import select
import shutil
import signal
import socket
import struct
import threading
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from gateway.testing.processes import PATIENCE_S, Command

__all__ = ["Sipp"]

_UNLIMITED: Final = 2000
_PIDFD_GETFD: Final = 438
_BUFFER_BYTES: Final = 4 << 20
_LOOK_S: Final = 0.2
_RTP_START: Final = struct.Struct("!BBH4xI")


class Sipp(Command):
    """One SIPp process.  Leaving the `with` ends it if it has not ended.

    Args:
        directory: where it finds its audio and writes its statistics; it may be shared.
        scenario: the XML file, or the name of one that is built into SIPp: `uac`, `uas`, `regexp`.
        arguments: more of its options, the remote address among them.
        ip: the address it binds, for SIP and for RTP.
        sip_port: its SIP port.
        rtp_port: the RTP port of all its calls.
        n_calls: after so many it exits.
    """

    def __init__(
        self,
        directory: Path,
        scenario: Path | str,
        arguments: Sequence[str] = (),
        *,
        ip: str,
        sip_port: int,
        rtp_port: int,
        n_calls: int,
    ) -> None:
        program = shutil.which("sipp")
        assert program, "sipp is not installed (Debian: apt install sip-tester)"
        name = Path(scenario).stem
        self.statistics = directory / f"{name}.csv"
        self.errors = directory / f"{name}-errors.log"
        self.heard: dict[tuple[int, int], list[int]] = defaultdict(list)
        """The RTP sequence numbers that came, by the sender's port and SSRC."""
        self._rtp_port = rtp_port
        self._ended = threading.Event()
        self._ear = threading.Thread(target=self._listen, name="sipp-ear", daemon=True)
        where = ("-i", ip, "-p", str(sip_port), "-mi", ip, "-mp", str(rtp_port))
        told = ("-trace_stat", "-stf", str(self.statistics), "-fd", "1s")
        wrong = ("-trace_err", "-error_file", str(self.errors))
        limits = ("-m", str(n_calls), "-l", str(_UNLIMITED), "-nostdin")
        what = ("-sf" if isinstance(scenario, Path) else "-sn", str(scenario))
        super().__init__((program, *arguments, *what, *where, *told, *wrong, *limits), directory=directory)

    def __enter__(self) -> Self:
        try:
            self._rtp = _second_descriptor(self.pid, self._rtp_port)
        except BaseException:
            super().__exit__(None, None, None)
            raise
        self._ear.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.tell(signal.SIGTERM)
        super().__exit__(kind, error, trace)
        self._ended.set()
        self._ear.join()
        self._rtp.close()

    def counted(self) -> tuple[int, int]:
        """Return how many calls went as scripted and how many failed, by its last line of statistics."""
        with self.statistics.open(newline="") as file:
            last = list(csv.DictReader(file, delimiter=";"))[-1]
        return int(last["SuccessfulCall(C)"]), int(last["FailedCall(C)"])

    def complaint(self) -> str:
        """Return the beginning of what it found wrong."""
        return self.errors.read_text()[:4000] if self.errors.exists() else ""

    def _listen(self) -> None:
        while not self._ended.is_set():
            if not select.select([self._rtp], [], [], _LOOK_S)[0]:
                continue
            data, (_, port) = self._rtp.recvfrom(2048)
            if len(data) >= _RTP_START.size:
                _, _, sequence, ssrc = _RTP_START.unpack_from(data)
                self.heard[port, ssrc].append(sequence)


def _second_descriptor(pid: int, port: int) -> socket.socket:
    """Return a second descriptor of the UDP socket that a child has bound to a port.  Raise TimeoutError."""
    deadline = time.monotonic() + PATIENCE_S
    while (number := _number_of(pid, port)) is None:
        if time.monotonic() > deadline:
            raise TimeoutError(f"process {pid} has not bound UDP port {port}")
        time.sleep(_LOOK_S)
    system = ctypes.CDLL(None, use_errno=True).syscall
    process = os.pidfd_open(pid)
    try:
        copy = system(_PIDFD_GETFD, process, number, 0)
    finally:
        os.close(process)
    if copy < 0:
        raise OSError(ctypes.get_errno(), "pidfd_getfd: its socket cannot be read")
    ours = socket.socket(fileno=copy)
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER_BYTES)
    return ours


def _number_of(pid: int, port: int) -> int | None:
    """Return the number of a process's descriptor for a UDP port; None if it has none (proc(5))."""
    inodes = {
        line.split()[9]
        for line in Path("/proc/net/udp").read_text().splitlines()[1:]
        if int(line.split()[1].rpartition(":")[2], 16) == port
    }
    for each in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed since it was listed
            if each.readlink().name.removeprefix("socket:[").removesuffix("]") in inodes:
                return int(each.name)
    return None
