"""A row's counters as the switch wants to hear them."""

from __future__ import annotations

from typing import Any, Final

import voicecodecs
from gateway import _native
from gateway.media.plan import RELAY
from gateway.media.statistics import LegStatistics

__all__ = ["VERDICT_NAMES", "statistics_of"]

VERDICT_NAMES: Final = (
    "forward",
    "hold",
    "event",
    "edge",
    "control",
    "drop_malformed",
    "drop_foreign_payload",
    "drop_stranger",
    "drop_learning",
    "drop_rate",
    "drop_duplicate",
    "drop_old",
    "drop_held",
    "drop_unauthentic",
)
"""`enum verdict` of native/plane/plane.h, in its order."""

_UNIT_MS: Final = 10
_G711: Final = (_native.CODEC_PCMU, _native.CODEC_PCMA)
_RATE_KHZ: Final = 8


def _playout_samples(row: Any) -> int:
    """Return the wait in the slots and, for G.711, in its concealment."""
    concealing = row["play_codec"] in _G711 and not row["clear"]
    return int(row["play_delay"]) + concealing * voicecodecs.Concealer.DELAY_SAMPLES


def statistics_of(row: Any, mode: int, reason: str) -> LegStatistics:
    """Return the counters of one row (a record of `table.ROW`), with its mode and the reason for that in words."""
    verdicts = dict(zip(VERDICT_NAMES, row["verdicts"].tolist(), strict=True))
    expected = int(row["rx_cycles"]) + int(row["rx_max_sequence"]) - int(row["rx_base_sequence"]) + 1
    lost = max(expected - int(row["rx_received"]), 0) if row["rx_valid"] else 0
    return LegStatistics(
        packets_received=verdicts["forward"] + verdicts["hold"] + verdicts["event"],
        bytes_received=int(row["rx_bytes"]),
        packets_lost=lost + int(row["lost_before"]),
        packets_late=int(row["late_packets"]),
        packets_duplicate=verdicts["drop_duplicate"],
        jitter_ms=int(row["rx_jitter16"]) / 16 / _RATE_KHZ,
        packets_sent=int(row["tx_packets"]),
        bytes_sent=int(row["tx_octets"]),
        mode="relay" if mode == RELAY else "tick",
        mode_reason=reason,
        inserted_ms=int(row["inserted_units"]) * _UNIT_MS,
        dropped_ms=int(row["dropped_units"]) * _UNIT_MS,
        concealed_ms=int(row["concealed_units"]) * _UNIT_MS,
        playout_delay_ms=0.0 if mode == RELAY else _playout_samples(row) / _RATE_KHZ,
        mos=int(row["mos_100"]) / 100,
        remote_mos=int(row["remote_mos_10"]) / 10,
        strangers=verdicts["drop_stranger"],
        unauthentic=verdicts["drop_unauthentic"],
        digits=int(row["digits"]),
        remote_lost=int(row["remote_lost"]),
        round_trip_ms=float(row["round_trip"]) * 1000,
    )
