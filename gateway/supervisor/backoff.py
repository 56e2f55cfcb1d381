"""When a child that died is started again.

The first time at once: a media process that was killed must be back within a second.  Then with growing
patience, so that a child which cannot live does not eat the machine; after ten quick deaths there is no
more hope.  Ten seconds of health clear the record.
"""

from __future__ import annotations

__all__ = ["DELAYS_S", "HEALTHY_S", "QUICK_DEATHS", "Backoff"]

DELAYS_S = (0.0, 0.25, 0.5, 1.0, 2.0, 4.0, 5.0)
"""Delay before the first, second ... restart; the last one stays."""
HEALTHY_S = 10.0
"""A child that was ready for so long has not died quickly."""
QUICK_DEATHS = 10
"""More than so many in a row and the supervisor gives up."""


class Backoff:
    """The record of one child's deaths."""

    def __init__(self) -> None:
        self._quick_deaths = 0

    def died(self, healthy_s: float) -> float | None:
        """Return the seconds to wait before a restart, or None to give up.

        healthy_s: how long the child had been ready when it died; 0 if it never was.
        """
        if healthy_s >= HEALTHY_S:
            self._quick_deaths = 0
        self._quick_deaths += 1
        if self._quick_deaths > QUICK_DEATHS:
            return None
        return DELAYS_S[min(self._quick_deaths, len(DELAYS_S)) - 1]
