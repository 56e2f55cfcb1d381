"""The switch is killed again and again while callouts, calls and callbacks are under way; then its books are read.

    with Platform(directory, program=UNDAUNTED, environment=arming(directory)) as platform:
        aftermath = asyncio.run(kill_again_and_again(platform, directory, kills=25, seed=1))
    assert aftermath.broken == []

Most kills come at a random moment.  Every fourth process is told a named point (`gateway.failpoints`) at which it is to
die by itself, so that the moments before and after a commit and in the middle of a callback are met more often than
chance would have it.  What was promised: a callout that has its id is answerable, a call that ended has exactly one
record, and its DiCE was delivered at least once.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import statistics
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Final

from gateway.failpoints import FAIL_AT
from gateway.testing.busy_traffic import busy_traffic
from gateway.testing.platform import Platform, Refused, Steering

__all__ = ["POINTS", "Aftermath", "arming", "kill_again_and_again"]

POINTS: Final = (
    "store.before_commit",
    "store.committed",
    "store.acknowledged",
    "callback.asking",
    "callback.answered",
)
LAYOUTS: Final = ("phone-terminated", "phone-originated", "app-app", "sip-terminated")
_ARMED: Final = "fail-at"
_EVERY: Final = 4
_PASSES: Final = 12
"""A process dies at latest when it comes to its point for the twelfth time."""
_LIFE_S: Final = (0.05, 0.8)
_ASKED_AGAIN: Final = 5
_PATIENCE_S: Final = 40.0
_LOOK_S: Final = 0.05
_AWAY: Final = (OSError, HTTPException, IndexError)
"""What a client meets while the switch is being killed; IndexError: nothing at all was answered."""


@dataclass(frozen=True, slots=True)
class Aftermath:
    """What the books say when everything has ended; ids of calls where something is wrong."""

    kills: int
    callouts: int
    """Those whose client was given an id."""
    calls: int
    """Those that have a record, callouts among them."""
    unknown: tuple[str, ...]
    """An id was given, and GetCall does not know it."""
    ongoing: tuple[str, ...]
    """They do not end."""
    unrecorded: tuple[str, ...]
    recorded_twice: tuple[str, ...]
    untold: tuple[str, ...]
    """No DiCE ever came."""
    told_again: int
    """Calls whose DiCE came more than once, which is allowed."""
    restart_ms_p50: float
    """From a kill until the next switch takes calls."""

    @property
    def broken(self) -> list[str]:
        """Return the promises that were broken, in words."""
        wrong: Mapping[str, tuple[str, ...]] = {
            "callouts with an id are not known": self.unknown,
            "calls never end": self.ongoing,
            "ended calls have no record": self.unrecorded,
            "calls have two records": self.recorded_twice,
            "calls have a record and no DiCE": self.untold,
        }
        return [f"{len(calls)} {what}: {calls[:5]}" for what, calls in wrong.items() if calls]


@dataclass(frozen=True, slots=True)
class _Campaign:
    """What was done, and seen meanwhile."""

    kills: int
    callouts: tuple[str, ...]
    unknown: frozenset[str]
    restarts_s: tuple[float, ...]


def arming(directory: Path) -> Mapping[str, str]:
    """Return the environment of a switch whose processes can be told where to die."""
    return {FAIL_AT: f"@{directory / _ARMED}"}


async def kill_again_and_again(platform: Platform, directory: Path, *, kills: int, seed: int) -> Aftermath:
    """Kill so often, let everything come to its end, and say what is left."""
    chance = random.Random(seed)
    restarts_s: list[float] = []
    unknown: set[str] = set()
    async with (
        Steering(platform) as application,
        busy_traffic(platform, application, chance) as traffic,
    ):
        killer = _Killer(platform, directory / _ARMED, chance)
        while killer.kills < kills:
            restarts_s.append(await killer.kill())
            unknown.update(await _unknown(platform, traffic.callouts[-_ASKED_AGAIN:]))
        traffic.cease()
        campaign = _Campaign(killer.kills, tuple(traffic.callouts), frozenset(unknown), tuple(restarts_s))
        return await _read_the_books(platform, application, campaign)


class _Killer:
    """Kills one switch process after another, or has it die by itself."""

    def __init__(self, platform: Platform, armed: Path, chance: random.Random) -> None:
        self._platform: Final = platform
        self._armed: Final = armed
        self._chance: Final = chance
        self.kills = 0

    async def kill(self) -> float:
        """Wait for a while and kill; return after how many seconds another process took calls."""
        await asyncio.sleep(self._chance.uniform(*_LIFE_S))
        dies_alone = self._chance.randrange(_EVERY) == 0
        if dies_alone:
            self._armed.write_text(f"{self._chance.choice(POINTS)}:{self._chance.randint(1, _PASSES)}")
        began = time.monotonic()
        os.kill(self._platform.child("switch"), signal.SIGKILL)
        await self._died()
        if dies_alone:
            began = await self._died()
        await self._up()
        return time.monotonic() - began

    async def _died(self) -> float:
        self.kills += 1
        await asyncio.to_thread(self._platform.wait_for, "child.died", child="switch", count=self.kills)
        return time.monotonic()

    async def _up(self) -> None:
        while True:
            with suppress(*_AWAY):
                status, _ = await asyncio.to_thread(self._platform.get, "/healthz")
                if status == 200:
                    return
            await asyncio.sleep(_LOOK_S)


async def _unknown(platform: Platform, calls: Iterable[str]) -> list[str]:
    """Return those of which GetCall says that they never were."""
    found = []
    for call in calls:
        try:
            await platform.look_up(call)
        except Refused as refused:
            if refused.status == 404:
                found.append(call)
        except _AWAY:
            continue  # it has died by itself
    return found


async def _read_the_books(platform: Platform, application: Steering, campaign: _Campaign) -> Aftermath:
    begun = {*campaign.callouts, *(body["callid"] for body in application.heard("ice"))}
    unknown = campaign.unknown.union(await _unknown(platform, campaign.callouts))
    ongoing = await _end_all(platform, begun - unknown)
    records = Counter([record["CallId"] for layout in LAYOUTS for record in await platform.records(layout)])
    untold = await _untold(application, records)
    told = Counter(body["callid"] for body in application.heard("dice"))
    return Aftermath(
        kills=campaign.kills,
        callouts=len(campaign.callouts),
        calls=len(records),
        unknown=tuple(sorted(unknown)),
        ongoing=tuple(sorted(ongoing)),
        unrecorded=tuple(sorted(begun - unknown - ongoing - records.keys())),
        recorded_twice=tuple(sorted(call for call, times in records.items() if times > 1)),
        untold=tuple(sorted(untold)),
        told_again=sum(times > 1 for times in told.values()),
        restart_ms_p50=round(1000 * statistics.median(campaign.restarts_s), 1),
    )


async def _end_all(platform: Platform, calls: set[str]) -> set[str]:
    """Hang up what goes on; return what is still not over after a while."""
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        found = await asyncio.gather(*(platform.look_up(call) for call in calls))
        calls = {each["callId"] for each in found if each["status"] == "ONGOING"}
        if not calls or time.monotonic() > deadline:
            return calls
        for call in calls:
            with suppress(Refused):  # it has just ended, or cannot be managed yet
                await platform.ask("PATCH", f"/calling/v1/calls/id/{call}", {"action": {"name": "hangup"}})
        await asyncio.sleep(_LOOK_S)


async def _untold(application: Steering, calls: Iterable[str]) -> set[str]:
    """Return the calls whose DiCE does not come within a while."""
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        missing = set(calls) - {body["callid"] for body in application.heard("dice")}
        if not missing or time.monotonic() > deadline:
            return missing
        await asyncio.sleep(_LOOK_S)
