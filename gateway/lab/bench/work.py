"""What a media server is made to carry: bridges of two legs, or rooms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from gateway.lab.bench.servers import MediaServer

__all__ = ["Bridges", "Rooms", "Work"]


class Work(Protocol):
    """One kind of load; `n` counts its units."""

    @property
    def unit(self) -> str:
        """Return what is counted, in the plural."""
        ...

    @property
    def title(self) -> str:
        """Return what is carried, in words."""
        ...

    @property
    def codecs(self) -> tuple[str, str]:
        """Return what phones 0, 2, ... and what phones 1, 3, ... speak."""
        ...

    def phones(self, n: int) -> int:
        """Return how many phones `n` units have."""
        ...

    def set_up(self, server: MediaServer, ports: list[int]) -> list[int]:
        """Connect the phones that listen on `ports`; returns the port to which each must send."""
        ...


@dataclass(frozen=True, slots=True)
class Bridges:
    """Calls of two legs."""

    codecs: tuple[str, str]
    unit: str = "calls"

    @property
    def title(self) -> str:
        """Return the two codecs."""
        return "<->".join(self.codecs).upper()

    def phones(self, n: int) -> int:
        """Return two phones a call."""
        return 2 * n

    def set_up(self, server: MediaServer, ports: list[int]) -> list[int]:
        """Bridge each phone with its neighbour."""
        pairs = list(zip(ports[::2], ports[1::2], strict=True))
        return [port for pair in server.bridge(self.codecs, pairs) for port in pair]


@dataclass(frozen=True, slots=True)
class Rooms:
    """People in conference: rooms of `size`, or all in one room."""

    codec: str
    size: int | None
    unit: str = "people"

    @property
    def title(self) -> str:
        """Return the codec and how the people are spread."""
        return f"{self.codec.upper()}, {f'rooms of {self.size}' if self.size else 'one room'}"

    @property
    def codecs(self) -> tuple[str, str]:
        """Return the one codec, twice."""
        return self.codec, self.codec

    def phones(self, n: int) -> int:
        """Return as many people as fill whole rooms."""
        return n - n % (self.size or 1)

    def set_up(self, server: MediaServer, ports: list[int]) -> list[int]:
        """Fill one room after the other."""
        size = self.size or len(ports)
        rooms = [ports[at : at + size] for at in range(0, len(ports), size)]
        return [port for room in server.rooms(self.codec, rooms) for port in room]
