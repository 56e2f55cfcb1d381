"""One media worker: a child, and what of it must outlive the child.

A worker is a number; processes of it come and go.  It keeps its ledger (shared memory of its rows), its control
socket (on which the switch may connect even while there is no process) and, as long as a process lives, the
channel on which that process asks for ports.  The first worker of one is called `media`, of several `media-1`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from gateway.supervisor.channel import BrokerChannel
from gateway.supervisor.child import Child
from gateway.supervisor.shared import LEDGER_BYTES, WorkerShare

__all__ = ["MediaWorker", "media_workers"]

_ONE_THREAD: Final = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
"""A tick that waits for the threads of numpy's matrix product waits for whoever else uses their cores: on a busy
machine 18 ms instead of 0.2 for the answering machine detectors of 100 legs."""


@dataclass(slots=True)
class MediaWorker:
    """A media worker as its supervisor sees it."""

    number: int
    child: Child
    share: WorkerShare
    channel: BrokerChannel | None = field(default=None)

    def descriptors(self) -> Mapping[str, int]:
        """Return what every process of this worker inherits, by the names of the environment."""
        return {"TANDEM_LEDGER_FD": self.share.ledger, "TANDEM_CONTROL_FD": self.share.control.fileno()}

    def environment(self) -> Mapping[str, str]:
        """Return what every process of this worker is told."""
        told = {"TANDEM_WORKER": str(self.number), "TANDEM_LEDGER_BYTES": str(LEDGER_BYTES)}
        return _ONE_THREAD | told


def media_workers(argv: Sequence[str], shares: Sequence[WorkerShare]) -> tuple[MediaWorker, ...]:
    """Return a worker for each share, none of them running yet."""
    alone = len(shares) == 1
    return tuple(
        MediaWorker(number, Child("media" if alone else f"media-{number + 1}", argv), share)
        for number, share in enumerate(shares)
    )
