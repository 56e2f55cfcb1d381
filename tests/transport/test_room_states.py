"""How a room is mixed is said to every worker, again to one that comes back, and moves with its legs."""

import numpy as np

from gateway.ids import LegId, RoomId, SeededIds
from gateway.media.commands import RoomState, room_as_map
from gateway.media.plane import Plane
from gateway.media.rooms import Rooms
from gateway.testing.plane_bench import PlaneBench
from gateway.transport.media_luggage import pack, unpack_untrusted
from gateway.transport.media_placement import Placement

_STATE = RoomState(RoomId("r"), 1, loudest=3, auto_gain=True)


def test_every_worker_hears_of_a_room():
    placement = Placement(2)

    placement.set_room(_STATE)

    assert placement.transmit() == [(worker, {"room": room_as_map(_STATE)}) for worker in range(2)]


def test_a_worker_that_comes_back_is_told_again():
    placement = Placement(2)
    placement.set_room(_STATE)
    placement.transmit()

    placement.joined(1, frozenset(), 0.0, inherited=False)

    assert (1, {"room": room_as_map(_STATE)}) in placement.transmit()


def test_a_room_moves_with_its_legs():
    bench = PlaneBench()
    bench.plane.apply_room(_STATE)
    bench.join("r", bench.leg("a"), bench.leg("b"))

    snapshot = unpack_untrusted(pack(bench.plane.snapshot([LegId("a")])))
    other = Plane(4, SeededIds(2))
    other.restore(snapshot, bench.now)

    assert other.snapshot([LegId("a")]).rooms == (_STATE,)


def test_an_older_state_is_ignored():
    rooms = Rooms(4)
    rooms.apply(RoomState(RoomId("r"), 2, loudest=5))
    rooms.apply(RoomState(RoomId("r"), 1, loudest=6))

    assert rooms.state(RoomId("r")).loudest == 5


def test_a_state_is_kept_while_the_room_is_empty_and_of_too_many_the_oldest_goes():
    rooms = Rooms(4)
    rooms.apply(_STATE)
    number = rooms.enter(RoomId("r"), 0)
    rooms.leave(RoomId("r"), 0)
    assert rooms.settings["loudest"][number] == 3

    for n in range(8):
        rooms.apply(RoomState(RoomId(f"room {n}"), 1, loudest=n))
    assert rooms.state(RoomId("r")).loudest == RoomState(RoomId("r"), 0).loudest
    assert rooms.state(RoomId("room 0")).loudest == 0


def test_the_number_of_a_room_is_free_again_when_it_is_empty():
    rooms = Rooms(2)
    numbers = []
    for n in range(10):
        numbers.append(rooms.enter(RoomId(f"room {n}"), 0))
        rooms.leave(RoomId(f"room {n}"), 0)

    assert np.unique(numbers).tolist() == [0]
