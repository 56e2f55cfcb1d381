"""Who calls: the user behind a password, the trunk behind an address or an application's key, or nobody known.

A trunk comes in by its source address, a list of addresses and networks, or by digest with the key and secret
of an application (user name = key), or needs both.  An address can be forged where the transport is UDP, which
is why routing lets a trunk reach what is ours and never another trunk.  Whoever fits no door is a stranger and
gets the usual challenge.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final, Self, TypeAlias

__all__ = ["Door", "Doors", "Network"]

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network
_REMEMBERED: Final = 4096
"""Addresses whose trunk is remembered: the list is asked for every request that begins something."""


@dataclass(frozen=True, slots=True)
class Door:
    """How one trunk may come in."""

    trunk: str
    networks: tuple[Network, ...] = ()
    key: str | None = None
    """The application whose key and secret it shows."""
    both: bool = False
    """The key counts from these networks only, and the networks not without the key."""


class Doors:
    """All trunks' doors; a container of the addresses that are trusted without a password."""

    def __init__(self, doors: Iterable[Door] = ()) -> None:
        self._doors = tuple(doors)
        self._find = lru_cache(_REMEMBERED)(self._look_up)

    @classmethod
    def of_addresses(cls, addresses: dict[str, str]) -> Self:
        """Make doors of single addresses, each with the name of its trunk."""
        return cls(Door(trunk, (ipaddress.ip_network(one),)) for one, trunk in addresses.items())

    def move(self, trunk: str, networks: tuple[Network, ...]) -> None:
        """Let a trunk come in from these networks from now on."""
        self._doors = tuple(
            replace(door, networks=networks) if door.trunk == trunk else door for door in self._doors
        )
        self._find.cache_clear()

    def __contains__(self, address: object) -> bool:
        return isinstance(address, str) and self.of_address(address) is not None

    def of_address(self, address: str) -> str | None:
        """Return the trunk that an address alone makes sure of; the narrowest network wins."""
        return self._find(address)

    def of_key(self, key: str, address: str) -> str | None:
        """Return the trunk that showed an application's key, if it may from there."""
        for door in self._doors:
            if door.key == key and (not door.both or _width(door, address) is not None):
                return door.trunk
        return None

    def is_key(self, name: str) -> bool:
        """Tell whether a digest user is an application of a trunk and no user of the switch."""
        return any(door.key == name for door in self._doors)

    def admits(self, trunk: str, address: str) -> bool:
        """Tell whether an address is one of this trunk's, of several that may share it."""
        return any(
            door.trunk == trunk and not door.both and _width(door, address) is not None
            for door in self._doors
        )

    def _look_up(self, address: str) -> str | None:
        fitting = [
            (width, -at, door.trunk)
            for at, door in enumerate(self._doors)
            if not door.both and (width := _width(door, address)) is not None
        ]
        return max(fitting)[2] if fitting else None


def _width(door: Door, address: str) -> int | None:
    """Return the longest prefix of a door's networks that holds an address; None if none does."""
    try:
        one = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return None
    return max((each.prefixlen for each in door.networks if one in each), default=None)
