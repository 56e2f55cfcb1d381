"""What becomes of a trunk: its health, its limits, its turn, and by which door it comes in."""

import ipaddress
from collections import Counter
from itertools import product

import pytest

from gateway.errors import Overload
from gateway.ids import SeededIds
from gateway.sip.flow import Flow
from gateway.sip.uri import parse_uri_untrusted
from gateway.switch.doors import Door, Doors
from gateway.switch.routing import Trunk
from gateway.switch.trunk_health import HEALTH, Health, HealthInput, HealthState
from gateway.switch.trunk_load import Load
from gateway.switch.trunks import Trunks

UP, SUSPECT, DOWN = HealthState
ANSWERED, SILENT, OVERLOADED = HealthInput
URI = parse_uri_untrusted("sip:carrier.example")


def flow(host):
    return Flow("udp", ("192.0.2.1", 5060), (host, 5060))


ONE, TWO = flow("192.0.2.51"), flow("192.0.2.52")


def trunk(name, **keys):
    return Trunk(name, URI, **keys)


def names(trunks, *ordered, now=0.0, seed=1):
    return [each.name for each in trunks.in_order(ordered, now=now, pick=SeededIds(seed).number)]


def test_every_pair_of_state_and_lesson_is_in_the_table():
    assert set(HEALTH) == set(product(HealthState, HealthInput))


@pytest.mark.parametrize(
    ("lessons", "state"),
    [
        ((SILENT,), SUSPECT),
        ((SILENT, SILENT), DOWN),
        ((OVERLOADED,), SUSPECT),
        ((SILENT, SILENT, ANSWERED), UP),
    ],
)
def test_the_state_follows_what_is_learnt(lessons, state):
    health = Health()
    for each in lessons:
        health.learn(each, 0.0)
    assert health.state is state


def test_a_server_that_failed_comes_after_its_neighbour_for_half_a_minute():
    trunks = Trunks()
    trunks.learn("a", ONE, SILENT, now=0.0)
    assert trunks.usable("a", [ONE, TWO], now=29.9) == [TWO, ONE]
    assert trunks.usable("a", [ONE, TWO], now=30.0) == [ONE, TWO]


def test_a_server_that_asked_for_a_pause_is_not_asked_at_all():
    trunks = Trunks()
    trunks.learn("a", ONE, OVERLOADED, now=0.0, retry_after_s=120)
    trunks.learn("a", ONE, ANSWERED, now=1.0)
    assert trunks.usable("a", [ONE, TWO], now=119.9) == [TWO]
    assert trunks.usable("a", [ONE, TWO], now=120.0) == [ONE, TWO]


def test_nobody_makes_us_stay_away_for_longer_than_an_hour():
    trunks = Trunks()
    trunks.learn("a", ONE, OVERLOADED, now=0.0, retry_after_s=10**9)
    assert trunks.usable("a", [ONE], now=3600.0) == [ONE]


def test_only_a_change_of_state_is_news():
    trunks = Trunks()
    for learnt in (ANSWERED, SILENT, SILENT, SILENT, ANSWERED):
        trunks.learn("a", ONE, learnt, now=0.0)
    assert [change.state for change in trunks.changes()] == [SUSPECT, DOWN, UP]
    assert trunks.changes() == []


def test_a_trunk_is_as_well_as_its_best_server():
    trunks = Trunks()
    trunks.learn("a", ONE, SILENT, now=0.0)
    trunks.learn("a", TWO, ANSWERED, now=0.0)
    assert trunks.health_gauge(["a", "b"]) == {"a": 1.0, "b": 1.0}
    trunks.learn("a", TWO, SILENT, now=0.0)
    assert trunks.health_gauge(["a"]) == {"a": 0.5}


def test_the_lowest_priority_comes_first_and_one_that_failed_last():
    trunks, first, second = Trunks(), trunk("first"), trunk("second", priority=1)
    assert names(trunks, second, first) == ["first", "second"]
    trunks.learn("first", ONE, SILENT, now=0.0)
    assert names(trunks, second, first) == ["second", "first"]


def test_weights_are_shares_of_the_calls():
    trunks, many, few = Trunks(), trunk("many", weight=3), trunk("few", weight=1)
    first = Counter(names(trunks, few, many, seed=seed)[0] for seed in range(1000))
    assert 700 < first["many"] < 800


def test_a_trunk_of_no_weight_is_the_last_of_its_priority():
    assert names(Trunks(), trunk("spare", weight=0), trunk("usual")) == ["usual", "spare"]


def test_a_full_trunk_says_which_limit_it_is():
    load = Load("a", max_calls=1, calls_per_s=None)
    permit = load.admit(0.0)
    with pytest.raises(Overload, match="trunk a carries its 1 calls"):
        load.admit(0.0)
    permit.release()
    permit.release()
    assert load.calls == 0


def test_calls_come_no_faster_than_a_trunk_takes_them():
    load = Load("a", max_calls=None, calls_per_s=2.0)
    admitted = 0
    for tick in range(100):  # ten seconds
        try:
            load.admit(tick / 10)
            admitted += 1
        except Overload:
            pass
    assert 20 <= admitted <= 22


def test_less_than_one_call_a_second_still_lets_the_first_in():
    load = Load("a", max_calls=None, calls_per_s=0.1)
    load.admit(0.0)
    with pytest.raises(Overload, match=r"takes 0\.1 new calls a second"):
        load.admit(9.0)
    load.admit(10.0)


def networks(*texts):
    return tuple(ipaddress.ip_network(text) for text in texts)


def test_the_narrowest_network_says_whose_address_it_is():
    doors = Doors([Door("wide", networks("192.0.2.0/24")), Door("narrow", networks("192.0.2.64/26"))])
    assert (doors.of_address("192.0.2.1"), doors.of_address("192.0.2.70")) == ("wide", "narrow")
    assert "198.51.100.1" not in doors


@pytest.mark.parametrize("address", ["2001:db8::1", "fe80::1%eth0", "nonsense", ""])
def test_an_address_of_another_family_is_a_strangers(address):
    assert address not in Doors([Door("a", networks("192.0.2.0/24"))])


def test_a_door_that_wants_both_takes_neither_alone():
    doors = Doors([Door("a", networks("192.0.2.0/24"), key="app", both=True)])
    assert "192.0.2.1" not in doors
    assert doors.of_key("app", "198.51.100.1") is None
    assert doors.of_key("app", "192.0.2.1") == "a"


def test_an_applications_key_is_good_from_anywhere_unless_both_are_wanted():
    doors = Doors([Door("a", networks("192.0.2.0/24"), key="app")])
    assert doors.of_key("app", "198.51.100.1") == "a"
    assert doors.of_address("192.0.2.1") == "a"
