"""Session descriptions for tests, written by hand as a peer would write them."""

from __future__ import annotations

from gateway.sdp import LocalMedia, SessionDescription, codec_offer, parse_sdp_untrusted

__all__ = ["audio", "our_side", "sdp"]


def sdp(*lines: str, address: str = "198.51.100.9") -> SessionDescription:
    """Read a peer's description at `address` that goes on with `lines`."""
    text = ["v=0", "o=- 5 1 IN IP4 198.51.100.9", f"c=IN IP4 {address}", *lines]
    return parse_sdp_untrusted("\n".join(text).encode())


def audio(formats: str, *attributes: str, port: int = 4000, protocol: str = "RTP/AVP") -> list[str]:
    """Return an audio line with its attributes, for `sdp`."""
    return [f"m=audio {port} {protocol} {formats}", *(f"a={each}" for each in attributes)]


def our_side(*codecs: str) -> LocalMedia:
    """Return our side at 192.0.2.1:20000 with these codecs, every one that there is if none is named."""
    names = codecs or ("pcmu", "pcma", "g729", "ilbc", "cn", "telephone-event")
    return LocalMedia("192.0.2.1", 20000, tuple(codec_offer(name) for name in names), session_id=7)
