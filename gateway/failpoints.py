"""Named points at which a test may kill the process: what a crash leaves behind is tried, not argued.

`TANDEM_FAIL_AT=store.before_commit` kills with SIGKILL when that point is reached for the first time,
`TANDEM_FAIL_AT=store.before_commit:7` at the seventh.  Without the variable a point costs one comparison.

The points: `store.before_commit`, `store.committed` (durable, nobody told yet), `store.acknowledged` (whoever waited
has been told); `journal.before_sync`, `journal.synced` (durable in the journal, nobody told yet),
`journal.acknowledged` (told, and not in the database yet), `journal.cleared`; others are named where they stand.
"""

from __future__ import annotations

import os
import signal
from typing import Final

__all__ = ["FAIL_AT", "FailPoints", "passing"]

FAIL_AT: Final = "TANDEM_FAIL_AT"


class FailPoints:
    """The point that is armed, if one is.

    Args:
        told: `name` or `name:times`; empty = none.
    """

    def __init__(self, told: str) -> None:
        self._name, _, times = told.partition(":")
        self._left = int(times or 1)

    def passing(self, name: str) -> None:
        """Say that this point is reached; does not return if it is the one."""
        if name != self._name:
            return
        self._left -= 1
        if self._left <= 0:
            os.kill(os.getpid(), signal.SIGKILL)


passing: Final = FailPoints(os.environ.get(FAIL_AT, "")).passing
"""The points of this process."""
