"""Which addresses an application may have us connect to.

A callback URL is an application's word, and so are the URLs of prompts and streams: without a guard, whoever owns an
application could have us read the metadata of our cloud, or post to what listens on loopback.  Checking the URL is
not enough.  The same address has sixty spellings (octal, decimal, IPv4 in IPv6), and a name may have a harmless address
when it is checked and another when it is connected to (DNS rebinding).  So what is checked is what the kernel is about
to connect to: every address of every attempt, when its socket is made.  There is no way round that, since a connection
is made by nobody else, and redirects are not followed.

Allowed are the globally routable addresses, and what the operator named: hosts with their ports (the callback URLs of
the configuration), whose addresses are his affair, and networks.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Any, Final

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

__all__ = ["LOOPBACK", "Forbidden", "Guard", "Names"]

Network = IPv4Network | IPv6Network

LOOPBACK: Final[tuple[Network, ...]] = (IPv4Network("127.0.0.0/8"), IPv6Network("::1/128"))
"""What is allowed where nothing is configured: a person tries the platform on one machine."""

_KEEP_ALIVE_S: Final = 4.0
"""Less than the five seconds after which common servers close: ours must not be the request that crosses that."""
_LOOKUP_THREADS: Final = 16
_PUBLIC_6: Final = IPv6Network("2000::/3")
_NAT64: Final = (IPv6Network("64:ff9b::/96"), IPv6Network("::/96"))
"""IPv4 addresses in the last 32 bits (RFC 6052, RFC 4291 section 2.5.5.1)."""
_NOT_PUBLIC_4: Final = (IPv4Network("192.0.0.0/24"), IPv4Network("168.63.129.16/32"))
"""What `ipaddress` takes for public: protocol assignments (RFC 6890) and a cloud's own services."""


class Forbidden(OSError):
    """An address that nobody allowed; an OSError, so that the next address of the same name is tried."""


@dataclass(frozen=True, slots=True)
class Guard:
    """What may be connected to beside the public Internet."""

    origins: frozenset[tuple[str, int]] = frozenset()
    """Hosts, in lower case, with their ports; wherever they are."""
    networks: tuple[Network, ...] = ()

    @classmethod
    def allowing(cls, urls: Iterable[str], networks: Iterable[Network] = ()) -> Guard:
        """Allow the servers that the operator's own URLs name; what is no URL allows nothing."""
        return cls(frozenset(origin for url in urls if (origin := _origin(url))), tuple(networks))

    def trusts(self, url: URL) -> bool:
        """Say whether the operator named the server of `url`."""
        return url.host is not None and url.port is not None and (url.host.lower(), url.port) in self.origins

    def check(self, address: str) -> None:
        """Raise Forbidden unless `address`, written in its one usual way, may be connected to."""
        try:
            meant = _meant(ipaddress.ip_address(address))
        except ValueError:
            raise Forbidden(f"{address} is no address") from None
        if not _is_public(meant) and not any(meant in network for network in self.networks):
            raise Forbidden(f"the operator did not allow connections to {meant}")

    def connector(
        self, resolver: AbstractResolver, *, trusted: bool, tls: ssl.SSLContext | None = None
    ) -> aiohttp.TCPConnector:
        """Return what makes connections: to servers that were named, or to allowed addresses alone."""
        return aiohttp.TCPConnector(
            resolver=resolver,
            socket_factory=None if trusted else self._socket,
            ssl=tls or True,
            limit=0,  # each application has its own limit; one for all would let one hold up the others
            keepalive_timeout=_KEEP_ALIVE_S,
        )

    def _socket(self, info: tuple[Any, ...]) -> socket.socket:
        family, kind, protocol, _, address = info
        self.check(str(address[0]))
        return socket.socket(family, kind, protocol)


@dataclass(slots=True)
class Names(AbstractResolver):
    """The system's names, asked in threads of their own.

    A lookup that nobody answers takes half a minute and cannot be stopped.  In the threads that all share it would hold
    up whoever reads a file.
    """

    _threads: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(_LOOKUP_THREADS, thread_name_prefix="names")
    )

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return the addresses of `host`.  Raises OSError."""
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(
            self._threads, lambda: socket.getaddrinfo(host, port, family, socket.SOCK_STREAM)
        )
        return [_result(host, family, protocol, address) for family, _, protocol, _, address in found]

    async def close(self) -> None:
        """Answer no more."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _result(host: str, family: int, protocol: int, address: Sequence[Any]) -> ResolveResult:
    flags = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
    return ResolveResult(
        hostname=host, host=address[0], port=address[1], family=family, proto=protocol, flags=flags
    )


def _origin(url: str) -> tuple[str, int] | None:
    try:
        read = URL(url)
    except ValueError:
        return None
    return (read.host.lower(), read.port) if read.host and read.port else None


def _meant(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """Return the IPv4 address that an IPv6 address stands for; any other as it is."""
    if isinstance(address, IPv4Address):
        return address
    if any(address in network for network in _NAT64) and int(address) > 1:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo
    return address.ipv4_mapped or address.sixtofour or (teredo[1] if teredo else None) or address


def _is_public(address: IPv4Address | IPv6Address) -> bool:
    if isinstance(address, IPv6Address) and address not in _PUBLIC_6:
        return False
    return (
        address.is_global
        and not address.is_multicast
        and not any(address in network for network in _NOT_PUBLIC_4)
    )
