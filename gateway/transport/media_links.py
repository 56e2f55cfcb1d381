"""The media process's two conversations: with the port broker (its supervisor), and with the switch.

Both are sockets that never block: the media process has 10 ms at a time, and nobody may make it wait.
"""

from __future__ import annotations

import json
import socket
import struct
from collections import deque
from collections.abc import Iterator
from typing import Any, Final

import msgpack

from gateway.errors import PeerError

__all__ = ["BrokerLink", "SupervisorGone", "SwitchLink"]

_MAX_MESSAGE_BYTES: Final = 1 << 20
_MAX_PACKET_BYTES: Final = 192 * 1024
_MAX_UNSENT_BYTES: Final = 8 << 20
_LENGTH: Final = struct.Struct(">I")


class SupervisorGone(ConnectionError):
    """Nobody owns our sockets any more: it is time to end."""


class BrokerLink:
    """Asks the supervisor for ports and gets their descriptors (one JSON message a packet, SCM_RIGHTS beside).

    What a leg carries from worker to worker, its luggage, follows the JSON after a zero byte.
    """

    def __init__(self, fd: int) -> None:
        self._socket = socket.socket(fileno=fd)
        self._socket.setblocking(False)
        self._unsent: deque[bytes] = deque()

    def fileno(self) -> int:
        return self._socket.fileno()

    def close(self) -> None:
        self._socket.close()

    def ask(self, message: dict[str, Any], luggage: bytes = b"") -> None:
        """Send a request; kept and sent with the next one when the broker is busy."""
        packet = json.dumps(message).encode()
        self._unsent.append(packet + b"\0" + luggage if luggage else packet)
        self.flush()

    def flush(self) -> None:
        """Send what could not be sent before.

        Raises:
            SupervisorGone: it has ended.
        """
        while self._unsent:
            try:
                self._socket.send(self._unsent[0])
            except BlockingIOError:
                return
            except ConnectionError as error:
                raise SupervisorGone from error
            self._unsent.popleft()

    def answers(self) -> Iterator[tuple[dict[str, Any], list[int], bytes]]:
        """Yield each waiting answer with the descriptors and the luggage that came with it.

        Raises:
            SupervisorGone: it has ended.
        """
        while True:
            try:
                data, fds, _, _ = socket.recv_fds(self._socket, _MAX_PACKET_BYTES, 2)
            except BlockingIOError:
                return
            if not data:
                raise SupervisorGone
            head, _, luggage = data.partition(b"\0")
            yield json.loads(head), fds, luggage


class SwitchLink:
    """A connection of the switch: 4 bytes of length, then a msgpack map."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._socket.setblocking(False)
        self._received = bytearray()
        self._unsent = bytearray()

    def fileno(self) -> int:
        return self._socket.fileno()

    def close(self) -> None:
        self._socket.close()

    def receive(self) -> None:
        """Take in what has come; `next_message` gives it out.

        Raises:
            ConnectionError: the switch is gone.
        """
        while True:
            try:
                data = self._socket.recv(1 << 16)
            except BlockingIOError:
                return
            if not data:
                raise ConnectionError("the switch is gone")
            self._received += data
            if len(self._received) > _MAX_MESSAGE_BYTES:  # enough to do; the rest waits in the socket
                return

    @property
    def waiting(self) -> bool:
        """Is a whole message there?"""
        size = len(self._received)
        return size >= _LENGTH.size and size >= _LENGTH.size + _LENGTH.unpack_from(self._received)[0]

    def next_message(self) -> dict[str, Any] | None:
        """Return the next whole message, None when there is none.

        Raises:
            PeerError: what came is no message of ours.
        """
        if len(self._received) < _LENGTH.size:
            return None
        (n,) = _LENGTH.unpack_from(self._received)
        if n > _MAX_MESSAGE_BYTES:
            raise PeerError(f"a message of {n} bytes from the switch")
        if len(self._received) < _LENGTH.size + n:
            return None
        body = bytes(self._received[_LENGTH.size : _LENGTH.size + n])
        del self._received[: _LENGTH.size + n]
        message = msgpack.unpackb(body, strict_map_key=False)
        if not isinstance(message, dict):
            raise PeerError("a message from the switch that is no map")
        return message

    def say(self, message: dict[str, Any]) -> None:
        """Send a message, or keep it until the switch reads.

        Raises:
            ConnectionError: the switch is gone, or has not read for so long that 8 MiB wait for it.
        """
        body = msgpack.packb(message)
        self._unsent += _LENGTH.pack(len(body)) + body
        self.flush()
        if len(self._unsent) > _MAX_UNSENT_BYTES:
            raise ConnectionError("the switch does not read")

    def flush(self) -> None:
        """Send what could not be sent before.

        Raises:
            ConnectionError: the switch is gone.
        """
        while self._unsent:
            try:
                n = self._socket.send(self._unsent)
            except BlockingIOError:
                return
            del self._unsent[:n]
