"""What a leg carries from one media worker to the next: a snapshot of its row, as bytes.

msgpack, never pickle: the two ends are of one build (`LAYOUT` is checked when it is restored), but bytes that a
process reads must not be able to do more than to be wrong.
"""

from __future__ import annotations

from typing import Any, Final

import msgpack

from gateway.errors import BadMessage
from gateway.ids import LegId
from gateway.media.commands import room_as_map, room_from_map, row_as_map, row_from_map
from gateway.media.snapshot import RowImage, RowSnapshot, Snapshot

__all__ = ["MOST_BYTES", "pack", "unpack_untrusted"]

MOST_BYTES: Final = 160 * 1024
"""What the broker's packets have room for; a row is about 10 to 30 KiB."""

_NOT_OURS: Final = (
    ArithmeticError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
    msgpack.exceptions.UnpackException,
)


def pack(snapshot: Snapshot) -> bytes:
    """Return a snapshot as bytes."""
    rows = [_row_as_map(row) for row in snapshot.rows]
    rooms = [room_as_map(room) for room in snapshot.rooms]
    packed: bytes = msgpack.packb(
        {"layout": snapshot.layout, "ticks": snapshot.ticks, "rows": rows, "rooms": rooms}
    )
    return packed


def unpack_untrusted(luggage: bytes) -> Snapshot:
    """Return the snapshot that `pack` wrote.

    Raises:
        BadMessage: it is none.
    """
    try:
        fields = msgpack.unpackb(luggage, strict_map_key=False)
        rows = tuple(_row_from_map(row) for row in fields["rows"])
        rooms = tuple(room_from_map(room) for room in fields["rooms"])
        return Snapshot(layout=fields["layout"], ticks=int(fields["ticks"]), rows=rows, rooms=rooms)
    except _NOT_OURS as error:
        raise BadMessage(f"luggage that is no snapshot: {error}") from error


def _row_as_map(row: RowSnapshot) -> dict[str, Any]:
    fields = {name: getattr(row, name) for name in RowSnapshot.__slots__}
    fields["state"] = None if row.state is None else row_as_map(row.state)
    fields["image"] = {name: getattr(row.image, name) for name in RowImage.__slots__}
    return fields


def _row_from_map(fields: dict[str, Any]) -> RowSnapshot:
    state, image = fields["state"], fields["image"]
    parts: dict[str, Any] = {
        name: tuple(part) if isinstance(part, list) else part for name, part in image.items()
    }
    told = fields | {
        "leg": LegId(fields["leg"]),
        "state": None if state is None else row_from_map(state),
        "image": RowImage(**parts),
    }
    return RowSnapshot(**told)
