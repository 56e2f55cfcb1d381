"""A room that outgrows a worker spans several: who sits where, and the trunks between them."""

from collections import Counter, defaultdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.ids import LegId, RoomId
from gateway.testing.media_house import House
from gateway.transport.media_rooms import Rooms, trunk_legs

ROOM = RoomId("r")
HOME, PART = trunk_legs(ROOM, 1)


def rooms(*, seats=2, crowded=(), loads=(0.0, 0.0, 0.0)):
    return Rooms(seats=seats, crowded=lambda worker: worker in crowded, load=lambda worker: loads[worker])


def seated(found, *joining):
    """Let legs join from the workers they are at; return where each sits."""
    for leg, at in joining:
        found.join(ROOM, LegId(leg), at=at, present=(0, 1, 2))
    return [found.seat(ROOM, LegId(leg)) for leg, _ in joining]


def test_everybody_sits_at_home_while_there_are_seats():
    assert seated(rooms(seats=3), ("a", 1), ("b", 0), ("c", 2)) == [1, 1, 1]


def test_whoever_comes_to_a_full_home_sits_where_there_is_least_to_do():
    assert seated(rooms(loads=(0.0, 0.3, 0.1)), ("a", 0), ("b", 0), ("c", 0)) == [0, 0, 2]


def test_a_part_that_exists_is_filled_before_the_next_is_opened():
    found = rooms(loads=(0.0, 0.3, 0.1))

    assert seated(found, *((leg, 0) for leg in "abcde")) == [0, 0, 2, 2, 1]


def test_a_leg_that_is_at_a_part_already_stays_there():
    found = rooms(seats=3, loads=(0.0, 0.1, 0.1))
    seated(found, *((leg, 0) for leg in "abcd"))

    assert seated(found, ("e", 2), ("f", 1)) == [1, 1]
    assert seated(found, ("g", 2)) == [2]


def test_nobody_comes_to_a_crowded_worker_unless_all_are():
    assert seated(rooms(crowded=(0, 1)), ("a", 0), ("b", 0)) == [0, 2]
    assert seated(rooms(crowded=(0, 1, 2)), ("a", 0), ("b", 1)) == [0, 0]


def test_a_worker_that_is_away_is_waited_for_at_home_and_passed_over_elsewhere():
    found = rooms(seats=1)
    for leg in "abc":
        found.join(ROOM, LegId(leg), at=0, present=(2,))

    assert [found.seat(ROOM, LegId(leg)) for leg in "abc"] == [0, 2, 0]


def test_a_leg_that_has_a_seat_keeps_it():
    found = rooms(seats=1)

    assert seated(found, ("a", 0), ("b", 0), ("a", 2)) == [0, 1, 0]


def test_a_part_that_is_given_up_moves_home():
    found = rooms(seats=1)
    seated(found, ("a", 0), ("b", 0))

    assert found.give_up_part(ROOM, 1) == ["b"]
    assert found.parts(ROOM) == frozenset()


def spanning():
    """Return a house in which a and b are in one room, at two workers."""
    house = House(2, seats=1)
    for leg in "ab":
        house.open(leg)
        house.settle()
        house.join(leg, "r")
        house.settle()
    return house


def rooms_of(house):
    """Return who hears whom: the legs in one room at one worker."""
    found = defaultdict(set)
    for number, worker in enumerate(house.workers):
        for leg, room in worker.rooms.items():
            if room is not None:
                found[number, room].add(leg)
    return dict(found)


def test_a_trunk_joins_the_two_halves_of_a_room():
    house = spanning()

    halves = rooms_of(house)

    assert sorted(map(sorted, halves.values())) == [["a", HOME], ["b", PART]]
    assert house.remotes[HOME] == ("192.0.2.1", house.leases[PART].port)
    assert house.remotes[PART] == ("192.0.2.1", house.leases[HOME].port)


@pytest.mark.parametrize("killed", [0, 1])
def test_a_trunk_outlives_the_death_of_either_worker(killed):
    house = spanning()
    before = rooms_of(house)

    house.kill(killed)
    house.settle()

    assert rooms_of(house) == before
    assert Counter(house.begun) == {"a": 1, "b": 1, HOME: 1, PART: 1}


def test_the_last_leg_of_a_part_takes_the_trunk_with_it():
    house = spanning()

    house.close("b")
    house.settle()

    assert rooms_of(house) == {(0, "r"): {"a"}}
    assert set(house.leases) == {"a"}


def test_a_room_that_everybody_has_left_leaves_no_trunk():
    house = spanning()

    for leg in "ab":
        house.close(leg)
    house.settle()

    assert house.leases == {}
    assert not any(house.placement.census().values())


def test_without_a_port_for_a_trunk_everybody_sits_at_home():
    house = House(2, seats=1)
    for leg in "ab":
        house.open(leg)
        house.settle()
        house.join(leg, "r")

    house.placement.receive(1, {"refused": PART, "reason": "no port is free"}, 0.0)
    house.settle()

    assert rooms_of(house) == {(0, "r"): {"a", "b"}}
    assert set(house.leases) == {"a", "b"}
    assert house.placement.counters["media.trunk_refused"] == 1


LEGS = st.sampled_from("abcdef")
DEEDS = st.one_of(
    st.tuples(st.just("join"), LEGS, st.sampled_from(["x", "y", None])),
    st.tuples(st.just("close"), LEGS),
    st.tuples(st.just("kill"), st.integers(0, 2)),
    *[st.tuples(st.just("step"), st.integers(0, 9))] * 4,
)


@settings(max_examples=150, deadline=None)
@given(st.lists(DEEDS, max_size=60))
def test_in_the_end_all_of_a_room_hear_each_other_over_at_most_two_trunks(deeds):
    house, wanted, names = House(3, seats=2), {}, {}
    for at, (name, *told) in enumerate(deeds):
        match name, *told:
            case "join", letter, room:
                if letter not in names:
                    names[letter] = f"{letter}{at}"  # the switch never gives a leg's name again
                    house.open(names[letter])
                house.join(names[letter], room)
                wanted[names[letter]] = room
            case "close", letter if letter in names:
                house.close(names[letter])
                del wanted[names.pop(letter)]
            case "kill", number:
                house.kill(number)
            case "step", choice if choices := house.choices():
                house.step(*choices[choice % len(choices)])
    house.settle()

    halves = rooms_of(house)
    for room in {"x", "y"} & set(wanted.values()):
        parts = {number: legs for (number, name), legs in halves.items() if name == room}
        assert {leg for legs in parts.values() for leg in legs if "~" not in leg} == {
            leg for leg, where in wanted.items() if where == room
        }
        assert connected(parts, house)
        if not any(name == "kill" for name, *_ in deeds):  # else home may have been the only one there
            assert all(sum("~" not in leg for leg in legs) <= 2 for legs in parts.values())
    assert {leg for leg in house.leases if "~" not in leg} == set(wanted)
    assert {name for _, name in halves} <= {"x", "y"}


def connected(parts, house):
    """Say whether every part is reached from every other through trunks whose ends speak to each other."""
    ports = {house.leases[leg].port: number for number, legs in parts.items() for leg in legs if "~" in leg}
    ways = {
        number: {ports[house.remotes[leg][1]] for leg in legs if "~" in leg} for number, legs in parts.items()
    }
    reached, todo = set(), [next(iter(parts))]
    while todo:
        part = todo.pop()
        if part not in reached:
            reached.add(part)
            todo += ways[part]
    return reached == set(parts)
