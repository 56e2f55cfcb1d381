"""From the configured trunks to what the switch is told of them: how calls leave by them, and how they come in."""

from __future__ import annotations

import asyncio
import ipaddress
import secrets
import time
from collections import ChainMap
from collections.abc import Callable, Mapping
from typing import Final

from gateway.config import Config
from gateway.config.models import Trunk as TrunkSection
from gateway.errors import LocalError
from gateway.sip.authentication import Credentials
from gateway.sip.uri import parse_uri_untrusted
from gateway.switch.doors import Door, Doors, Network
from gateway.switch.ports import EventLog
from gateway.switch.routing import Trunk
from gateway.switch.trunk_identity import Presentation
from gateway.switch.trunk_numbers import NumberFormat
from gateway.transport.sip_targets import DnsNames, Names, find_targets

__all__ = ["LOOK_UP_S", "REMEMBERED_S", "DoorKeeper", "digest_users", "trunk_of"]

LOOK_UP_S: Final = 300.0
"""How often a trunk's name is looked up; name servers are asked no more often than their answers say."""
REMEMBERED_S: Final = 3600.0
"""How long an address counts that its name does not say any more."""


def trunk_of(section: TrunkSection) -> Trunk:
    """Return a trunk as routing knows it."""
    return Trunk(
        section.name,
        parse_uri_untrusted(section.uri),
        section.prefix,
        section.codecs,
        _credentials(section),
        priority=section.priority,
        weight=section.weight,
        numbers=NumberFormat(
            section.numbers,
            section.country,
            section.national_prefix,
            section.international_prefix,
            section.dial_prefix,
        ),
        presentation=Presentation(
            section.asserted_identity, section.caller_id, section.from_user, section.from_host
        ),
        max_calls=section.max_calls or None,
        calls_per_s=section.calls_per_second or None,
        patience_s=section.patience_s,
        ping_s=section.ping_s,
        registers=section.registers,
        application=section.application,
    )


def digest_users(config: Config, passwords: dict[str, str]) -> Mapping[str, str]:
    """Return the passwords of all who may show one: users, and the applications of trunks (user name = key).

    passwords: of users, as the store has them; what changes there changes here.
    """
    secrets_by_key = {application.key: application.secret for application in config.applications}
    keys = [trunk.application for trunk in config.trunks if trunk.application]
    return ChainMap(passwords, {key: secrets_by_key[key] for key in keys})


class DoorKeeper:
    """Keeps the doors of trunks that name no sources: they come in from the addresses of their URI.

    A name is looked up at the start and every few minutes.  An address that it once had counts for an hour more: many
    names say another few of their addresses each time, and a server that has moved still ends its calls.  A name that
    leads nowhere for a while leaves everything as it was.
    """

    def __init__(
        self,
        config: Config,
        log: EventLog,
        *,
        names: Names | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """`names` is the name system, `now` monotonic seconds."""
        self._config: Final = config
        self._log: Final = log
        self._names: Final = DnsNames() if names is None else names
        self._now: Final = now
        self._seen: dict[str, dict[Network, float]] = {}
        """The addresses of each trunk's name, and when it had them last."""
        self._doors = Doors()

    async def open(self) -> Doors:
        """Return all trunks' doors."""
        for section in self._by_name:
            await self._look_up(section)
        self._doors = Doors(
            [_door(each, tuple(self._seen.get(each.name, ()))) for each in self._config.trunks]
        )
        return self._doors

    async def run(self) -> None:
        """Look the names up again and again, until cancelled."""
        while True:
            await asyncio.sleep(LOOK_UP_S)
            await self.refresh()

    async def refresh(self) -> None:
        """Look every name up once more."""
        for section in self._by_name:
            before = set(self._seen.get(section.name, ()))
            await self._look_up(section)
            networks = self._seen.get(section.name, {})
            if set(networks) != before:
                self._doors.move(section.name, tuple(networks))
                self._log.info("trunk.moved", trunk=section.name, addresses=[str(each) for each in networks])

    @property
    def _by_name(self) -> list[TrunkSection]:
        return [each for each in self._config.trunks if each.sources is None and not each.application]

    async def _look_up(self, section: TrunkSection) -> None:
        try:
            found = await find_targets(parse_uri_untrusted(section.uri), self._names, secrets.randbelow)
        except LocalError as error:
            self._log.warning("trunk.not_found", trunk=section.name, reason=str(error))
            return
        now, seen = self._now(), self._seen.setdefault(section.name, {})
        seen |= {ipaddress.ip_network(target.host): now for target in found}
        for network in [each for each, at in seen.items() if now - at > REMEMBERED_S]:
            del seen[network]


def _door(section: TrunkSection, found: tuple[Network, ...]) -> Door:
    networks = found
    if section.sources is not None:
        networks = tuple(ipaddress.ip_network(each) for each in section.sources)
    return Door(section.name, networks, section.application or None, both=section.demand == "both")


def _credentials(section: TrunkSection) -> Credentials | None:
    if section.username is None or section.password is None:
        return None
    return Credentials(section.username, section.password, section.realm)
