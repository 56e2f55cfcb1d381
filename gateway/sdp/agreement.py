"""The words of offer and answer: what one side has, which way media flows, what both agreed on."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final

from gateway.errors import PeerError
from gateway.sdp.codecs import CodecOffer
from gateway.sdp.crypto import AgreedCrypto, LocalCrypto
from gateway.sdp.webrtc import AgreedWebRtc

__all__ = ["Direction", "LocalMedia", "NegotiatedMedia", "NoCommonCodec", "is_null_address"]

_REMEMBERED: Final = 256
"""Media comes from the same few addresses again and again, and reading one takes as long as reading its line."""


class Direction(StrEnum):
    """Which way media flows, seen from the side that says it (RFC 8866 section 6.7)."""

    SENDRECV = "sendrecv"
    SENDONLY = "sendonly"
    RECVONLY = "recvonly"
    INACTIVE = "inactive"

    @property
    def sends(self) -> bool:
        """Whether the side that says it sends media."""
        return self in {Direction.SENDRECV, Direction.SENDONLY}

    @property
    def receives(self) -> bool:
        """Whether the side that says it wants media."""
        return self in {Direction.SENDRECV, Direction.RECVONLY}

    @classmethod
    def of(cls, *, sends: bool, receives: bool) -> Direction:
        """Return the direction with these two facts."""
        if sends:
            return cls.SENDRECV if receives else cls.SENDONLY
        return cls.RECVONLY if receives else cls.INACTIVE


class NoCommonCodec(PeerError):
    """No audio line of the peer's description can be used; the text says why for each.

    `warning` is the code for a `Warning` header (RFC 3261 section 20.43): 302 transport, 304 media type,
    305 format.
    """

    def __init__(self, message: str, *, warning: int = 305) -> None:
        super().__init__(message, status=488)
        self.warning = warning


@dataclass(frozen=True, slots=True)
class LocalMedia:
    """What our side of a leg has and wants."""

    address: str
    """Where we receive, as the peer shall see it: an IPv4 or IPv6 literal."""
    rtp_port: int
    """RTP here, RTCP on the next port."""
    codecs: tuple[CodecOffer, ...]
    """In order of preference, `telephone-event` and `cn` among them if wanted."""
    ptime_ms: int = 20
    direction: Direction = Direction.SENDRECV
    session_id: int = 0
    """The same for a leg's whole life."""
    version: int = 0
    """One more for each description whose text differs; `revise` counts."""
    single_codec: bool = False
    """Answer with one audio codec only, for phones that cannot switch in mid-call."""
    rtcp_mux: bool = True
    """Take RTCP on the RTP port when the peer offers it (RFC 5761)."""
    crypto: LocalCrypto | None = None
    """SRTP; None = plain RTP only."""
    webrtc: bool = False
    """Offer as to a browser: ICE and DTLS-SRTP.  Such an offer is answered so whatever this says."""


@dataclass(frozen=True, slots=True)
class NegotiatedMedia:
    """What holds after offer and answer, as the media plane needs it."""

    remote_address: str
    """As the peer wrote it: an IP literal, `0.0.0.0` or `::` on an old-style hold, rarely a host name."""
    remote_rtp_port: int
    remote_rtcp_port: int
    """0 when the peer wants no RTCP (`b=RR:0` and `b=RS:0`, RFC 3556)."""
    send: CodecOffer
    """What we send; `payload_type` is what *they* want to receive, `fmtp` is what both ends agreed on."""
    receive: Mapping[int, CodecOffer]
    """By payload type, the audio and comfort noise that may arrive; telephone-event is `event_receive_pt`."""
    event_send_pt: int | None
    event_receive_pt: int | None
    ptime_ms: int
    """How much we put into a packet: their wish within whole frames, `maxptime` and 60 ms."""
    direction: Direction
    """Ours."""
    rtcp_mux: bool
    reason: str
    """Why this codec, in words."""
    remote_rtcp_address: str = ""
    event_rate_hz: int = 8000
    """The clock of telephone-event durations."""
    noise_send_pt: int | None = None
    """Payload type of comfort noise that we may send (RFC 3389); None: none was agreed."""
    media_index: int = 0
    """Which media line of the description it is."""
    crypto: AgreedCrypto | None = None
    """The keys of SRTP; None = plain RTP, or keys that a handshake makes."""
    webrtc: AgreedWebRtc | None = None
    """How a browser is found and its keys are made; None = it is no browser."""

    @property
    def remote(self) -> tuple[str, int] | None:
        """Where RTP goes; None if the peer named no address that one can send to (null, or a host name)."""
        return _reachable(self.remote_address, self.remote_rtp_port)

    @property
    def remote_rtcp(self) -> tuple[str, int] | None:
        """Where RTCP goes; None if nowhere."""
        return _reachable(self.remote_rtcp_address or self.remote_address, self.remote_rtcp_port)


@lru_cache(_REMEMBERED)
def is_null_address(address: str) -> bool:
    """Recognise `0.0.0.0` and `::` in any spelling: "do not send" in RFC 2543."""
    try:
        return ipaddress.ip_address(address).is_unspecified
    except ValueError:
        return False


def _reachable(address: str, port: int) -> tuple[str, int] | None:
    host = _host(address)
    return (host, port) if port and host is not None else None


@lru_cache(_REMEMBERED)
def _host(address: str) -> str | None:
    """Return an address as it is usually written; None if one cannot send there."""
    try:
        literal = ipaddress.ip_address(address)
    except ValueError:
        return None
    return None if literal.is_unspecified else str(literal)
