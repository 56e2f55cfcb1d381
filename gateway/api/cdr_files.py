"""The daily files of call detail records: four a day, `;`-separated, one for each layout (section 10).

    cdr/phone-terminated-2026-11-24.csv

A day (UTC) is written when every call that began in it must be over: no call lasts longer than four hours.  What
was missed while the process was away is written when it comes back, a week into the past.  A file appears whole or
not at all, and one that is there is never written again: what an accountant has seen does not change.  A switch that
has just been set up has no past: without the folder, today is the first day.
"""

from __future__ import annotations

import asyncio
import math
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from gateway.api.cdr import LAYOUTS, Layout, as_line
from gateway.api.moments import DAY_S, day_start
from gateway.clock import Clock
from gateway.errors import Overload
from gateway.switch.ports import EventLog
from gateway.switch.steering import LONGEST_CALL_S
from gateway.switch.stores import Reports

__all__ = ["CdrFiles"]

SETTLED_S: Final = LONGEST_CALL_S + 600.0
"""After midnight: the day's last call is over, and written."""
DAYS_BACK: Final = 7
RETRY_S: Final = 600.0


class CdrFiles:
    """Writes the files of all applications into one folder."""

    def __init__(self, folder: Path, reports: Reports, clock: Clock, log: EventLog) -> None:
        self._folder = folder
        self._reports = reports
        self._clock = clock
        self._log = log

    async def run(self) -> None:
        """Write each day when its time has come, until cancelled."""
        first = -math.inf if self._folder.exists() else day_start(self._clock.wall())
        while True:
            done = await self.write_settled(first)
            await asyncio.sleep(self._until_next_s() if done else RETRY_S)

    async def write_settled(self, first: float = -math.inf) -> bool:
        """Write what is missing of the last week's settled days, none before `first`; say whether all went well."""
        latest = day_start(self._clock.wall() - SETTLED_S) - DAY_S
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            for midnight in (latest - back * DAY_S for back in range(DAYS_BACK)):
                if midnight >= first:
                    await self.write_day(midnight)
        except (OSError, Overload) as error:
            self._log.warning("cdr.not_written", folder=str(self._folder), reason=str(error))
            return False
        return True

    async def write_day(self, midnight: float) -> list[Path]:
        """Write what is missing of the day that begins at `midnight` (Unix seconds); return the files written.

        Raises:
            Overload: the store does not answer.
            OSError: the folder cannot be written to.
        """
        missing = [layout for layout in LAYOUTS.values() if not self._path(layout, midnight).exists()]
        return [await self._write(layout, midnight) for layout in missing]

    async def _write(self, layout: Layout, midnight: float) -> Path:
        path = self._path(layout, midnight)
        lines = [as_line(layout.header, separator=";")]
        for kind in layout.kinds:
            calls = self._reports.finished(kind, midnight, midnight + DAY_S)
            lines += [as_line(layout.row(record), separator=";") async for record in calls]
        await asyncio.to_thread(_put, path, "".join(lines))
        self._log.info("cdr.written", file=str(path), calls=len(lines) - 1)
        return path

    def _path(self, layout: Layout, midnight: float) -> Path:
        day = datetime.fromtimestamp(midnight, UTC).date().isoformat()
        return self._folder / f"{layout.name}-{day}.csv"

    def _until_next_s(self) -> float:
        now = self._clock.wall()
        return DAY_S - (now - SETTLED_S) % DAY_S


def _put(path: Path, text: str) -> None:
    """Write a file that is there whole or not at all, and survives a power cut."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beginning = path.with_suffix(".part")
    with beginning.open("w", encoding="utf-8", newline="") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    beginning.replace(path)
