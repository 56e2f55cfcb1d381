"""Session descriptions (RFC 8866) and their negotiation (RFC 3264): text and decisions, no I/O."""

from gateway.sdp.agreement import Direction, LocalMedia, NegotiatedMedia, NoCommonCodec
from gateway.sdp.codecs import CodecOffer, annexb, codec_offer, ilbc_mode_ms
from gateway.sdp.description import MediaDescription, SessionDescription, parse_sdp_untrusted
from gateway.sdp.negotiation import answer, read_answer, revise, write_offer

__all__ = [
    "CodecOffer",
    "Direction",
    "LocalMedia",
    "MediaDescription",
    "NegotiatedMedia",
    "NoCommonCodec",
    "SessionDescription",
    "annexb",
    "answer",
    "codec_offer",
    "ilbc_mode_ms",
    "parse_sdp_untrusted",
    "read_answer",
    "revise",
    "write_offer",
]
