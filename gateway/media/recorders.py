"""What of a tick is recorded: the audio of a row, both ways, into the rings of the recorder's process.

A recorded row has two tapes, rings of `gateway.media.ring`: one gets what its party says, the other what it hears,
which is the mix of its room or whatever is played to it.  Each gets one unit in each tick for as long as the row is
there, silence too, so both have the same media time and no gap.  A row without a socket whose source is `tap` says
nothing and hears everybody: that is how a conference is recorded.

What is said is taken as it was decoded, before anybody's gain, and muted or not: who must not be recorded has to be
left out by whoever asks for the recording.  A recorded call is not relayed: nobody would have heard it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from gateway.media.ring import Rings

__all__ = ["HEARD", "NO_TAPE", "SAID", "Tapes", "recorded", "tapes_of"]

NO_TAPE: Final = -1
HEARD: Final = 0
SAID: Final = 1
"""The two columns of a row's tapes."""


def _nothing() -> NDArray[Any]:
    return np.zeros(0, np.int64)


@dataclass(frozen=True, slots=True)
class Tapes:
    """Which positions of a plan go into which rings."""

    rings: NDArray[np.int64] = field(default_factory=_nothing)
    """Those of `heard_at`, then those of `said_at`; all different."""
    heard_at: NDArray[Any] = field(default_factory=_nothing)
    said_at: NDArray[Any] = field(default_factory=_nothing)

    def write(
        self,
        rings: Rings | None,
        said: NDArray[np.int16],
        hears: NDArray[np.int16],
        signal_of: NDArray[np.int32],
    ) -> None:
        """Write one tick: said, hears int16 [positions, UNIT]; a plane without rings records nothing."""
        if rings is None or self.rings.size == 0:
            return
        heard = hears[signal_of[self.heard_at]]
        rings.write_units(self.rings, np.concatenate([heard, said[self.said_at]]))


def recorded(tapes: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return which rows are recorded: int64 [rows, 2] -> bool [rows]."""
    present: NDArray[np.bool_] = (tapes != NO_TAPE).any(axis=1)
    return present


def tapes_of(tapes: NDArray[np.int64], rows: NDArray[np.bool_], position: NDArray[np.int32]) -> Tapes:
    """Return the tapes of some rows: int64 [rows, 2]; bool [rows]; their positions int32 [rows]."""
    heard = np.flatnonzero(rows & (tapes[:, HEARD] != NO_TAPE))
    said = np.flatnonzero(rows & (tapes[:, SAID] != NO_TAPE))
    rings = np.concatenate([tapes[heard, HEARD], tapes[said, SAID]])
    return Tapes(rings, position[heard], position[said])
