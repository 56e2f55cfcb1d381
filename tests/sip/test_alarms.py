from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gateway.sip.alarms import Alarms


def test_alarms_ring_in_order_of_time_then_of_setting() -> None:
    alarms: Alarms[str] = Alarms()
    for name, at in (("late", 3.0), ("a", 1.0), ("b", 1.0)):
        alarms.set(name, at)

    assert alarms.next() == 1.0
    assert list(alarms.due(2.0)) == ["a", "b"]
    assert (alarms.next(), len(alarms)) == (3.0, 1)


def test_an_alarm_that_is_set_again_moves() -> None:
    alarms: Alarms[str] = Alarms()
    alarms.set("x", 1.0)
    alarms.set("x", 5.0)

    assert (list(alarms.due(4.0)), alarms.next()) == ([], 5.0)


def test_a_cleared_alarm_is_silent() -> None:
    alarms: Alarms[str] = Alarms()
    alarms.set("x", 1.0)
    alarms.clear("x")
    alarms.clear("never set")

    assert (list(alarms.due(2.0)), alarms.next(), len(alarms)) == ([], None, 0)


def test_an_alarm_set_for_the_past_while_others_ring_rings_too() -> None:
    alarms: Alarms[str] = Alarms()
    alarms.set("first", 1.0)
    rung = []
    for name in alarms.due(2.0):
        rung.append(name)
        if name == "first":
            alarms.set("second", 1.5)

    assert rung == ["first", "second"]


@given(st.lists(st.tuples(st.integers(0, 5), st.floats(0, 100)), max_size=200))
def test_however_often_alarms_move_each_rings_once_at_its_last_time(moves: list[tuple[int, float]]) -> None:
    alarms: Alarms[int] = Alarms()
    for name, at in moves:
        alarms.set(name, at)

    last = dict(moves)
    assert sorted(alarms.due(100.0)) == sorted(last)
