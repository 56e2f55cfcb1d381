"""How SIP messages lie in a connection's bytes: framed by Content-Length, or one to a WebSocket message.

A wire is sans-IO: bytes in, whole messages and the bytes of its own answers out.  TLS is no wire of its own,
asyncio takes it off first.

- stream (TCP, TLS): RFC 3261 section 18.3; CRLF CRLF is a ping and is answered CRLF (RFC 5626 section 4.4.1)
- WebSocket (WS, WSS): RFC 7118 on RFC 6455; the library `websockets` speaks the protocol, this says what we
  allow: the subprotocol `sip`, and pages of this host or of the origins that the operator named; a ping of
  CRLF CRLF is answered here too (RFC 7118 section 6), and never sent: old browser phones choke on one
"""

from __future__ import annotations

import http
from typing import Final, Protocol
from urllib.parse import urlsplit

from websockets.datastructures import Headers
from websockets.exceptions import ProtocolError
from websockets.frames import Frame, Opcode
from websockets.http11 import Request as Handshake
from websockets.http11 import Response as HandshakeResponse
from websockets.server import ServerProtocol
from websockets.typing import Subprotocol

from gateway.errors import BadMessage
from gateway.sip.framer import PING, PONG, StreamFramer
from gateway.sip.message import MAX_MESSAGE_BYTES, Request, parse_message_untrusted, respond

__all__ = ["StreamWire", "WebSocketWire", "Wire"]

_SUBPROTOCOL: Final = Subprotocol("sip")
_KEEPALIVE_BYTES: Final = 4
"""CRLFs in a WebSocket message are somebody's keepalive; no SIP message is so short."""


class Wire(Protocol):
    """The bytes of one connection."""

    @property
    def pending(self) -> int:
        """Return how many bytes wait for the rest of their message, or of the handshake."""
        ...

    @property
    def fault(self) -> str | None:
        """Return why the connection has to end, as a counter's name; None = it goes on."""
        ...

    def received(self, data: bytes) -> list[bytes]:
        """Take what was read; return the messages that are whole now."""
        ...

    def replies(self) -> bytes:
        """Take what this wire itself has to answer: pongs, the handshake, a refusal."""
        ...

    def written(self, message: bytes) -> bytes:
        """Return one message as it goes onto the wire."""
        ...

    @property
    def pings(self) -> bool:
        """Return whether this wire asks by itself if the peer is there; else the kernel's keepalive does."""
        ...

    def ping(self) -> bytes:
        """Return what asks it."""
        ...


class StreamWire:
    """Messages one after the other (TCP, TLS)."""

    pings: Final = False

    def __init__(self) -> None:
        self._framer = StreamFramer()
        self._replies = b""
        self.fault: str | None = None

    @property
    def pending(self) -> int:
        """Return the bytes of a begun message; half a keepalive is none."""
        return self._framer.pending if self._framer.pending > len(PING) else 0

    def received(self, data: bytes) -> list[bytes]:
        """Cut messages out of the stream; one that cannot be framed has no next message."""
        try:
            messages = self._framer.feed(data)
        except BadMessage:
            self.fault = "bad_framing"
            self._replies += _refusal(self._framer.rejected)
            return []
        self._replies += PONG * messages.count(PING)
        return [message for message in messages if message != PING]

    def replies(self) -> bytes:
        """Take the pongs, and the refusal of what could not be framed."""
        replies, self._replies = self._replies, b""
        return replies

    def written(self, message: bytes) -> bytes:
        """Return the message as it is."""
        return message

    def ping(self) -> bytes:
        """Return nothing."""
        return b""


def _refusal(rest: bytes) -> bytes:
    """Return a 400 if what lost the framing is a request at all (RFC 3261 section 18.3)."""
    try:
        message = parse_message_untrusted(rest)
    except BadMessage:
        return b""  # then there is nobody to answer
    if isinstance(message, Request) and message.method != "ACK":
        return respond(message, 400, "Bad framing").to_bytes()
    return b""


class WebSocketWire:
    """The server's side of one WebSocket.

    `origins` are pages that may connect besides those of the host they connect to, e.g. `https://example.org`;
    "*" = every page.  A client that is no browser names no origin.
    """

    pings: Final = True

    def __init__(self, origins: frozenset[str] = frozenset()) -> None:
        self._protocol = ServerProtocol(subprotocols=[_SUBPROTOCOL], max_size=MAX_MESSAGE_BYTES)
        self._origins = origins
        self._message = bytearray()
        self._handshake_bytes = 0
        self._open = False
        self.fault: str | None = None

    @property
    def pending(self) -> int:
        """Return the bytes of a message whose end is missing, or of a handshake that is not done."""
        return len(self._message) + (0 if self._open else max(1, self._handshake_bytes))

    def received(self, data: bytes) -> list[bytes]:
        """Take bytes of the handshake or of frames."""
        self._handshake_bytes += 0 if self._open else len(data)
        self._protocol.receive_data(data)
        messages: list[bytes] = []
        for event in self._protocol.events_received():
            if isinstance(event, Handshake):
                self._shake_hands(event)
            elif isinstance(event, Frame):
                messages += self._frame(event)
        if self._protocol.handshake_exc is not None or isinstance(self._protocol.parser_exc, ProtocolError):
            self.fault = self.fault or "bad_handshake"
        elif self._protocol.close_expected():
            self.fault = self.fault or "bye"
        self._pong(messages.count(PING))
        return [message for message in messages if len(message) > _KEEPALIVE_BYTES]

    def replies(self) -> bytes:
        """Take handshake, pongs and close frames."""
        return b"".join(self._protocol.data_to_send())

    def written(self, message: bytes) -> bytes:
        """Return the message as one text frame; nothing to a peer whose handshake is not done."""
        if not self._open or self.fault is not None:
            return b""
        self._protocol.send_text(message)
        return self.replies()

    def ping(self) -> bytes:
        """Return a ping frame: it keeps NATs and proxies from forgetting, and a browser has to answer."""
        if not self._open or self.fault is not None:
            return b""
        self._protocol.send_ping(b"")
        return self.replies()

    def _pong(self, n_pings: int) -> None:
        """Answer pings, unless the connection is ending."""
        for _ in range(n_pings if self.fault is None else 0):
            self._protocol.send_text(PONG)

    def _shake_hands(self, request: Handshake) -> None:
        response = self._judge(request)
        self._open = response.status_code == http.HTTPStatus.SWITCHING_PROTOCOLS
        if not self._open:
            self.fault = "bad_handshake"
        self._protocol.send_response(response)

    def _judge(self, request: Handshake) -> HandshakeResponse:
        if not self._welcome(request.headers):
            return self._protocol.reject(http.HTTPStatus.FORBIDDEN, "pages of this origin may not connect\n")
        response = self._protocol.accept(request)
        if response.status_code == http.HTTPStatus.SWITCHING_PROTOCOLS and self._protocol.subprotocol is None:
            return self._protocol.reject(http.HTTPStatus.BAD_REQUEST, "the subprotocol sip is spoken here\n")
        return response

    def _welcome(self, headers: Headers) -> bool:
        """May this page connect?  A page of another host uses what its visitor's browser can reach."""
        origin = headers.get("Origin")
        if origin is None or "*" in self._origins or origin in self._origins:
            return True
        return urlsplit(origin).hostname == urlsplit(f"//{headers.get('Host', '')}").hostname is not None

    def _frame(self, frame: Frame) -> list[bytes]:
        """Put fragments together; return the message when it is whole."""
        if frame.opcode not in {Opcode.TEXT, Opcode.BINARY, Opcode.CONT}:
            return []
        self._message += frame.data
        if not frame.fin:
            return []
        message = bytes(self._message)
        self._message.clear()
        return [message]
