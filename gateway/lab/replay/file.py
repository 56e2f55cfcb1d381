r"""Flights as files: what a leg's audio depended on, for `tandem replay`.

    "tandem flight 1\n", then a zlib stream of msgpack values: a map that says what this is, a list
    [kind, flag, data] for each record, and at the end their number

The audio of everybody concerned is inside: a file is made for its owner's eyes alone (mode 0600).

A file may come from anywhere.  It is read piece by piece: what is foreign, truncated or damaged is said to be so, and
no file makes the reader take more memory than its largest record, or go on for ever.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import IO, Any, Final

import msgpack

from gateway.errors import LocalError
from gateway.ids import LegId
from gateway.media.flight_log import Flight, Record
from gateway.media.reenact import MOST_ROWS
from gateway.media.snapshot import LAYOUT

__all__ = ["FlightFile", "read_flight", "write_flight"]

_MAGIC: Final = b"tandem flight 1\n"
_ANY_VERSION: Final = b"tandem flight "
_CHUNK: Final = 1 << 16
_MOST_RECORD_BYTES: Final = 16 << 20
_MOST_BYTES: Final = 2 << 30
"""Of all records together: some hours of a large room."""


@dataclass(frozen=True, slots=True)
class FlightFile:
    """A file that says it is a flight."""

    path: Path
    version: str
    """Of the Tandem that recorded it."""
    leg: LegId | None
    """The leg it was recorded for; None = all."""
    legs: tuple[LegId, ...]
    capacity: int
    """How many rows the plane had."""

    def records(self) -> Iterator[Record]:
        """Yield its records.

        Raises:
            LocalError: the file is damaged or truncated.
        """
        values = _values(self.path)
        next(values)
        n = 0
        for value in values:
            if value == n:
                return
            match value:
                case [int(kind), int(flag), bytes(data)]:
                    n += 1
                    yield Record(kind, flag, data)
                case _:
                    raise LocalError(f"{self.path} is damaged behind record {n}")
        raise LocalError(f"{self.path} is truncated: it ends behind record {n}")


def write_flight(path: Path, flight: Flight, *, leg: LegId | None, capacity: int) -> None:
    """Write a flight for its owner's eyes alone.

    Raises:
        LocalError: the path cannot be written.
    """
    head = {"layout": LAYOUT, "version": version("tandem-voice"), "leg": leg} | {
        "legs": list(flight.legs),
        "capacity": capacity,
    }
    pack, squeeze = msgpack.Packer().pack, zlib.compressobj(6)
    try:
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            os.fchmod(file.fileno(), 0o600)  # it may have been there
            file.write(_MAGIC)
            file.writelines(squeeze.compress(pack(value)) for value in _values_of(head, flight))
            file.write(squeeze.flush())
    except OSError as error:
        raise LocalError(f"cannot write {path}: {error.strerror or error}") from error


def _values_of(head: Mapping[str, Any], flight: Flight) -> Iterator[Any]:
    yield head
    for record in flight.records:
        yield [record.kind, record.flag, record.data]
    yield len(flight.records)


def read_flight(path: Path) -> FlightFile:
    """Read the beginning of a file; its records are read when they are asked for.

    Raises:
        LocalError: it cannot be read, is no flight, or one of another build.
    """
    head = next(_values(path), None)
    match head:
        case {
            "layout": str(layout),
            "version": str(made_by),
            "leg": str() | None as leg,
            "legs": [*legs],
            "capacity": int(capacity),
        }:
            pass
        case _:
            raise LocalError(f"{path} is damaged: it does not say what it is")
    if layout != LAYOUT:
        raise LocalError(f"{path} was recorded by another build (tandem {made_by}): replay it with that one")
    if not 0 < capacity <= MOST_ROWS or not all(isinstance(leg, str) for leg in legs):
        raise LocalError(f"{path} is damaged: no plane has {capacity} rows for {len(legs)} such legs")
    names = tuple(LegId(name) for name in legs)
    return FlightFile(path, made_by, None if leg is None else LegId(leg), names, capacity)


def _values(path: Path) -> Iterator[Any]:
    """Yield the msgpack values of a file; it ends without a word where the file does."""
    try:
        with open(path, "rb") as file:
            _check_magic(path, file.read(len(_MAGIC)))
            yield from _unpacked(path, file)
    except OSError as error:
        raise LocalError(f"cannot read {path}: {error.strerror or error}") from error


def _check_magic(path: Path, magic: bytes) -> None:
    if magic == _MAGIC:
        return
    if magic.startswith(_ANY_VERSION):
        raise LocalError(f"{path} is a flight of another version; this Tandem reads version 1")
    raise LocalError(f"{path} is no flight: `tandem replay --record LEG` makes one")


def _unpacked(path: Path, file: IO[bytes]) -> Iterator[Any]:
    unpacker = msgpack.Unpacker(max_buffer_size=_MOST_RECORD_BYTES, strict_map_key=False)
    total = 0
    try:
        for piece in _inflated(file):
            total += len(piece)
            if total > _MOST_BYTES:
                raise LocalError(f"{path} holds more than {_MOST_BYTES >> 30} GiB, which no flight does")
            unpacker.feed(piece)
            yield from unpacker
    except (zlib.error, ValueError, msgpack.exceptions.UnpackException) as error:
        raise LocalError(f"{path} is damaged: {error}") from error


def _inflated(file: IO[bytes]) -> Iterator[bytes]:
    inflate = zlib.decompressobj()
    while chunk := file.read(_CHUNK):
        while chunk:
            yield inflate.decompress(chunk, _CHUNK)
            chunk = inflate.unconsumed_tail
