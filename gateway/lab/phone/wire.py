"""The sockets of one call's media: an even port for RTP, the odd one above for RTCP (RFC 3550 section 11).

The only part of the phone's media that knows a socket and the event loop.  It receives, arms one timer for
the next deadline, and sends what `Media` wants sent.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Final

from gateway.errors import LocalError
from gateway.lab.phone.keys import KeySeen
from gateway.lab.phone.media import Media

__all__ = ["MediaWire", "bind_pair"]

_BATCH: Final = 64
_TRIES: Final = 100
_EXPEDITED_FORWARDING: Final = 46 << 2
"""DSCP of voice (RFC 4594), in its place in the TOS byte."""


def bind_pair(address: str) -> tuple[socket.socket, socket.socket]:
    """Return two bound, non-blocking UDP sockets on an even port and the next.  Raise LocalError."""
    for _ in range(_TRIES):
        rtp = _bind(address, 0)
        port = rtp.getsockname()[1]
        try:
            if port % 2 == 0:
                return rtp, _bind(address, port + 1)
        except LocalError:
            pass
        rtp.close()
    raise LocalError(f"no two free UDP ports in a row on {address}")


class MediaWire:
    """Runs one `Media` on the running loop between `open` and `close`."""

    def __init__(self, address: str) -> None:
        """Bind the ports at once: the offer has to name them before there is any media."""
        self._rtp, self._rtcp = bind_pair(address)
        self.port: Final = int(self._rtp.getsockname()[1])
        self._loop = asyncio.get_running_loop()
        self._media: Media | None = None
        self._on_key: Callable[[KeySeen], None] = _ignore
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False

    def open(self, media: Media, on_key: Callable[[KeySeen], None]) -> None:
        """Start to receive for `media`; each key heard goes to `on_key`."""
        self._media, self._on_key = media, on_key
        self._loop.add_reader(self._rtp, self._readable, self._rtp, False)
        self._loop.add_reader(self._rtcp, self._readable, self._rtcp, True)

    def drain(self) -> None:
        """Send, tell and re-arm after any call into the media."""
        media = self._media
        if media is None:
            return
        for outgoing in media.transmit():
            try:
                (self._rtcp if outgoing.rtcp else self._rtp).sendto(outgoing.data, outgoing.to)
            except OSError:  # a full buffer, or an ICMP error of an earlier packet: RTP just goes on
                media.counters["send.failed"] += 1
        for key in media.events():
            self._on_key(key)
        if self._timer is not None:
            self._timer.cancel()
        deadline = media.next_deadline()
        self._timer = None if deadline is None else self._loop.call_at(deadline, self._deadline)

    def close(self) -> None:
        """Close both sockets, once; what was to be sent is sent first."""
        if self._closed:
            return
        self._closed = True
        if self._media is not None:
            self._media.stop(self._loop.time())
            self.drain()
        if self._timer is not None:
            self._timer.cancel()
        for each in (self._rtp, self._rtcp):
            self._loop.remove_reader(each)
            each.close()
        self._media = None

    def _deadline(self) -> None:
        if self._media is not None:
            self._media.deadline_reached(self._loop.time())
            self.drain()

    def _readable(self, sock: socket.socket, rtcp: bool) -> None:
        media = self._media
        if media is None:
            return
        for _ in range(_BATCH):
            try:
                data, source = sock.recvfrom(2048)
            except BlockingIOError:
                break
            except OSError:  # ICMP port unreachable for something we sent
                continue
            if rtcp:
                media.receive_rtcp(data, self._loop.time())
            else:
                media.receive(data, (source[0], source[1]), self._loop.time())
        self.drain()


def _bind(address: str, port: int) -> socket.socket:
    bound = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
    try:
        bound.setblocking(False)
        if bound.family == socket.AF_INET:
            bound.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, _EXPEDITED_FORWARDING)
        bound.bind((address, port))
    except OSError as error:
        bound.close()
        raise LocalError(f"cannot open UDP {address}:{port}: {error.strerror}") from error
    return bound


def _ignore(key: KeySeen) -> None:
    """Nobody wants to know about keys yet."""
