"""FFmpeg's decoders of G.729 and iLBC, called from libavcodec.

A packet goes in and a frame comes out, as in any program that uses the library.  Its iLBC decoder has no enhancer
and its G.729 decoder none of Annex B: they do less than ours.
"""

from __future__ import annotations

import ctypes
import ctypes.util
from collections.abc import Sequence
from typing import Any, Final

from gateway.lab.bench.codec_work import Spoken, Work
from gateway.lab.bench.foreign_call import ns_of_call

__all__ = ["Ffmpeg"]


class _Packet(ctypes.Structure):
    """The beginning of an AVPacket, which is the same in every version."""

    _fields_ = (
        ("buf", ctypes.c_void_p),
        ("pts", ctypes.c_int64),
        ("dts", ctypes.c_int64),
        ("data", ctypes.c_void_p),
        ("size", ctypes.c_int),
    )


class Ffmpeg:
    """A peer that decodes G.729 without Annex B, and iLBC."""

    name: Final = "ffmpeg"

    def __init__(self) -> None:
        found = ctypes.util.find_library("avcodec")
        self._library = ctypes.CDLL(found) if found else None

    def works(self, said: Spoken) -> dict[str, Work]:
        """Return decode if the library is there and has this codec."""
        if self._library is None or said.codec.name not in ("g729", "ilbc") or said.options.get("annexb"):
            return {}
        context = self._opened(
            said.codec.name.encode(), bit_rate=8000 * said.codec.frame_bytes // said.codec.frame_ms
        )
        return {"decode": self._decoder(context, said.payloads)} if context else {}

    def ns_of_calls(self, work: str, n: int) -> float:
        """Time two calls with as many arguments."""
        return 2 * n * ns_of_call(ctypes.c_void_p(1), ctypes.c_void_p(1))

    def _opened(self, name: bytes, *, bit_rate: int) -> ctypes.c_void_p | None:
        """Open a decoder; iLBC's takes its mode from the bit rate.  None = this build has none."""
        codec = self._pointer("avcodec_find_decoder_by_name", name)
        if not codec:
            return None
        context = self._pointer("avcodec_alloc_context3", codec)
        numbers = {b"ar": 8000, b"b": bit_rate, b"ac": 1}  # since FFmpeg 5.1 "ac" is the layout below
        for option, value in numbers.items():
            self._function("av_opt_set_int")(context, option, ctypes.c_int64(value), 0)
        self._function("av_opt_set")(context, b"ch_layout", b"mono", 0)
        return context if self._function("avcodec_open2")(context, codec, None) == 0 else None

    def _decoder(self, context: ctypes.c_void_p, payloads: Sequence[bytes]) -> Work:
        frame = self._pointer("av_frame_alloc")
        packets = [self._packet(payload) for payload in payloads]
        send, receive = self._function("avcodec_send_packet"), self._function("avcodec_receive_frame")

        def decode() -> None:
            for packet in packets:
                send(context, packet)
                receive(context, frame)

        return decode

    def _packet(self, payload: bytes) -> ctypes.c_void_p:
        """Make a packet with a buffer of the library's own: it is not copied when it is sent."""
        packet = self._pointer("av_packet_alloc")
        self._function("av_new_packet")(packet, len(payload))
        ctypes.memmove(ctypes.cast(packet, ctypes.POINTER(_Packet)).contents.data or 0, payload, len(payload))
        return packet

    def _pointer(self, name: str, *arguments: object) -> ctypes.c_void_p:
        function = self._function(name)
        function.restype = ctypes.c_void_p
        return ctypes.c_void_p(function(*arguments))

    def _function(self, name: str) -> Any:
        return getattr(self._library, name)
