"""A command as the kernel's fields: what the C side must know of a `RowState`."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gateway import _native
from gateway.media.commands import CodecOptions, RowState
from gateway.media.payloads import codec_id, frame_units, receive_map
from gateway.media.table import pack_address

__all__ = ["coding_costs", "write_state"]

_UNIT_MS: Final = 10
_MOST_PLAYOUT_UNITS: Final = 50
_EAR_COST: Final = {"g729": 6, "ilbc": 8}
"""Microseconds, roughly, of a unit: what the size of a stage goes by.  iLBC's frames may all fall into one tick."""
_MOUTH_COST: Final = {"g729": 12, "ilbc": 12}
"""... where iLBC's frames are spread over the ticks."""


def write_state(fields: NDArray[Any], row: int, state: RowState) -> None:
    """Write a command into a row of the table.

    Raises:
        LocalError: a codec that the plane does not have.
        ValueError: an address that is none.
    """
    remote = pack_address(state.remote)
    if not np.array_equal(fields["remote"][row], remote):  # an adopted row keeps its latch
        fields["remote"][row] = remote
        fields["latched"][row] = 0
        fields["signalled_heard"][row] = fields["candidate_count"][row] = 0
    fields["remote_rtcp"][row] = pack_address(state.remote_rtcp)
    fields["generation"][row] = state.generation + 1
    fields["event_send"][row] = state.event_send_pt is not None
    fields["event_send_pt"][row] = state.event_send_pt or 0
    fields["sending"][row] = state.sending
    fields["receiving"][row] = state.receiving
    _write_codecs(fields, row, state)


def coding_costs(state: RowState) -> tuple[int, int]:
    """Return the microseconds a tick that it costs to decode what a leg may say, and to encode what it hears."""
    ear = max((_EAR_COST.get(name, 0) for name in state.receive.values()), default=0)
    return ear, _MOUTH_COST.get(state.send_codec, 0)


def _write_codecs(fields: NDArray[Any], row: int, state: RowState) -> None:
    options = state.options
    fields["send_codec"][row] = codec_id(state.send_codec, options.mode_ms)
    fields["send_pt"][row] = state.send_pt
    fields["send_units"][row] = _packet_units(state)
    fields["send_dtx"][row] = options.annexb
    fields["noise_send"][row] = options.noise_pt is not None
    fields["noise_send_pt"][row] = options.noise_pt or 0
    fields["clear"][row] = not options.conceal
    fields["play_fixed"][row] = _playout_units(options)
    fields["receive_map"][row] = receive_map(state.receive, state.event_receive_pt, mode_ms=options.mode_ms)


def _playout_units(options: CodecOptions) -> int:
    """Return the fixed playout delay in units; 0 = adaptive."""
    if options.playout_ms is None:
        return 0
    return min(max(options.playout_ms // _UNIT_MS, 1), _MOST_PLAYOUT_UNITS)


def _packet_units(state: RowState) -> int:
    """Return how many units of 10 ms we put into a packet: whole frames, at least one, at most 60 ms."""
    frame = frame_units(state.send_codec, state.options.mode_ms)
    return max(min(state.ptime_ms // _UNIT_MS, _native.PACKET_UNITS_MAX) // frame, 1) * frame
