"""Admission on a switch that needs 5 ms for a call: what it completes, whom it refuses, how soon it forgets."""

from __future__ import annotations

import re
from functools import cache

import pytest

from gateway.sip.admission import Admission
from gateway.testing.busy_switch import CALL_S, BusySwitch

CAPACITY = 1 / CALL_S


SECONDS = 20.0


@cache
def busy(times: float, seconds: float = SECONDS) -> BusySwitch:
    """Return a switch to which so many times its capacity was offered; it is only looked at."""
    switch = BusySwitch()
    switch.run(seconds, {"a": times * CAPACITY})
    return switch


@pytest.mark.parametrize("times", [0.2, 0.8, 0.95])
def test_below_capacity_nobody_is_refused(times: float) -> None:
    switch = busy(times)

    assert (switch.refusals, list(switch.admission.episodes)) == ([], [])


@pytest.mark.parametrize(("times", "share"), [(1.2, 0.9), (2.0, 0.9), (4.0, 0.9), (10.0, 0.8)])
def test_promise_6_goodput_does_not_collapse(times: float, share: float) -> None:
    """The refusals cost their time, too: at ten times the capacity nearly a fifth of it."""
    assert busy(times).calls["a"] >= share * CAPACITY * SECONDS


@pytest.mark.parametrize("times", [2.0, 10.0])
def test_who_is_let_in_has_not_waited_long(times: float) -> None:
    waits = sorted(busy(times).waits_s[True])

    assert waits[len(waits) // 2] < 0.1
    assert waits[-1] <= 0.45  # the first half second, before it is known to be an overload


def test_promise_8_what_is_begun_never_waits_for_what_is_new() -> None:
    assert max(busy(4.0).waits_s[False]) < 0.1


def test_promise_7_a_refusal_says_when_to_come_back_and_not_to_all_the_same() -> None:
    refusals = busy(10.0, seconds=5.0).refusals
    said = [re.findall(rb"\r\nRetry-After: (\d+)\r\n", refusal) for refusal in refusals]

    assert {seconds for (seconds,) in said} == {b"%d" % n for n in range(2, 9)}


@pytest.mark.parametrize("times", [2.0, 10.0])
def test_promise_9_five_seconds_later_everybody_is_let_in(times: float) -> None:
    switch = BusySwitch()
    switch.run(10.0, {"a": times * CAPACITY})
    switch.run(4.0, {"a": 0.5 * CAPACITY})
    refused = len(switch.refusals)
    switch.run(10.0, {"a": 0.5 * CAPACITY})

    assert len(switch.refusals) == refused
    assert not switch.admission.overloaded


def test_promise_10_one_who_asks_for_too_much_does_not_crowd_out_another() -> None:
    switch = BusySwitch()
    rates = {"loud": 10 * CAPACITY, "modest": 0.2 * CAPACITY}
    switch.run(5.0, rates)  # it takes a while to learn what can be carried
    before = switch.calls["modest"]
    switch.run(10.0, rates)

    assert switch.calls["modest"] - before >= 0.95 * 10.0 * rates["modest"]


def test_a_pause_of_the_machine_is_no_overload() -> None:
    switch = BusySwitch()
    switch.run(5.0, {"a": 0.3 * CAPACITY})
    switch.stall(0.3)
    switch.run(5.0, {"a": 0.3 * CAPACITY})

    assert switch.refusals == []


def test_an_episode_is_told_once_when_it_begins_and_once_when_it_is_over() -> None:
    switch = BusySwitch()
    switch.run(10.0, {"a": 3.0 * CAPACITY})
    switch.run(10.0, {"a": 0.5 * CAPACITY})
    began, over = switch.admission.episodes

    assert (began.over, over.over) == (False, True)
    assert began.delay_s > 0.05
    assert over.refused == len(switch.refusals)
    assert 10.0 < over.lasted_s < 15.0


def test_an_episode_ends_by_its_own_deadline_when_nobody_comes_any_more() -> None:
    switch = BusySwitch()
    switch.run(5.0, {"a": 3.0 * CAPACITY})
    admission = switch.admission
    for _ in range(200):
        if (deadline := admission.next_deadline()) is not None:
            admission.settle(deadline)

    assert not admission.overloaded
    assert admission.next_deadline() is None


def test_without_a_wait_there_is_no_limit() -> None:
    admission = Admission()

    assert all(admission.lets_in("a", now=0.0) for _ in range(100_000))
