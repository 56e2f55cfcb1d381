"""What the switch and the recorder say to each other: values, and how they travel.

An order is complete and may come twice: a recorder that was restarted is told of every recording again, and goes on
with the files that it finds.  Frames are a 4-byte big-endian length and a msgpack map, as media workers speak.

    switch      {"record": order}  {"stop": id}
    recorder    {"finished": id, "duration_s": s, "reason": text, "fault": bool}    no more is written; then one of
                {"available": id, "destination": url}                  the file is where it was to go
                {"failed": id, "reason": text}                         it is not there
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Final, TypeAlias

import msgpack

from gateway.errors import BadMessage

__all__ = [
    "NO_RING",
    "Available",
    "Failed",
    "Finished",
    "News",
    "Order",
    "frame",
    "news_as_map",
    "news_from_map",
    "order_as_map",
    "order_from_map",
    "read_frame",
]

NO_RING: Final = -1
_MOST_BYTES: Final = 64 << 10
_LENGTH: Final = struct.Struct("!I")


@dataclass(frozen=True, slots=True)
class Order:
    """One recording, from the moment when its rings are filled."""

    id: str
    heard: int
    """The ring of what the recorded party hears."""
    said: int
    """The ring of what it says; `NO_RING` for a conference, of which there is but the mix."""
    application: str
    """Key of its owner: each application has a folder."""
    name: str
    """Of the file, without a folder."""
    format: str
    """One of `gateway.recording.naming.FORMATS`."""
    stereo: bool
    """What the party says on the left and what it hears on the right; else both in one channel."""
    destination: str = ""
    """`s3://...` or `azure://...`, complete with the file's name; "" = it stays here."""
    credentials: str = field(default="", repr=False)
    resumed: bool = False
    """It was begun by a recorder before this one: go on with the file."""

    @property
    def channels(self) -> int:
        """How many the file has."""
        return 2 if self.stereo and self.said != NO_RING else 1


@dataclass(frozen=True, slots=True)
class Finished:
    """No more is written, and the rings are free."""

    id: str
    duration_s: float
    reason: str
    fault: bool = False
    """It ended before its time; what was written until then is there."""


@dataclass(frozen=True, slots=True)
class Available:
    """The file is where it was to go."""

    id: str
    destination: str
    """"" = here, under its name."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The file is not where it was to go."""

    id: str
    reason: str


News: TypeAlias = Finished | Available | Failed

_KINDS: Final[Mapping[str, type[News]]] = {"finished": Finished, "available": Available, "failed": Failed}
_ORDER: Final = frozenset(each.name for each in fields(Order))


def order_as_map(order: Order) -> dict[str, Any]:
    """Return an order as it travels."""
    return asdict(order)


def order_from_map(message: Mapping[str, Any]) -> Order:
    """Return the order that `order_as_map` wrote; unknown keys of a newer peer are ignored.

    Raises:
        TypeError: a field is missing.
    """
    return Order(**{name: value for name, value in message.items() if name in _ORDER})


def news_as_map(news: News) -> dict[str, Any]:
    """Return what happened as it travels: `{"finished": id, ...}`."""
    kind = next(name for name, known in _KINDS.items() if isinstance(news, known))
    told = asdict(news)
    return {kind: told.pop("id"), **told}


def news_from_map(message: Mapping[str, Any]) -> News | None:
    """Return what a map tells; None when a newer peer tells something unknown.

    Raises:
        TypeError: a field is missing.
    """
    for name, kind in _KINDS.items():
        if name in message:
            told = {key: value for key, value in message.items() if key != name}
            return kind(id=message[name], **told)
    return None


def frame(message: Mapping[str, Any]) -> bytes:
    """Return one message as it travels."""
    body: bytes = msgpack.packb(message)
    return _LENGTH.pack(len(body)) + body


async def read_frame(reader: asyncio.StreamReader) -> dict[str, Any]:
    """Return the next message.

    Raises:
        BadMessage: it is too long, or no map.
        asyncio.IncompleteReadError: the peer is gone.
    """
    (length,) = _LENGTH.unpack(await reader.readexactly(_LENGTH.size))
    if length > _MOST_BYTES:
        raise BadMessage(f"a frame of {length} bytes")
    body = await reader.readexactly(length)
    try:
        message = msgpack.unpackb(body)
    except (ValueError, msgpack.exceptions.UnpackException) as error:
        raise BadMessage(f"a frame that is no msgpack: {error}") from error
    if not isinstance(message, dict):
        raise BadMessage("a frame that is no map")
    return message
