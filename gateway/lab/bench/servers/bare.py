"""The physical limit as a server: a relay in C that passes datagrams on and does nothing else (native/load/bare.h).

No media server can carry a relayed call for less than this: one datagram received and one sent, on sockets of their
own, is what the kernel asks.

`python -m gateway.lab.bench.servers.bare` is the process: it reads pairs of phones' ports as JSON, prints the pairs of
its own, and passes on until it is ended.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Sequence
from typing import Self

import numpy as np

from gateway.errors import LocalError
from gateway.lab import _load
from gateway.lab.bench.servers.port import end, pinned_to

__all__ = ["BareRelay"]


class BareRelay:
    """One bare relay; it has no rooms and knows no codec."""

    name = "bare relay"

    def __init__(self, core: int) -> None:
        self._core = core
        self._child: subprocess.Popen[bytes] | None = None
        self.pid = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.clear()

    def bridge(self, codecs: tuple[str, str], ports: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
        """Start a process for these calls."""
        self.clear()
        self._child = subprocess.Popen(
            [sys.executable, "-m", __name__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            preexec_fn=pinned_to(self._core),
        )
        self.pid = self._child.pid
        assert self._child.stdin is not None  # we asked for both
        assert self._child.stdout is not None
        self._child.stdin.write(json.dumps(list(ports)).encode())
        self._child.stdin.close()
        return [(near, far) for near, far in json.loads(self._child.stdout.readline())]

    def rooms(self, codec: str, rooms: Sequence[Sequence[int]]) -> list[list[int]]:
        """Raise: nobody mixes here."""
        raise LocalError("a bare relay has no rooms")

    def clear(self) -> None:
        """End the process of these calls."""
        if self._child is not None:
            assert self._child.stdout is not None
            self._child.stdout.close()
            end(self._child)
            self._child = None


def _connected(port: int) -> socket.socket:
    """Return a socket that speaks with one phone."""
    ours = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    ours.bind(("127.0.0.1", 0))
    ours.connect(("127.0.0.1", port))
    return ours


def _main() -> None:
    """Be the process."""
    pairs = [[_connected(port) for port in pair] for pair in json.load(sys.stdin)]
    sys.stdout.write(json.dumps([[each.getsockname()[1] for each in pair] for pair in pairs]) + "\n")
    sys.stdout.flush()
    _load.bare_relay(np.array([each.fileno() for pair in pairs for each in pair], np.int32))


if __name__ == "__main__":
    _main()
