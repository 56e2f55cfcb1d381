"""What a phone number is (section 5.6)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.api.numbering import facts_of

QUERY = "/v1/calling/query/number"


def test_a_number_is_told_under_both_of_its_names(world):
    told = world.api.get(f"{QUERY}/+46730170101").json

    assert (
        told["number"]
        == told["numberItem"]
        == {
            "countryId": "SE",
            "numberType": "Mobile",
            "normalizedNumber": "+46730170101",
            "restricted": False,
            "rate": {"currencyId": "USD", "amount": 0.0368},
        }
    )
    assert isinstance(told["method"], str)


@pytest.mark.parametrize(
    "messy",
    ["+46(0)73-017-0101", "%2B46%20730%20170%20101", "0046730170101", "46730170101", "+46.73.017.01.01"],
)
def test_a_messy_number_is_put_right(world, messy):
    assert world.api.get(f"{QUERY}/{messy}").json["number"]["normalizedNumber"] == "+46730170101"


@pytest.mark.parametrize("number", ["nonsense", "+", "12", "+4673017010112345678", "%00"])
def test_what_is_no_number_is_invalid(world, number):
    answer = world.api.get(f"{QUERY}/{number}")

    assert (answer.status, answer.code) == (400, 40001)


@pytest.mark.parametrize(
    ("number", "country", "kind"),
    [
        ("+4687654321", "SE", "Fixed"),
        ("+12125550100", "US", "Fixed"),
        ("+80012345678", "", "Other"),
        ("+46000000000", "SE", "Unknown"),
    ],
)
def test_numbers_have_a_country_and_a_kind(number, country, kind):
    facts = facts_of(number)

    assert (facts.country, facts.number_type) == (country, kind)


def test_a_destination_that_is_not_allowed_is_restricted(make_world):
    world = make_world(destinations=("+47",))

    assert world.api.get(f"{QUERY}/+46730170101").json["number"]["restricted"] is True
    assert world.api.get(f"{QUERY}/+4722222222").json["number"]["restricted"] is False


def test_a_number_without_a_price_costs_nothing(world):
    assert world.api.get(f"{QUERY}/+12125550100").json["number"]["rate"] == {
        "currencyId": "USD",
        "amount": 0.0,
    }


@given(st.text("+0123456789()-. /x", max_size=30))
def test_whatever_is_written_is_a_number_or_none(written):
    facts = facts_of(written)

    assert facts is None or facts.e164.startswith("+")
