"""Packet loss concealment by G.711 Appendix I on the C kernel, alone and behind a decoder.

It works on samples, so one engine serves both laws, and a row may change from one to the other in the middle
of a loss.  The states are the kernel's structs, one row of bytes each: without pointers, so that a snapshot is
a copy.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from voicecodecs import _native
from voicecodecs.arrays import BoolArray, Int16Array, Int32Array, RowArray, Uint8Array
from voicecodecs.ports import ConcealerEngine, DecoderEngine

__all__ = ["ConcealingDecoders", "NativeConcealers"]

_LOST: Final = -1


class NativeConcealers:
    """A `ConcealerEngine` on the C kernel."""

    __slots__ = ("_states",)

    def __init__(self, n_rows: int) -> None:
        self._states = np.zeros((n_rows, _native.PLC_STATE_BYTES), np.uint8)

    @property
    def state_bytes(self) -> int:
        """Return the size of the kernel's struct."""
        return _native.PLC_STATE_BYTES

    def process(self, rows: RowArray, pcm: Int16Array, lost: BoolArray) -> None:
        """Replace pcm int16 [n, 80] by what is to be played."""
        _native.plc_process(self._states, rows, pcm, lost)

    def reset(self, rows: RowArray) -> None:
        """Forget what was heard: a new state is all zero."""
        self._states[rows] = 0

    def snapshot(self, rows: RowArray) -> Uint8Array:
        """Return copies of the structs."""
        return self._states[rows]

    def restore(self, rows: RowArray, states: Uint8Array) -> int:
        """Take over structs that the kernel finds valid."""
        bad = _native.plc_first_invalid(states)
        if bad < 0:
            self._states[rows] = states
        return bad


@dataclass(frozen=True, slots=True)
class ConcealingDecoders:
    """A `DecoderEngine` that conceals what a decoder without state says nothing about.

    A lost frame is concealed; an untransmitted one is silence that was meant, and goes through as such.
    """

    decoders: DecoderEngine
    concealers: ConcealerEngine

    @property
    def state_bytes(self) -> int:
        """Return the size of the concealer's state: a G.711 decoder has none."""
        return self.concealers.state_bytes

    def decode(self, rows: RowArray, payloads: Uint8Array, lengths: Int32Array, pcm: Int16Array) -> int:
        """Decode, then conceal; return the first bad frame, or -1."""
        bad = self.decoders.decode(rows, payloads, lengths, pcm)
        if bad < 0:
            self.concealers.process(rows, pcm, lengths == _LOST)
        return bad

    def reset(self, rows: RowArray) -> None:
        """Put these rows into the state of a new call."""
        self.concealers.reset(rows)

    def snapshot(self, rows: RowArray) -> Uint8Array:
        """Return copies of the concealer's states."""
        return self.concealers.snapshot(rows)

    def restore(self, rows: RowArray, states: Uint8Array) -> int:
        """Take over states of the concealer."""
        return self.concealers.restore(rows, states)
