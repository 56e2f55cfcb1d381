"""Codecs as the kernels number them, and the banks that decode and encode a tick's frames.

`enum codec` of native/plane/plane.h and this table are the same list; a test holds them together.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

import voicecodecs
from gateway import _native

__all__ = ["CODEC_IDS", "CODEC_NAMES", "Banks", "receive_map"]

CODEC_IDS: Final[Mapping[str, int]] = {
    "pcmu": 1,
    "pcma": 2,
    "cn": _native.CODEC_COMFORT_NOISE,
    "telephone-event": _native.CODEC_EVENT,
}
CODEC_NAMES: Final[Mapping[int, str]] = {number: name for name, number in CODEC_IDS.items()}
_AUDIO: Final = ("pcmu", "pcma")


def receive_map(receive: Mapping[int, str], event_pt: int | None) -> NDArray[np.uint8]:
    """Return what each of the 128 payload types means on a row; unknown codecs stay 0 and are dropped."""
    table = np.zeros(128, np.uint8)
    for payload_type, name in receive.items():
        table[payload_type & 127] = CODEC_IDS.get(name, 0)
    if event_pt is not None:
        table[event_pt & 127] = _native.CODEC_EVENT
    return table


class Banks:
    """One decoder and one encoder bank per codec, a state per row of the plane."""

    def __init__(self, capacity: int) -> None:
        self._decoders = {CODEC_IDS[name]: voicecodecs.Decoder(name, rows=capacity) for name in _AUDIO}
        self._encoders = {CODEC_IDS[name]: voicecodecs.Encoder(name, rows=capacity) for name in _AUDIO}

    def decode(
        self,
        rows: NDArray[np.int32],
        payloads: NDArray[np.uint8],
        lengths: NDArray[np.int32],
        codecs: NDArray[np.uint8],
    ) -> NDArray[np.int16]:
        """Decode one unit for each of `rows`; a row with nothing there (length -1) gives silence.

        payloads: uint8 [n, SLOT_BYTES]; lengths: int32 [n]; codecs: uint8 [n]; returns int16 [n, UNIT_SAMPLES].
        """
        pcm = np.zeros((rows.size, _native.UNIT_SAMPLES), np.int16)
        for number, decoder in self._decoders.items():
            ours = np.flatnonzero(codecs == number)
            if ours.size:
                pcm[ours] = decoder.decode(rows[ours], payloads[ours], lengths[ours])
        return pcm

    def encode(
        self, rows: NDArray[np.int32], pcm: NDArray[np.int16], codecs: NDArray[np.uint8], out: NDArray[Any]
    ) -> NDArray[np.int32]:
        """Encode one unit for each of `rows` by its codec into `out` uint8 [n, SLOT_BYTES]; returns the lengths."""
        lengths = np.zeros(rows.size, np.int32)
        for number, encoder in self._encoders.items():
            ours = np.flatnonzero(codecs == number)
            if ours.size:
                payloads, n_bytes = encoder.encode(rows[ours], pcm[ours])
                out[ours, : payloads.shape[1]] = payloads
                lengths[ours] = n_bytes
        return lengths

    def snapshot(self, row: int) -> tuple[bytes, ...]:
        """Return the states of a row's decoders, then of its encoders."""
        return tuple(bank.snapshot([row]).tobytes() for bank in self._banks())

    def restore(self, row: int, states: tuple[bytes, ...]) -> None:
        """Put the states that `snapshot` returned into a row.

        Raises:
            CodecError: they are no states of these codecs.
        """
        for bank, state in zip(self._banks(), states, strict=True):
            bank.restore([row], np.frombuffer(state, np.uint8)[None])

    def _banks(self) -> tuple[voicecodecs.Decoder | voicecodecs.Encoder, ...]:
        return (*self._decoders.values(), *self._encoders.values())
