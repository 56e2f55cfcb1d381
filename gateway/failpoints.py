"""Named points at which a test may kill the process: what a crash leaves behind is tried, not argued.

`TANDEM_FAIL_AT=store.before_commit` kills with SIGKILL when that point is reached for the first time,
`TANDEM_FAIL_AT=store.before_commit:7` at the seventh.  Of a process that is started again and again one is to die:
`TANDEM_FAIL_AT=@FILE` has the next one to start take what FILE says, and the file away.  Without the variable a point
costs one comparison.

The points: `store.before_commit`, `store.committed` (durable, nobody told yet), `store.acknowledged` (whoever waited
has been told); `journal.before_sync`, `journal.synced` (durable in the journal, nobody told yet),
`journal.acknowledged` (told, and not in the database yet), `journal.cleared`; `callback.asking` (an application is
about to be asked or told), `callback.answered` (it has answered, and nobody here knows yet).
"""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Final

__all__ = ["FAIL_AT", "FailPoints", "passing", "told"]

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


def told(variable: str) -> str:
    """Return what the variable says; of `@FILE` what the file says, which is gone then."""
    if not variable.startswith("@"):
        return variable
    file = Path(variable.removeprefix("@"))
    try:
        said = file.read_text()
        file.unlink()
    except FileNotFoundError:
        return ""
    return said


passing: Final = FailPoints(told(os.environ.get(FAIL_AT, ""))).passing
"""The points of this process."""
