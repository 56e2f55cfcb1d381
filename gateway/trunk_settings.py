"""From the configured trunks to what the switch is told of them: how calls leave by them, and how they come in."""

from __future__ import annotations

import ipaddress
import secrets

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
from gateway.transport.sip_targets import DnsNames, find_targets

__all__ = ["digest_users", "doors_of", "trunk_of"]


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
    )


def digest_users(config: Config) -> dict[str, str]:
    """Return the passwords of all who may show one: users, and the applications of trunks (user name = key)."""
    secrets_by_key = {application.key: application.secret for application in config.applications}
    keys = [trunk.application for trunk in config.trunks if trunk.application]
    return {user.name: user.password for user in config.users} | {key: secrets_by_key[key] for key in keys}


async def doors_of(config: Config, log: EventLog) -> Doors:
    """Return how trunks come in; one that names no sources does so from the addresses of its URI, looked up once."""
    return Doors([await _door(section, log) for section in config.trunks])


async def _door(section: TrunkSection, log: EventLog) -> Door:
    if section.sources is not None:
        networks: tuple[Network, ...] = tuple(ipaddress.ip_network(each) for each in section.sources)
    else:
        networks = () if section.application else await _addresses(section, log)
    return Door(section.name, networks, section.application or None, both=section.demand == "both")


async def _addresses(section: TrunkSection, log: EventLog) -> tuple[Network, ...]:
    try:
        found = await find_targets(parse_uri_untrusted(section.uri), DnsNames(), secrets.randbelow)
    except LocalError as error:
        log.warning("trunk.not_found", trunk=section.name, reason=str(error))
        return ()
    return tuple(ipaddress.ip_network(host) for host in dict.fromkeys(target.host for target in found))


def _credentials(section: TrunkSection) -> Credentials | None:
    if section.username is None or section.password is None:
        return None
    return Credentials(section.username, section.password, section.realm)
