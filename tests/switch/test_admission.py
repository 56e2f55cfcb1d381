"""What an application may spend."""

from dataclasses import replace
from decimal import Decimal

import pytest

from gateway.switch.admission import Allowances, TooOften, check_credit, check_destination
from gateway.switch.money import debit_of
from gateway.switch.records import CallRecord, Money
from gateway.switch.steering import Forbidden, NoCredit
from gateway.testing.application import APPLICATION


def usd(amount):
    return Money(Decimal(amount), "USD")


@pytest.mark.parametrize(
    "limits",
    [{"balance": usd("0")}, {"balance": usd("-1")}, {"spend_cap": usd("5"), "spent": usd("5")}],
)
def test_without_credit_there_is_no_call(limits):
    with pytest.raises(NoCredit):
        check_credit(replace(APPLICATION, **limits))


@pytest.mark.parametrize(
    "limits",
    [{}, {"balance": usd("0.01")}, {"spend_cap": usd("5")}, {"spend_cap": usd("5"), "spent": usd("4.99")}],
)
def test_with_credit_there_is(limits):
    check_credit(replace(APPLICATION, **limits))


def test_only_destinations_on_the_list_may_be_called():
    careful = replace(APPLICATION, destinations=("+46",))

    check_destination(careful, "+46730170101")
    with pytest.raises(Forbidden):
        check_destination(careful, "+15550100")


def test_calls_a_second_are_counted_by_application():
    allowances, slow = Allowances(), replace(APPLICATION, calls_per_s=2.0)
    allowances.take(slow, 0.0)
    allowances.take(slow, 0.0)

    with pytest.raises(TooOften):
        allowances.take(slow, 0.1)
    allowances.take(replace(slow, key="another"), 0.1)
    allowances.take(slow, 0.6)


@pytest.mark.parametrize(("seconds", "minutes"), [(0.4, 1), (12, 1), (60, 1), (61, 2), (3600, 60)])
def test_each_minute_that_was_begun_is_paid(seconds, minutes):
    record = CallRecord(
        call="1", application="a", started_at=0.0, answered_at=5.0, ended_at=5.0 + seconds, rate=usd("0.0095")
    )

    assert debit_of(record) == Money(Decimal("0.0095") * minutes, "USD")


def test_a_call_that_nobody_answered_costs_nothing():
    record = CallRecord(call="1", application="a", started_at=0.0, ended_at=5.0, rate=usd("0.0095"))

    assert debit_of(record) == Money(Decimal(0), "USD")


def test_a_destination_without_a_price_has_no_debit():
    assert debit_of(CallRecord(call="1", application="a", started_at=0.0, ended_at=5.0)) is None
