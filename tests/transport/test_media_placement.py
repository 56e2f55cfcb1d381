"""Legs are placed, moved to their room, and found again whoever dies and whenever."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.errors import Overload
from gateway.ids import LegId
from gateway.media.commands import row_as_map
from gateway.media.events import DigitHeard, RtpTimedOut
from gateway.testing.media_house import House, state_of
from gateway.transport.media_leg import PortOpened, PortRefused
from gateway.transport.media_place_table import TRANSITIONS, Heard, Where, diagram
from gateway.transport.media_placement import Placement

HERE = "192.0.2.1"


def connected(workers=2, **options):
    placement = Placement(workers, **options)
    for number in range(workers):
        placement.joined(number, frozenset(), 0.0, inherited=False)
    return placement


def opened(placement, leg, *, port=4000):
    """Open a leg and return the worker that was asked."""
    placement.open(LegId(leg), 0.0)
    ((worker, message),) = placement.transmit()
    assert message == {"open": leg}
    placement.receive(worker, {"opened": leg, "port": port, "address": HERE}, 0.0)
    placement.transmit()
    return worker


def load(placement, worker, busy, refusal=None):
    placement.receive(worker, {"figures": {"busy": busy, "refusal": refusal}}, 0.0)


def test_the_two_legs_of_a_call_are_placed_together():
    placement = connected()

    assert opened(placement, "a") == opened(placement, "b")


def test_the_next_leg_goes_to_the_worker_with_clearly_less_to_do():
    placement = connected()
    first = opened(placement, "a")
    load(placement, first, 0.30)
    load(placement, 1 - first, 0.10)

    assert opened(placement, "b") == 1 - first


def test_many_legs_between_two_reports_are_spread():
    placement = connected()

    asked = [opened(placement, f"leg {n}") for n in range(200)]

    assert 60 < sum(asked) < 140


def test_a_worker_that_is_away_or_full_is_not_asked_while_another_is_there():
    placement = connected(3)
    placement.lost(0)
    load(placement, 1, 0.95, refusal="busy")

    assert [opened(placement, leg) for leg in "ab"] == [2, 2]


def test_a_leg_that_one_worker_refuses_is_asked_of_the_other():
    placement = connected()
    placement.open(LegId("a"), 0.0)
    ((worker, _),) = placement.transmit()

    placement.receive(worker, {"refused": "a", "reason": "busy"}, 0.0)

    assert placement.transmit() == [(1 - worker, {"open": "a"})]


def test_a_leg_that_all_refuse_is_refused_with_the_last_reason():
    placement = connected()
    placement.open(LegId("a"), 0.0)
    for reason in ("busy", "no port is free"):
        ((worker, _),) = placement.transmit()
        placement.receive(worker, {"refused": "a", "reason": reason}, 0.0)

    assert list(placement.events()) == [PortRefused(LegId("a"), "no port is free")]
    assert not any(placement.census().values())


def test_nobody_who_answers_within_five_seconds_is_a_refusal():
    placement = connected()
    placement.open(LegId("a"), 10.0)

    placement.deadline_reached(placement.next_deadline())

    assert [type(event) for event in placement.events()] == [PortRefused]
    assert placement.transmit()[-1][1] == {"close": "a"}


def test_a_thousand_waiting_openings_are_enough():
    placement = connected()
    for number in range(1000):
        placement.open(LegId(str(number)), 0.0)

    with pytest.raises(Overload):
        placement.open(LegId("one more"), 0.0)


def test_a_leg_that_joins_a_room_elsewhere_is_moved_and_then_told_its_state():
    placement = connected()
    home = opened(placement, "a")
    placement.set(state_of("a", "room"))
    placement.transmit()
    load(placement, home, 0.5)
    away = opened(placement, "b", port=4002)
    assert away != home
    placement.transmit()

    placement.set(state_of("b", "room"))
    assert placement.transmit() == [(away, {"move": "b", "to": home})]
    placement.receive(home, {"opened": "b", "port": 4002, "address": HERE}, 1.0)

    assert placement.transmit() == [(home, {"set": row_as_map(state_of("b", "room"))})]
    assert placement.counters["media.port_lost"] == 0


def test_a_room_that_everybody_has_left_has_no_home():
    house = House(2)
    house.open("a")
    house.settle()
    house.join("a", "room")
    house.join("a", None)

    assert house.placement.census()["rooms"] == 0


def test_a_source_follows_its_room_without_a_port():
    placement = connected()
    home = opened(placement, "a")
    placement.set(state_of("a", "room"))
    placement.transmit()

    placement.set(state_of("prompt", "room"))

    assert placement.transmit() == [(home, {"set": row_as_map(state_of("prompt", "room"))})]


def test_events_of_every_worker_are_told():
    placement = connected()

    for worker in (0, 1):
        placement.receive(worker, {"event": "DigitHeard", "leg": "a", "digit": "5", "duration_ms": 100}, 0.0)

    assert list(placement.events()) == 2 * [DigitHeard(LegId("a"), "5", 100)]


def test_a_leg_whose_port_has_changed_is_as_good_as_silent():
    placement = connected()
    worker = opened(placement, "a")
    list(placement.events())

    placement.receive(worker, {"opened": "a", "port": 4444, "address": HERE}, 0.0)

    assert next(placement.events()) == RtpTimedOut(LegId("a"))


def test_a_leg_whose_port_cannot_be_had_again_is_as_good_as_silent():
    placement = connected()
    worker = opened(placement, "a")
    list(placement.events())
    placement.lost(worker)
    placement.joined(worker, frozenset(), 1.0, inherited=False)
    assert placement.transmit() == [(worker, {"reopen": "a"})]

    placement.receive(worker, {"refused": "a", "reason": "no port is free"}, 1.0)

    assert list(placement.events()) == [RtpTimedOut(LegId("a"))]


def test_rows_of_a_switch_before_us_are_left_alone_and_others_closed():
    placement = Placement(1)

    placement.joined(0, frozenset({LegId("theirs")}), 0.0, inherited=True)
    assert placement.transmit() == []

    placement.joined(0, frozenset({LegId("ghost")}), 0.0, inherited=False)
    assert placement.transmit() == [(0, {"close": "ghost"})]


# A move that meets a death: each row of the table by the model of broker and workers.


def moving():
    """Return a house in which leg b has just been told to move, and the workers it goes from and to."""
    house = House(2)
    for leg in "ab":
        house.open(leg)
        house.settle()
        home = house.placement.worker_of(LegId("a"))
        house.placement.receive(home, {"figures": {"busy": 0.5}}, 0.0)
    house.join("a", "room")
    house.settle()
    house.join("b", "room")
    assert house.placement.census()["moving"] == 1
    return house, 1 - home, home


def advance(house, *deeds):
    """Let these happen, in this order."""
    for deed in deeds:
        house.step(*deed)


def assert_b_has_arrived_unbroken(house, home):
    house.settle()
    assert house.leases["b"].holder == house.placement.worker_of(LegId("b")) == home
    assert house.workers[home].rooms == {"a": "room", "b": "room"}
    assert house.begun == ["a", "b"]


def test_a_move_in_peace():
    house, _, home = moving()

    assert_b_has_arrived_unbroken(house, home)


def test_the_old_worker_dies_before_it_is_told():
    house, away, home = moving()

    house.kill(away)

    assert_b_has_arrived_unbroken(house, home)


def test_the_old_worker_dies_after_it_has_let_go():
    house, away, home = moving()
    advance(house, ("obey", away))

    house.kill(away)

    assert_b_has_arrived_unbroken(house, home)


def test_the_new_worker_dies_before_the_leg_comes():
    house, away, home = moving()

    house.kill(home)
    advance(house, ("obey", away))

    assert_b_has_arrived_unbroken(house, home)


def test_the_new_worker_dies_while_the_leg_waits_for_it():
    house, away, home = moving()
    advance(house, ("obey", away), ("ask", away))

    house.kill(home)

    assert_b_has_arrived_unbroken(house, home)


def test_the_new_worker_dies_when_it_has_the_leg_and_nobody_knows_yet():
    house, away, home = moving()
    advance(house, ("obey", away), ("ask", away), ("lease", home))

    house.kill(home)

    assert_b_has_arrived_unbroken(house, home)


def test_both_die_with_the_leg_between_them():
    house, away, home = moving()
    advance(house, ("obey", away), ("ask", away))

    house.kill(away)
    house.kill(home)

    assert_b_has_arrived_unbroken(house, home)


def test_a_leg_that_is_closed_on_its_way_leaves_nothing():
    house, away, _ = moving()
    advance(house, ("obey", away), ("ask", away))

    house.close("b")
    house.settle()

    assert set(house.leases) == {"a"}
    assert [leg for worker in house.workers for leg in worker.rows] == ["a"]


LEGS = st.sampled_from("abcde")
DEEDS = st.one_of(
    st.tuples(st.just("open"), LEGS),
    st.tuples(st.just("join"), LEGS, st.sampled_from(["x", "y", None])),
    st.tuples(st.just("close"), LEGS),
    st.tuples(st.just("kill"), st.integers(0, 2)),
    st.tuples(st.just("busy"), st.integers(0, 2), st.floats(0, 0.5)),  # above 0.6 a room spans workers
    *[st.tuples(st.just("step"), st.integers(0, 9))] * 6,
)


@settings(max_examples=200, deadline=None)
@given(st.lists(DEEDS, max_size=80))
def test_in_the_end_every_leg_is_where_its_room_is_and_was_never_broken(deeds):
    house, wanted, names = House(3), {}, {}
    for at, (name, *told) in enumerate(deeds):
        match name, *told:
            case "open", letter if letter not in names:
                names[letter] = f"{letter}{at}"  # the switch never gives a leg's name again
                house.open(names[letter])
                wanted[names[letter]] = None
            case "join", letter, room if letter in names:
                house.join(names[letter], room)
                wanted[names[letter]] = room
            case "close", letter if letter in names:
                house.close(names[letter])
                del wanted[names.pop(letter)]
            case "kill", number:
                house.kill(number)
            case "busy", number, busy if house.workers[number].alive:
                house.placement.receive(number, {"figures": {"busy": busy}}, house.now)
            case "step", choice if choices := house.choices():
                house.step(*choices[choice % len(choices)])
    house.settle()

    rows = {leg: number for number, worker in enumerate(house.workers) for leg in worker.rows}
    assert {leg: lease.holder for leg, lease in house.leases.items()} == rows
    assert rows.keys() == wanted.keys()
    assert {leg: house.workers[number].rooms[leg] for leg, number in rows.items()} == wanted
    for room in {"x", "y"} & set(wanted.values()):
        assert len({rows[leg] for leg, where in wanted.items() if where == room}) == 1
    assert sum(len(worker.rows) for worker in house.workers) == len(rows)
    assert max(Counter(house.begun).values(), default=1) == 1


def test_every_state_but_the_end_can_be_left_and_the_table_draws_itself():
    assert {state for state, _ in TRANSITIONS} == set(Where) - {Where.GONE}
    assert {heard for _, heard in TRANSITIONS} == set(Heard)
    assert "MOVING --> SETTLED: opened_there / arrive, tell_port, place" in diagram()


def test_a_port_that_comes_is_told_with_the_announced_address():
    placement = connected(1, announced="203.0.113.7")

    opened(placement, "a", port=4000)

    assert list(placement.events()) == [PortOpened(LegId("a"), ("203.0.113.7", 4000))]
