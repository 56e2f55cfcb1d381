"""Codecs as the kernels number them: `enum codec` of native/plane/codec.h by the names of `voicecodecs`.

A codec whose frames have two lengths (iLBC) is two codecs there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gateway import _native
from gateway.errors import LocalError

__all__ = ["codec_id", "frame_units", "receive_map"]

_IDS: Final[Mapping[str, Mapping[int, int]]] = {
    "pcmu": {1: _native.CODEC_PCMU},
    "pcma": {1: _native.CODEC_PCMA},
    "g729": {1: _native.CODEC_G729},
    "ilbc": {2: _native.CODEC_ILBC_20, 3: _native.CODEC_ILBC_30},
    "cn": {1: _native.CODEC_COMFORT_NOISE},
    "telephone-event": {1: _native.CODEC_EVENT},
}
"""Name to the units of 10 ms in a frame to number."""
_UNIT_MS: Final = 10
_COMFORT_NOISE_PT: Final = 13


def frame_units(name: str, mode_ms: int) -> int:
    """Return the units of 10 ms in a frame of a codec; `mode_ms` counts where it has modes.

    Raises:
        LocalError: the plane has no such codec, or not with frames of that length.
    """
    modes = _IDS.get(name)
    if modes is None:
        raise LocalError(f"no codec {name!r}")
    units = next(iter(modes)) if len(modes) == 1 else mode_ms // _UNIT_MS
    if units not in modes:
        raise LocalError(f"{name} has no frames of {mode_ms} ms")
    return units


def codec_id(name: str, mode_ms: int) -> int:
    """Return the kernels' number of a codec.

    Raises:
        LocalError: as `frame_units`.
    """
    return _IDS[name][frame_units(name, mode_ms)] if name in _IDS else frame_units(name, mode_ms)


def receive_map(receive: Mapping[int, str], event_pt: int | None, *, mode_ms: int) -> NDArray[np.uint8]:
    """Return what each of the 128 payload types means on a row; unknown codecs stay 0 and are dropped.

    Comfort noise is understood under its static number even if nobody agreed on it: some send it all the same.
    """
    table = np.zeros(128, np.uint8)
    table[_COMFORT_NOISE_PT] = _native.CODEC_COMFORT_NOISE
    for payload_type, name in receive.items():
        table[payload_type & 127] = codec_id(name, mode_ms) if name in _IDS else 0
    if event_pt is not None:
        table[event_pt & 127] = _native.CODEC_EVENT
    return table
