"""A process that keeps calls until somebody kills it, and says what it was promised: for tests of what a crash leaves.

    python -m gateway.testing.store_victim DATA_DIRECTORY URL

Each line on stdout is a promise that the store has made, written at once: `begun ID`, `finished ID`; `delivering ID`
comes before a notification is forgotten.  `living` says that the first calls are under way.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import sys
from pathlib import Path
from typing import Final

from gateway.store import Store
from gateway.testing.stores import a_call, ended, opened, to_tell

__all__ = ["main"]

_LIVES: Final = 6


def _say(*words: str) -> None:
    os.write(1, (" ".join(words) + "\n").encode())


async def _live(store: Store, call: str, *, delivers: bool) -> None:
    record = a_call(call)
    await store.calls.begin(record)
    _say("begun", call)
    store.calls.note(a_call(call, cli="+46700000009"))
    store.calls.keep(call, b"dialog")
    await store.calls.finish(ended(record), to_tell(f"dice-{call}", call))
    _say("finished", call)
    if delivers:
        _say("delivering", call)
        await store.outbox.delivered(f"dice-{call}")


async def _live_on(store: Store, line: int) -> None:
    for n in itertools.count():
        await _live(store, f"{line}-{n}", delivers=n % 3 == 0)


async def main(data_dir: Path, url: str) -> None:
    """Live until killed."""
    async with opened(data_dir, url) as store, asyncio.TaskGroup() as lives:
        for line in range(_LIVES):
            lives.create_task(_live_on(store, line))
        _say("living")


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
