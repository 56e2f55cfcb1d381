"""A conference that needs no files: three voices made of the shipped sample, a noisy line and music on hold."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gateway.lab.mix.scenario import Scenario, scenario_of
from gateway.lab.samples import resample, speech

__all__ = ["demo"]

_KEYS: Final[dict[str, Any]] = {
    "seed": 1,
    "duration_s": 20,
    "room": {"gate_from": 4},
    "party": [
        {
            "name": "anna",
            "codec": "pcmu",
            "changes": [{"at_s": 9, "muted": True}, {"at_s": 12, "muted": False, "gain_in_db": 3}],
        },
        {"name": "ben", "codec": "g729", "loss": 0.03, "jitter_ms": 25, "talk_s": 5.5},
        {
            "name": "carla",
            "codec": "ilbc",
            "ptime_ms": 30,
            "drift_ppm": 100,
            "join_s": 2,
            "talk_s": 9,
            "changes": [{"at_s": 5, "hold": "music"}, {"at_s": 8, "hold": ""}],
        },
        {"name": "noisy", "codec": "pcma", "join_s": 1, "leave_s": 18},
    ],
}


def demo() -> tuple[Scenario, dict[str, NDArray[np.int16]]]:
    """Return the scenario and what its parties say."""
    sample = speech()
    hiss = np.random.default_rng(1).normal(0, 100, 18 * 8000)
    pause = np.zeros(4000, np.int16)
    voices = {
        "anna": np.concatenate([sample, pause, sample, pause, sample, pause]),
        "ben": np.concatenate([_pitched(sample, 7000), pause, _pitched(sample, 7000)]),
        "carla": _pitched(sample, 9400),
        "noisy": np.rint(hiss).astype(np.int16),
    }
    return scenario_of(_KEYS), voices


def _pitched(pcm: NDArray[np.int16], rate_hz: int) -> NDArray[np.int16]:
    """Return the same words by another voice: as if recorded at `rate_hz`."""
    return resample(pcm, rate_hz, 8000)
