"""`tandem` whose supervisor never loses patience: for tests that kill a child far more often than chance would.

    python -m gateway.testing.undaunted serve ...

The real one waits longer from death to death, and gives a child up that has died eleven times without ten seconds of
health.  Nothing else is different.
"""

from __future__ import annotations

import sys
from typing import Final

from gateway.cli import main
from gateway.supervisor import backoff

__all__ = ["UNDAUNTED"]

UNDAUNTED: Final = (sys.executable, "-m", "gateway.testing.undaunted")
"""What to run in the place of `tandem`."""

if __name__ == "__main__":
    vars(backoff).update(DELAYS_S=(0.0,), QUICK_DEATHS=sys.maxsize)
    main()
