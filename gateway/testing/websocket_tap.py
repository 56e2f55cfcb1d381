"""The wire between browsers and a switch, in a test's hands: to be heard and to be cut.

Browsers connect to the tap, and each connection is carried on to the switch byte by byte.  What passes is read on the
side, by twenty lines that share nothing with the library that the switch uses (RFC 6455 section 5.2; neither
compression nor fragments, which no browser uses here).  A message is noted before it goes on, so a request always
stands before what it brings about.
"""

from __future__ import annotations

import contextlib
import re
import socket
import threading
import time
from types import TracebackType
from typing import Final, Self

from gateway.testing.capture import Address, Datagram
from gateway.testing.conversation import ladder
from gateway.testing.processes import PATIENCE_S

__all__ = ["WebSocketTap"]

_HOST: Final = "127.0.0.1"
_USER: Final = re.compile(rb"^From[ \t]*:.*?<sips?:([^@>]+)@", re.IGNORECASE | re.MULTILINE)
_CALL_ID: Final = re.compile(rb"^Call-ID[ \t]*:[ \t]*(\S+)", re.IGNORECASE | re.MULTILINE)
_CSEQ: Final = re.compile(rb"^CSeq[ \t]*:[ \t]*(\d+)[ \t]+(\S+)", re.IGNORECASE | re.MULTILINE)
_STATUS: Final = re.compile(rb"SIP/2\.0 (\d+)")
_LOOK_S: Final = 0.02
_TEXT, _BINARY = 1, 2


class WebSocketTap:
    """Carries WebSocket connections to a switch while the `with` lasts.

    Args:
        switch: where the switch listens for them.
    """

    def __init__(self, switch: Address) -> None:
        self._switch: Final = switch
        self._server = socket.create_server((_HOST, 0))
        self._lock = threading.Lock()
        self._heard: list[Datagram] = []
        self._names: dict[int, str] = {}
        self._ends: dict[int, tuple[socket.socket, socket.socket]] = {}
        self._threads = [threading.Thread(target=self._accept, name="websocket-tap", daemon=True)]

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.cut()
        self._server.shutdown(socket.SHUT_RDWR)  # it wakes who waits in accept
        for thread in self._threads:
            thread.join()
        self._server.close()

    @property
    def url(self) -> str:
        """Where browsers connect to."""
        return f"ws://{_HOST}:{self._server.getsockname()[1]}/"

    def cut(self, user: str | None = None) -> None:
        """End the connections of a user, or all, without a word: no close frame, as when a network goes."""
        with self._lock:
            cut = [port for port in self._ends if user in (None, self._names.get(port))]
            ends = [end for port in cut for end in self._ends[port]]
        for end in ends:
            with contextlib.suppress(OSError):  # it has gone by itself
                end.shutdown(socket.SHUT_RDWR)

    def messages(self, *, inward: bool) -> list[bytes]:
        """Return what browsers have said (`inward`), or what was said to them: every text, keep-alives too."""
        with self._lock:
            return [each.data for each in self._heard if (each.destination == self._switch) is inward]

    def ladder(self, *, registrations: bool = False) -> str:
        """Return all that was said as text once every request has its answer.  Raises TimeoutError.

        Browsers are called by the user that they named first.
        """
        deadline = time.monotonic() + PATIENCE_S
        while open_ := self._unanswered():
            if time.monotonic() > deadline:
                raise TimeoutError(f"without an answer: {open_}")
            time.sleep(_LOOK_S)
        with self._lock:
            return ladder(self._heard, self._switch[1], self._names, registrations=registrations)

    def _unanswered(self) -> set[tuple[bytes, bytes]]:
        """Return Call-ID and CSeq of requests without a final answer, and of answers without their ACK."""
        waiting: set[tuple[bytes, bytes]] = set()
        with self._lock:
            heard = [each.data for each in self._heard]
        for message in heard:
            dialog, cseq = _CALL_ID.search(message), _CSEQ.search(message)
            if dialog is None or cseq is None:
                continue
            status = _STATUS.match(message)
            request, invite, ack = ((dialog[1], cseq[1] + each) for each in (cseq[2], b"INVITE", b"ACK"))
            if status is None:
                waiting.discard(ack)
                waiting |= {request} - {ack}
            elif status[1] >= b"2":
                waiting.discard(request)
                waiting |= {ack} if request == invite else set()
        return waiting

    def _accept(self) -> None:
        while True:
            try:
                browser, address = self._server.accept()
            except OSError:  # shut down
                return
            self._connect(browser, address[1])

    def _connect(self, browser: socket.socket, port: int) -> None:
        try:
            switch = socket.create_connection(self._switch)
        except OSError:  # it is not there, or not any more
            browser.close()
            return
        with self._lock:
            self._ends[port] = (browser, switch)
        for source, sink, inward in ((browser, switch, True), (switch, browser, False)):
            thread = threading.Thread(
                target=self._carry, args=(source, sink, port), kwargs={"inward": inward}, daemon=True
            )
            self._threads.append(thread)
            thread.start()

    def _carry(self, source: socket.socket, sink: socket.socket, port: int, *, inward: bool) -> None:
        """Carry one direction until its source ends; the other direction then closes the other socket."""
        reader = _Reader()
        with contextlib.suppress(OSError):  # cut, here or there
            while data := source.recv(65536):
                for message in reader.feed(data):
                    self._note(message, port, inward=inward)
                sink.sendall(data)
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_RDWR)
        source.close()

    def _note(self, message: bytes, port: int, *, inward: bool) -> None:
        browser = (_HOST, port)
        source, destination = (browser, self._switch) if inward else (self._switch, browser)
        with self._lock:
            self._heard.append(Datagram(time.time(), source, destination, message))
            user = _USER.search(message)
            if inward and user is not None:
                self._names.setdefault(port, user[1].decode())


class _Reader:
    """Finds the messages in one direction of a connection."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._shaken = False

    def feed(self, data: bytes) -> list[bytes]:
        """Take bytes; return the messages that are whole now."""
        self._buffer += data
        if not self._shaken:
            _, end, rest = self._buffer.partition(b"\r\n\r\n")
            self._shaken = bool(end)
            self._buffer = rest if end else self._buffer
        messages: list[bytes] = []
        while self._shaken and (frame := _frame(self._buffer)) is not None:
            kind, payload, size = frame
            del self._buffer[:size]
            if kind in (_TEXT, _BINARY):
                messages.append(payload)
        return messages


def _frame(buffer: bytearray) -> tuple[int, bytes, int] | None:
    """Return kind and payload of the first frame, and its size on the wire; None if it is not whole."""
    if len(buffer) < 2:
        return None
    masked, short = buffer[1] & 0x80, buffer[1] & 0x7F
    wide = {126: 2, 127: 8}.get(short, 0)
    start = 2 + wide + (4 if masked else 0)
    length = int.from_bytes(buffer[2 : 2 + wide]) if wide else short
    if len(buffer) < start or len(buffer) < start + length:
        return None
    payload = bytes(buffer[start : start + length])
    if masked:
        mask = buffer[start - 4 : start]
        payload = bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload))
    return buffer[0] & 0x0F, payload, start + length
