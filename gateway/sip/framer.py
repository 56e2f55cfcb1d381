"""Cutting a byte stream into messages (RFC 3261 section 18.3, RFC 5626 section 3.5.1).

On TCP and TLS a message ends where its Content-Length says and nowhere else; a read may hold none, half of
one or five.  CRLFs between messages are noise, except that two in a row are a ping that wants a CRLF as its
pong. A stream that has once lost its framing cannot be trusted again: whoever gets a `BadMessage` closes
it, also one from parsing a message that was cut well.
"""

from __future__ import annotations

import re
from typing import Final

from gateway.errors import BadMessage
from gateway.sip.grammar import parse_number_untrusted
from gateway.sip.message import MAX_MESSAGE_BYTES

__all__ = ["PING", "PONG", "StreamFramer"]

PING: Final = b"\r\n\r\n"
"""What `feed` returns for a keepalive ping; answer `PONG`."""
PONG: Final = b"\r\n"

_LENGTH = re.compile(
    rb"\r\n(?:content-length|l)[ \t]*:(?:[ \t]|\r\n[ \t])*([0-9]+)[ \t]*(?=\r\n(?![ \t]))", re.IGNORECASE
)


class StreamFramer:
    """The reading side of one connection."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._searched = 0
        """Up to here there is no end of headers: a peer that sends byte by byte costs no more than
        another."""
        self._total: int | None = None
        """Length of the message whose head is complete."""
        self._failure: BadMessage | None = None

    @property
    def pending(self) -> int:
        """Bytes that wait for the rest of their message: what a half-request timeout looks at."""
        return len(self._buffer)

    def feed(self, data: bytes) -> list[bytes]:
        """Take what was read; return the messages that are complete now, and `PING` for each ping.

        Raises:
            BadMessage: the framing is lost; answer if possible, and close.  If messages came before it in
            the same
                read they are returned first and the next call raises, so call with b"" when closing.
        """
        if self._failure is not None:
            raise self._failure
        self._buffer += data
        messages: list[bytes] = []
        try:
            while (message := self._next_untrusted()) is not None:
                messages.append(message)
        except BadMessage as failure:
            self._failure = failure
            if not messages:
                raise
        return messages

    @property
    def rejected(self) -> bytes:
        """What was left when the framing was lost: the message to answer 400 to, if it is one."""
        return bytes(self._buffer) if self._failure is not None else b""

    def _next_untrusted(self) -> bytes | None:
        """Cut one message or ping off the buffer; None when more is needed."""
        if self._total is None:
            if self._buffer.startswith(PING):
                return self._cut(len(PING))
            if self._buffer.startswith(PONG) and len(self._buffer) > 2 and self._buffer[2:3] != b"\r":
                del self._buffer[:2]  # a pong, or noise before a start line
            self._total = self._measure_untrusted()
        if self._total is None or len(self._buffer) < self._total:
            return None
        return self._cut(self._total)

    def _measure_untrusted(self) -> int | None:
        """Return the whole length of the message in front, None while its head is incomplete."""
        if self._buffer[:1] == b"\r":
            return None  # half a ping, or a pong whose successor will tell
        head_end = self._buffer.find(b"\r\n\r\n", max(0, self._searched - 3))
        self._searched = len(self._buffer)
        if head_end < 0:
            if len(self._buffer) > MAX_MESSAGE_BYTES:
                raise BadMessage("a head of more than 64 KiB", status=513)
            return None
        lengths = _LENGTH.findall(self._buffer, 0, head_end + 2)
        if len(lengths) != 1:
            raise BadMessage("a message on a stream needs exactly one Content-Length")
        length = parse_number_untrusted(lengths[0].decode("ascii"), "Content-Length", at_most=2**32)
        total = head_end + 4 + length
        if total > MAX_MESSAGE_BYTES:
            raise BadMessage("the message is larger than 64 KiB", status=513)
        return total

    def _cut(self, length: int) -> bytes:
        message = bytes(self._buffer[:length])
        del self._buffer[:length]
        self._searched = 0
        self._total = None
        return message
