"""Who sits where: a room's legs, and the workers that they are spread over when one is not enough.

A room's home is the worker of its first leg, and everybody sits there until it is crowded: it has as many of the
room's legs as one worker shall have, or is busy.  Whoever comes then sits at another worker: where the leg is
already, if the room has a part there; else at the part, or the worker, with the least to do.  Nobody is moved again
for it, and when nobody else has room either, home takes everybody.

Between home and each part goes one mixed leg each way, a *trunk*: two ordinary rows, one in each worker's room, that
send each other RTP.  Each hears its own room without itself and says it in the other's, so every mix is still
everybody but oneself; parts hear each other through home.

What it costs: two more rows for each part; voices from elsewhere come some 25 ms later (a packet of 10 ms, and the
playout delay of the other end) and once more through mu-law (its noise is 35 dB below speech); and what a room
decides by comparing its speakers (the loudest, who is active) it decides in each part, where the whole of another
part is one speaker.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from gateway.ids import LegId, RoomId
from gateway.media.commands import RowState

__all__ = ["Rooms", "trunk_legs", "trunk_row"]

_TRUNK_PT: Final = 0
_TRUNK_CODEC: Final = "pcmu"
_TRUNK_PTIME_MS: Final = 10


@dataclass(slots=True)
class _Room:
    home: int
    seats: dict[LegId, int] = field(default_factory=dict)


class Rooms:
    """The seats of all rooms."""

    def __init__(self, *, seats: int, crowded: Callable[[int], bool], load: Callable[[int], float]) -> None:
        """`seats`: legs of one room in one worker; `crowded` and `load` tell of a worker."""
        self._seats = seats
        self._crowded = crowded
        self._load = load
        self._rooms: dict[RoomId, _Room] = {}

    def __len__(self) -> int:
        return len(self._rooms)

    def join(self, name: RoomId, leg: LegId, *, at: int, present: Sequence[int]) -> None:
        """Seat a leg that is at a worker; `present` are those that are there.  One that has a seat keeps it."""
        room = self._rooms.setdefault(name, _Room(home=at))
        if leg not in room.seats:
            room.seats[leg] = self._seat_for(room, at, present) if room.seats else room.home

    def _seat_for(self, room: _Room, at: int, present: Sequence[int]) -> int:
        parts = set(room.seats.values())
        preferred = [room.home, at] if at in parts else [room.home]
        others = sorted(present, key=lambda worker: (worker not in parts, self._load(worker)))
        return next((worker for worker in (*preferred, *others) if self._has_seat(room, worker)), room.home)

    def _has_seat(self, room: _Room, worker: int) -> bool:
        taken = sum(seat == worker for seat in room.seats.values())
        return taken < self._seats and not self._crowded(worker)

    def leave(self, name: RoomId, leg: LegId) -> None:
        """Give a seat up; a room that everybody has left is gone."""
        if (room := self._rooms.get(name)) is not None:
            room.seats.pop(leg, None)
            if not room.seats:
                del self._rooms[name]

    def seat(self, name: RoomId | None, leg: LegId) -> int | None:
        """Return the worker where a leg of a room sits."""
        room = None if name is None else self._rooms.get(name)
        return None if room is None else room.seats.get(leg)

    def home(self, name: RoomId | None) -> int | None:
        """Return a room's home, if there is such a room."""
        room = None if name is None else self._rooms.get(name)
        return None if room is None else room.home

    def parts(self, name: RoomId) -> frozenset[int]:
        """Return the workers beside home where legs of a room sit."""
        room = self._rooms.get(name)
        return frozenset() if room is None else frozenset(room.seats.values()) - {room.home}

    def give_up_part(self, name: RoomId, part: int) -> list[LegId]:
        """Seat everybody of a part at home, for lack of a trunk; return them."""
        room = self._rooms[name]
        moved = [leg for leg, seat in room.seats.items() if seat == part]
        room.seats |= dict.fromkeys(moved, room.home)
        return moved


def trunk_legs(room: RoomId, part: int) -> tuple[LegId, LegId]:
    """Return the legs of a trunk: the one at home and the one at the part."""
    return LegId(f"{room}~{part + 1}~home"), LegId(f"{room}~{part + 1}")


def trunk_row(leg: LegId, room: RoomId, remote: tuple[str, int]) -> RowState:
    """Return the state of a trunk's row that speaks to its other end at `remote`."""
    return RowState(
        leg=leg,
        generation=1,
        remote=remote,
        remote_rtcp=None,
        send_codec=_TRUNK_CODEC,
        send_pt=_TRUNK_PT,
        ptime_ms=_TRUNK_PTIME_MS,
        receive={_TRUNK_PT: _TRUNK_CODEC},
        event_send_pt=None,
        event_receive_pt=None,
        sending=True,
        receiving=True,
        room=room,
        force_tick=True,
    )
