"""Codecs of others, measured by the same yardstick where they are installed: bcg729, from its shared library.

It is called through ctypes, one frame a call.  What such a call costs beside the codec's work is measured with a
function that does nothing, and taken off: the figure is the peer's own, as a program in C would have it.
bcg729 is not bit-exact with the standard; it is what free software uses.
"""

from __future__ import annotations

import ctypes
import ctypes.util
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt

__all__ = ["PEERS", "Bcg729", "Peer"]


class Peer(Protocol):
    """Somebody else's codec."""

    name: str

    def works(
        self, codec: str, options: Mapping[str, bool | int], frames: npt.NDArray[np.int16]
    ) -> dict[str, Callable[[], object]]:
        """Return what it can do with these frames, int16 [n, samples], each time all of them; or nothing."""

    def ns_of_calls(self, work: str, n: int) -> float:
        """Return the nanoseconds that are not its own in `n` calls."""


class Bcg729:
    """libbcg729, G.729 with Annexes A and B by Belledonne Communications."""

    name = "bcg729"

    def __init__(self) -> None:
        found = ctypes.util.find_library("bcg729")
        self._library = ctypes.CDLL(found) if found else None

    def works(
        self, codec: str, options: Mapping[str, bool | int], frames: npt.NDArray[np.int16]
    ) -> dict[str, Callable[[], object]]:
        """Return encode, decode and conceal if the library is there and it is about G.729."""
        if codec != "g729" or self._library is None:
            return {}
        encode, payloads = self._encoder(frames, vad=bool(options.get("annexb")))
        return {
            "encode": encode,
            "decode": self._decoder(payloads, lost=-1),
            "conceal": self._decoder(payloads, lost=len(payloads) - 1),
        }

    def ns_of_calls(self, work: str, n: int) -> float:
        """Time a function of the C library that does next to nothing, with as many arguments."""
        nothing = ctypes.CDLL(None).labs
        arguments = _ENCODE_SHAPE if work == "encode" else _DECODE_SHAPE
        rounds = []
        for _ in range(7):
            started = time.process_time_ns()
            for _ in range(1000):
                nothing(*arguments)
            rounds.append(time.process_time_ns() - started)
        return statistics.median(rounds) / 1000 * n

    def _encoder(
        self, frames: npt.NDArray[np.int16], *, vad: bool
    ) -> tuple[Callable[[], None], Sequence[bytes]]:
        make, run = self._functions("initBcg729EncoderChannel", "bcg729Encoder")
        channel = ctypes.c_void_p(make(ctypes.c_uint8(vad)))
        pcm = [frame.ctypes.data_as(ctypes.c_void_p) for frame in frames]
        payload, length = (ctypes.c_uint8 * 10)(), ctypes.c_uint8()
        where = ctypes.byref(length)

        def encode() -> None:
            for frame in pcm:
                run(channel, frame, payload, where)

        payloads = []
        for frame in pcm:
            run(channel, frame, payload, where)
            payloads.append(bytes(payload[: length.value]))
        return encode, payloads

    def _decoder(self, payloads: Sequence[bytes], *, lost: int) -> Callable[[], None]:
        make, run = self._functions("initBcg729DecoderChannel", "bcg729Decoder")
        channel, pcm, no = ctypes.c_void_p(make()), (ctypes.c_int16 * 80)(), ctypes.c_uint8(0)
        calls = [
            (
                (ctypes.c_uint8 * 10)(*payload),
                ctypes.c_uint8(len(payload)),
                ctypes.c_uint8(frame == lost or not payload),
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

PEERS: Final[Sequence[Peer]] = (Bcg729(),)
"""Everybody who is asked; who is not installed has no works."""
