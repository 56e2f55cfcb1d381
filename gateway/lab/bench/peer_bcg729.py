"""libbcg729: G.729 with Annexes A and B by Belledonne Communications, called from its shared library."""

from __future__ import annotations

import ctypes
import ctypes.util
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from gateway.lab.bench.codec_work import LOST_EVERY, Spoken, Work
from gateway.lab.bench.foreign_call import ns_of_call

__all__ = ["Bcg729"]


class Bcg729:
    """A peer that encodes and decodes G.729."""

    name: Final = "bcg729"

    def __init__(self) -> None:
        found = ctypes.util.find_library("bcg729")
        self._library = ctypes.CDLL(found) if found else None

    def works(self, said: Spoken) -> dict[str, Work]:
        """Return encode, decode and conceal if the library is there and it is about G.729."""
        if said.codec.name != "g729" or self._library is None:
            return {}
        return {
            "encode": self._encoder(said.pcm, vad=bool(said.options.get("annexb"))),
            "decode": self._decoder(said.payloads, lost_every=0),
            "conceal": self._decoder(said.payloads, lost_every=LOST_EVERY),
        }

    def ns_of_calls(self, work: str, n: int) -> float:
        """Time a call with as many arguments."""
        return n * ns_of_call(*(_ENCODE_SHAPE if work == "encode" else _DECODE_SHAPE))

    def _encoder(self, frames: npt.NDArray[np.int16], *, vad: bool) -> Work:
        make, run = self._functions("initBcg729EncoderChannel", "bcg729Encoder")
        channel = ctypes.c_void_p(make(ctypes.c_uint8(vad)))
        pcm = [frame.ctypes.data_as(ctypes.c_void_p) for frame in frames]
        payload, length = (ctypes.c_uint8 * 10)(), ctypes.c_uint8()
        where = ctypes.byref(length)

        def encode() -> None:
            for frame in pcm:
                run(channel, frame, payload, where)

        return encode

    def _decoder(self, payloads: Sequence[bytes], *, lost_every: int) -> Work:
        make, run = self._functions("initBcg729DecoderChannel", "bcg729Decoder")
        channel, pcm, no = ctypes.c_void_p(make()), (ctypes.c_int16 * 80)(), ctypes.c_uint8(0)
        calls = [
            (
                (ctypes.c_uint8 * 10)(*payload),
                ctypes.c_uint8(len(payload)),
                ctypes.c_uint8(not payload or (lost_every > 0 and frame % lost_every == 0)),
                ctypes.c_uint8(len(payload) == 2),
            )
            for frame, payload in enumerate(payloads)
        ]

        def decode() -> None:
            for payload, length, erased, sid in calls:
                run(channel, payload, length, erased, sid, no, pcm)

        return decode

    def _functions(self, make: str, run: str) -> tuple[Any, Any]:
        maker, runner = getattr(self._library, make), getattr(self._library, run)
        maker.restype, runner.restype = ctypes.c_void_p, None
        return maker, runner


_ROOM: Final = (ctypes.c_uint8 * 10)()
_ENCODE_SHAPE: Final = (ctypes.c_void_p(1), ctypes.c_void_p(1), _ROOM, ctypes.byref(_ROOM))
_DECODE_SHAPE: Final = (ctypes.c_void_p(1), _ROOM, *[ctypes.c_uint8(1)] * 4, _ROOM)
