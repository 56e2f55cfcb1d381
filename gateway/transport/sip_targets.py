"""Where a SIP URI leads: RFC 3263, as a plan over three questions to the name system.

    targets = await find_targets(parse_uri_untrusted("sip:example.org"), DnsNames(), pick=ids.number)

The answer is a list in the order in which it should be tried: by priority, by weighted chance within one
priority (RFC 2782).  A numeric host asks nothing; a port asks only for addresses.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import dns.asyncresolver
import dns.exception
import dns.resolver

from gateway.errors import LocalError
from gateway.sip.uri import Uri

__all__ = ["DnsNames", "Names", "Naptr", "Srv", "Target", "find_targets", "in_order"]

_LOOKUP_S: Final = 3.0
_MAX_TARGETS: Final = 20
"""Who has more servers than that is tried no further."""
_DEFAULT_PORTS: Final = {"udp": 5060, "tcp": 5060, "tls": 5061}
_SERVICES: Final = {"SIP+D2U": "udp", "SIP+D2T": "tcp", "SIPS+D2T": "tls"}
"""NAPTR services (RFC 3263 section 4.1); WebSocket has none."""
_SRV_NAMES: Final = {"udp": "_sip._udp", "tcp": "_sip._tcp", "tls": "_sips._tcp"}


@dataclass(frozen=True, slots=True)
class Target:
    """One server."""

    transport: str
    """"udp", "tcp" or "tls"."""
    host: str
    """A numeric address."""
    port: int
    name: str
    """What its certificate has to say: the host of the URI (RFC 5922 section 4)."""


@dataclass(frozen=True, slots=True)
class Naptr:
    """A NAPTR record of a SIP service."""

    order: int
    preference: int
    service: str
    replacement: str


@dataclass(frozen=True, slots=True)
class Srv:
    """An SRV record."""

    priority: int
    weight: int
    port: int
    host: str


class Names(Protocol):
    """The name system; whoever has no answer returns nothing."""

    async def naptr(self, name: str) -> Sequence[Naptr]: ...
    async def srv(self, name: str) -> Sequence[Srv]: ...
    async def addresses(self, name: str) -> Sequence[str]: ...


async def find_targets(uri: Uri, names: Names, pick: Callable[[int], int]) -> list[Target]:
    """Return the servers of a URI, first choice first; `pick(n)` draws a number below n.

    Raises:
        LocalError: the name leads nowhere, or the URI asks for a transport that cannot be opened from here.
    """
    host = uri.host.removeprefix("[").removesuffix("]")
    asked = _transport_asked(uri)
    if _is_numeric(host):
        transport = asked or "udp"
        return [Target(transport, host, uri.port or _DEFAULT_PORTS[transport], host)]
    if uri.port is not None:
        places = [(asked or "udp", host, uri.port)]
    else:
        places = await _places(host, [asked] if asked else ["udp", "tcp", "tls"], names, pick)
    targets = [
        Target(transport, address, port, host)
        for transport, server, port in places
        for address in await names.addresses(server)
    ]
    if not targets:
        raise LocalError(f"{host} has no address")
    return targets[:_MAX_TARGETS]


def _transport_asked(uri: Uri) -> str | None:
    """Return the transport that the URI names; sips is TLS whatever it says (RFC 3261 section 26.2.2)."""
    if uri.scheme == "sips":
        return "tls"
    asked = (uri.parameter("transport") or "").lower() or None
    if asked is not None and asked not in _DEFAULT_PORTS:
        raise LocalError(f"a connection by {asked} is opened by the other side, not from here")
    return asked


async def _places(
    host: str, transports: Sequence[str], names: Names, pick: Callable[[int], int]
) -> list[tuple[str, str, int]]:
    """Return transport, server name and port by NAPTR, else by SRV, else the default port of the host."""
    services = await _services(host, transports, names)
    records = [
        (transport, record)
        for transport, service in services
        for record in in_order(await names.srv(service), pick)
    ]
    if records:
        return [(transport, record.host, record.port) for transport, record in records]
    return [(transports[0], host, _DEFAULT_PORTS[transports[0]])]


async def _services(host: str, transports: Sequence[str], names: Names) -> list[tuple[str, str]]:
    """Return transport and SRV name of each service of a host."""
    named = [
        (_SERVICES[record.service], record.replacement)
        for record in sorted(await names.naptr(host), key=lambda each: (each.order, each.preference))
        if _SERVICES.get(record.service) in transports
    ]
    return named or [(transport, f"{_SRV_NAMES[transport]}.{host}") for transport in transports]


def in_order(records: Sequence[Srv], pick: Callable[[int], int]) -> list[Srv]:
    """Order SRV records as RFC 2782 says: priorities rise, within one the weights are chances."""
    ordered: list[Srv] = []
    # those of weight 0 first, so that they are chosen only when the draw is 0
    waiting = sorted((r for r in records if r.host), key=lambda each: (each.priority, each.weight))
    while waiting:
        group = [record for record in waiting if record.priority == waiting[0].priority]
        draw = pick(sum(record.weight for record in group) + 1)
        chosen = group[-1]
        for record in group:
            draw -= record.weight
            if draw <= 0:
                chosen = record
                break
        ordered.append(chosen)
        waiting.remove(chosen)
    return ordered


def _is_numeric(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


class DnsNames:
    """The name system of this machine: its name servers for records, its own resolver for addresses.

    Answers are kept as long as they say.
    """

    def __init__(self) -> None:
        self._resolver: dns.asyncresolver.Resolver | None = None

    async def naptr(self, name: str) -> Sequence[Naptr]:
        """Return the NAPTR records of a domain that end in an SRV name (flag "s")."""
        return [
            Naptr(
                record.order,
                record.preference,
                record.service.decode("ascii", "replace").upper(),
                str(record.replacement).rstrip("."),
            )
            for record in await self._ask(name, "NAPTR")
            if record.flags.lower() == b"s"
        ]

    async def srv(self, name: str) -> Sequence[Srv]:
        """Return the SRV records of a service; a target of "." says that there is none (RFC 2782)."""
        return [
            Srv(record.priority, record.weight, record.port, str(record.target).rstrip("."))
            for record in await self._ask(name, "SRV")
        ]

    async def addresses(self, name: str) -> Sequence[str]:
        """Return the addresses of a host; /etc/hosts counts."""
        if _is_numeric(name):
            return [name]
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(_LOOKUP_S):
                found = await loop.getaddrinfo(name, None, type=socket.SOCK_DGRAM)
        except (OSError, TimeoutError):
            return []
        return list(dict.fromkeys(str(entry[4][0]) for entry in found))

    async def _ask(
        self, name: str, kind: str
    ) -> Sequence[Any]:  # dnspython makes the classes of records as it runs
        try:
            if self._resolver is None:
                self._resolver = dns.asyncresolver.Resolver()
                self._resolver.lifetime = _LOOKUP_S
                self._resolver.cache = dns.resolver.LRUCache(1000)
            return list(await self._resolver.resolve(name, kind))
        except (dns.exception.DNSException, OSError):
            return []  # no such record, or nobody to ask: then the next question may be answered
