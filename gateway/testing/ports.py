"""Fixed ports for tests: below the ports that the system hands out, and apart for each worker of a parallel run."""

from __future__ import annotations

import os
from typing import Final

__all__ = ["FIRST_PORT", "PORTS"]

PORTS: Final = 2200
_WORKER: Final = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 2
FIRST_PORT: Final = 28_000 + PORTS * _WORKER
"""The first of `PORTS` ports that this worker may bind; even."""
