"""The sockets of the media plane: epoll in C on Linux, the standard library's selectors elsewhere.

Both do the same: `wait(deadline)` serves packets as they arrive, sending on at once what the plane relays, until the
deadline or until a watched descriptor is readable; `send` sends what a tick has made.  Set `TANDEM_PORTABLE=1` to use
the second where the first exists (CI does).
"""

from __future__ import annotations

import ipaddress
import os
import selectors
import socket
import time
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from gateway import _native
from gateway.errors import LocalError
from gateway.media.plane import Plane
from gateway.media.table import address_of, pack_address
from gateway.media.tally import VERDICT_NAMES

try:
    from gateway.transport import _io
except ImportError:  # not Linux
    _io = None  # type: ignore[assignment]  # then PortableIo is used

__all__ = ["CAPTURE_HEAD_BYTES", "EpollIo", "MediaIo", "PortableIo", "media_io"]

CAPTURE_HEAD_BYTES: Final = 192
"""`struct capture_head`: three cache lines, in the last of them `head`, `packets` and `lost`."""
_CAPTURE_COUNTS: Final = slice(17, 19)
"""Packets and losses among its words."""
_EDGE: Final = VERDICT_NAMES.index("edge")
_EDGES: Final = 64
"""How many datagrams that are no media are kept between two ticks, as in native/io/loop.h."""


class MediaIo(Protocol):
    """What the media process needs of the operating system."""

    def attach(self, row: int) -> None:
        """Listen on the sockets of a row."""
        ...

    def detach(self, row: int) -> None:
        """Stop listening on the sockets of a row; call before they are closed."""
        ...

    def watch(self, fd: int) -> None:
        """Return from `wait` when `fd` is readable."""
        ...

    def unwatch(self, fd: int) -> None:
        """Forget a watched descriptor."""
        ...

    def wait(self, deadline: float) -> list[int]:
        """Serve arrivals until `deadline` (monotonic s; 0 = what is there now); returns readable descriptors."""
        ...

    def send(self, sends: NDArray[Any], *, rtcp: bool) -> None:
        """Send packets (SEND [n]) through their rows' sockets."""
        ...

    def edges(self) -> list[tuple[int, tuple[str, int], bytes]]:
        """Return, and forget, what came and is no media (STUN, DTLS): row, source, datagram; few are kept."""
        ...

    def capture(self, memory: memoryview, announced: str) -> None:
        """Copy every datagram of rows that are attached from now on into a ring (native/plane/capture.h).

        `announced` is the IP address that stands for the wildcard.

        Raises:
            LocalError: these sockets cannot.
        """
        ...

    def counters(self) -> dict[str, int]:
        """Return how many packets were received and sent, and what went wrong."""
        ...

    def idle_s(self) -> float:
        """Return for how many seconds `wait` has had nothing to do."""
        ...


class EpollIo:
    """The fast path: native/io/loop.h."""

    def __init__(self, plane: Plane) -> None:
        self._loop = _io.loop(plane.table.kernel)
        self._captured: memoryview | None = None

    def attach(self, row: int) -> None:
        _io.attach(self._loop, row)

    def detach(self, row: int) -> None:
        _io.detach(self._loop, row)

    def watch(self, fd: int) -> None:
        _io.watch(self._loop, fd)

    def unwatch(self, fd: int) -> None:
        _io.unwatch(self._loop, fd)

    def wait(self, deadline: float) -> list[int]:
        return _io.wait(self._loop, deadline)

    def send(self, sends: NDArray[Any], *, rtcp: bool) -> None:
        if sends.size:
            _io.send(self._loop, sends, sends.size, rtcp)

    def edges(self) -> list[tuple[int, tuple[str, int], bytes]]:
        return [
            (row, (str(ipaddress.ip_address(ip[: 4 if family == 4 else 16])), port), data)
            for row, ip, port, family, data in _io.edges(self._loop)
        ]

    def capture(self, memory: memoryview, announced: str) -> None:
        address = ipaddress.ip_address(announced)
        _io.capture(self._loop, memory, address.packed.ljust(16, b"\0"), address.version)
        self._captured = memory[:CAPTURE_HEAD_BYTES].cast("Q")[_CAPTURE_COUNTS]

    def counters(self) -> dict[str, int]:
        names = ("received", "sent", "send_errors", "wakeups", "edges_lost")
        counted = dict(zip(names, _io.counters(self._loop), strict=True))
        if self._captured is not None:
            counted |= {"captured": self._captured[0], "capture_lost": self._captured[1]}
        return counted

    def idle_s(self) -> float:
        return _io.idle(self._loop)


class PortableIo:
    """The slow honest path: one `recvfrom` and one call of the plane a packet, by selectors."""

    _WATCHED: Final = -1

    def __init__(self, plane: Plane) -> None:
        self._plane = plane
        self._selector = selectors.DefaultSelector()
        self._sockets: dict[int, tuple[socket.socket, socket.socket]] = {}
        self._idle_s = 0.0
        self._edges: list[tuple[int, tuple[str, int], bytes]] = []
        self._counters = {"received": 0, "sent": 0, "send_errors": 0, "wakeups": 0, "edges_lost": 0}

    def attach(self, row: int) -> None:
        fields = self._plane.table.rows
        # the descriptors stay the rows': these objects only borrow them (detach gives them back)
        pair = (
            socket.socket(fileno=int(fields["rtp_fd"][row])),
            socket.socket(fileno=int(fields["rtcp_fd"][row])),
        )
        self._sockets[row] = pair
        for is_rtcp, half in enumerate(pair):
            half.setblocking(False)
            self._selector.register(half, selectors.EVENT_READ, (row, is_rtcp))

    def detach(self, row: int) -> None:
        for half in self._sockets.pop(row):
            self._selector.unregister(half)
            half.detach()

    def watch(self, fd: int) -> None:
        self._selector.register(fd, selectors.EVENT_READ, (self._WATCHED, fd))

    def unwatch(self, fd: int) -> None:
        self._selector.unregister(fd)

    def wait(self, deadline: float) -> list[int]:
        while True:
            before = time.monotonic()
            found = self._selector.select(max(0.0, deadline - before))
            self._idle_s += time.monotonic() - before
            ready: list[int] = []
            for key, _ in found:
                row, value = key.data
                if row == self._WATCHED:
                    ready.append(value)
                else:
                    self._receive(row, value)
            self._counters["wakeups"] += 1
            if ready or time.monotonic() >= deadline:
                return ready

    def _receive(self, row: int, is_rtcp: int) -> None:
        try:
            data, source = self._sockets[row][is_rtcp].recvfrom(_native.PACKET_BYTES + 1)
        except OSError:  # nothing there after all
            return
        self._counters["received"] += 1
        packet = np.frombuffer(data if len(data) <= _native.PACKET_BYTES else b"", np.uint8)
        sends, verdicts = self._plane.arrive(
            np.array([row], np.int32),
            pack_address((source[0], source[1]))[None],
            packet[None],
            np.array([packet.size], np.int32),
            np.array([time.monotonic()]),
            np.array([is_rtcp], np.uint8),
        )
        self.send(sends, rtcp=False)
        if verdicts[0] == _EDGE:
            self._keep_for_edge(row, (source[0], source[1]), data)

    def _keep_for_edge(self, row: int, source: tuple[str, int], data: bytes) -> None:
        if len(self._edges) == _EDGES:
            self._counters["edges_lost"] += 1
        else:
            self._edges.append((row, source, data))

    def send(self, sends: NDArray[Any], *, rtcp: bool) -> None:
        for packet in sends:
            row = int(packet["row"])
            to, half = self._destination(row, rtcp=rtcp)
            if to is None or row not in self._sockets:
                continue
            try:
                self._sockets[row][half].sendto(packet["data"][: packet["bytes"]].tobytes(), to)
                self._counters["sent"] += 1
            except OSError:
                self._counters["send_errors"] += 1

    def _destination(self, row: int, *, rtcp: bool) -> tuple[tuple[str, int] | None, int]:
        """Return where a row's packet goes and through which of its sockets, as native/io/loop.c does."""
        fields = self._plane.table.rows
        remote, remote_rtcp = address_of(fields["remote"][row]), address_of(fields["remote_rtcp"][row])
        to = address_of(fields["latched"][row]) or remote
        muxed = remote is not None and remote == remote_rtcp  # RFC 5761
        if to is None or not rtcp or muxed:
            return to, 0
        if remote_rtcp is not None and remote_rtcp[0] == to[0]:
            return remote_rtcp, 1
        return (to[0], to[1] + 1), 1

    def edges(self) -> list[tuple[int, tuple[str, int], bytes]]:
        kept, self._edges = self._edges, []
        return kept

    def capture(self, memory: memoryview, announced: str) -> None:
        raise LocalError("media is captured with epoll alone (Linux)")

    def counters(self) -> dict[str, int]:
        return dict(self._counters)

    def idle_s(self) -> float:
        return self._idle_s


def media_io(plane: Plane) -> MediaIo:
    """Return the best that this machine has."""
    if _io is None or os.environ.get("TANDEM_PORTABLE"):
        return PortableIo(plane)
    return EpollIo(plane)
