"""A connection to a socket that outlives who listens there.

The supervisor owns the sockets of its children, so whoever is connected to one that has died connects again and waits
in the backlog for its successor; while nobody can be reached at all, tries are a twentieth of a second apart, then up
to a second.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

__all__ = ["FIRST_PAUSE_S", "LONGEST_PAUSE_S", "connected"]

FIRST_PAUSE_S: Final = 0.05
LONGEST_PAUSE_S: Final = 1.0
"""Between two tries."""


def _nothing() -> None:
    pass


async def connected(
    path: str, failed: Callable[[], None] = _nothing
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Return a connection to the Unix socket at `path`, however long that takes; `failed` hears of each try in vain."""
    pause_s = FIRST_PAUSE_S
    while True:
        try:
            return await asyncio.open_unix_connection(path)
        except OSError:
            failed()
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)
