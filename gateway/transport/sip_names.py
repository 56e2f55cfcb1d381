"""Names that were found once are found again: a memory before the name system, for when that is slow or gone.

A trunk is often a name, and its calls must not wait for a name server that does.  So an answer counts for half a
minute without asking; after that it is asked for anew, and if nothing comes within half a second, or nothing at all,
the old answer serves, for up to a day: yesterday's address is right more often than none.  Many who ask for one name
at a time share one question.  Numeric addresses ask nobody and never come here (`sip_targets`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from gateway.transport.sip_targets import Names, Naptr, Srv

__all__ = ["RememberedNames"]

_Record = TypeVar("_Record")
_FRESH_S: Final = 30.0
_STALE_S: Final = 86_400.0
_PATIENCE_S: Final = 0.5
"""How long an answer is waited for if there is an old one."""
_MOST: Final = 1_000


@dataclass(frozen=True, slots=True)
class _Answer:
    records: Sequence[Any]
    at: float


class RememberedNames:
    """`Names`, remembered."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._known: dict[tuple[str, str], _Answer] = {}
        self._asking: dict[tuple[str, str], asyncio.Task[Sequence[Any]]] = {}

    async def naptr(self, name: str) -> Sequence[Naptr]:
        """Return the NAPTR records of a domain."""
        return await self._find("naptr", name, self._names.naptr)

    async def srv(self, name: str) -> Sequence[Srv]:
        """Return the SRV records of a service."""
        return await self._find("srv", name, self._names.srv)

    async def addresses(self, name: str) -> Sequence[str]:
        """Return the addresses of a host."""
        return await self._find("addresses", name, self._names.addresses)

    async def _find(
        self, kind: str, name: str, ask: Callable[[str], Coroutine[Any, Any, Sequence[_Record]]]
    ) -> Sequence[_Record]:
        key, now = (kind, name), asyncio.get_running_loop().time()
        known = self._known.get(key)
        if known is not None and now < known.at + _FRESH_S:
            return known.records
        asking = self._asking.get(key)
        if asking is None:
            asking = self._asking[key] = asyncio.create_task(self._ask(key, ask))
            asking.add_done_callback(lambda _: self._asking.pop(key, None))
        if known is None or now > known.at + _STALE_S:
            return await asyncio.shield(asking)
        try:
            async with asyncio.timeout(_PATIENCE_S):
                return await asyncio.shield(asking) or known.records
        except TimeoutError:
            return known.records

    async def _ask(
        self, key: tuple[str, str], ask: Callable[[str], Coroutine[Any, Any, Sequence[_Record]]]
    ) -> Sequence[_Record]:
        records = await ask(key[1])
        if records:
            self._known.pop(key, None)
            self._known[key] = _Answer(records, asyncio.get_running_loop().time())
            if len(self._known) > _MOST:
                del self._known[next(iter(self._known))]
        return records
