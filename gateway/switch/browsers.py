"""Who is called as browsers are, with ICE and DTLS-SRTP: a browser takes nothing else (RFC 8827 section 6.5).

    wish      a contact over WS or WSS      any other contact
    --------  ----------------------------  -----------------
    `auto`    WebRTC at first               plain RTP or SDES
    `webrtc`  WebRTC                        WebRTC
    `rtp`     plain RTP or SDES             plain RTP or SDES

Not every page has the browser's media under its SIP, and not every phone on a WebSocket is a page.  With `auto` a
connection is taken at its word: what came over it with a call of its own is what it is called with.  What it refuses
with 488 it is asked once more the other way, and the next call begins so.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from gateway.sip.flow import Flow

__all__ = ["Browsers", "MediaWish"]

_WEBSOCKETS: Final = frozenset({"ws", "wss"})
_HANDSHAKE: Final = b" UDP/TLS/RTP/SAVP"
_FLOWS: Final = 10_000
"""So many connections with plain RTP are remembered."""


class MediaWish(StrEnum):
    """How a user's phones are called."""

    AUTO = "auto"
    WEBRTC = "webrtc"
    RTP = "rtp"


class Browsers:
    """What connections have shown of their media."""

    def __init__(self) -> None:
        self._plain: dict[Flow, None] = {}

    def called(self, flow: Flow, wish: MediaWish) -> bool:
        """Tell whether a contact is offered WebRTC."""
        if wish is MediaWish.AUTO:
            return flow.transport in _WEBSOCKETS and flow not in self._plain
        return wish is MediaWish.WEBRTC

    def may_be_either(self, flow: Flow, wish: MediaWish) -> bool:
        """Tell whether a contact that refuses one is asked for the other."""
        return wish is MediaWish.AUTO and flow.transport in _WEBSOCKETS

    def offered(self, flow: Flow, sdp: bytes | None) -> None:
        """Remember what came with a call over a connection."""
        if sdp is not None:
            self.are(flow, webrtc=_HANDSHAKE in sdp)

    def are(self, flow: Flow, *, webrtc: bool) -> None:
        """Remember that a connection leads to a browser's media, or to other."""
        self._plain.pop(flow, None)
        if not webrtc and flow.transport in _WEBSOCKETS:
            self._plain[flow] = None
            if len(self._plain) > _FLOWS:
                del self._plain[next(iter(self._plain))]
