"""Numbers as carriers write them, and who calls as they want to be told."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.sip.identity import CallerId
from gateway.switch.trunk_identity import Presentation, presented
from gateway.switch.trunk_numbers import NumberFormat

SWEDISH = {"country": "46", "national_prefix": "0", "international_prefix": "00"}
HOST = "192.0.2.1"


@pytest.mark.parametrize(
    ("style", "number", "written"),
    [
        ("e164", "+46701234567", "+46701234567"),
        ("plain", "+46701234567", "46701234567"),
        ("national", "+46701234567", "0701234567"),
        ("national", "+15550100", "0015550100"),
        ("international", "+46701234567", "0046701234567"),
        ("plain", "alice", "alice"),
        ("national", "112", "112"),
    ],
)
def test_a_number_is_written_in_the_style_of_the_trunk(style, number, written):
    assert NumberFormat(style, **SWEDISH).written(number) == written


@pytest.mark.parametrize(
    ("style", "text", "number"),
    [
        ("e164", "0046701234567", "+46701234567"),
        ("e164", "0701234567", "+46701234567"),
        ("e164", "+4670-123.45(67)", "+46701234567"),
        ("plain", "46701234567", "+46701234567"),
        ("plain", "0701234567", "+46701234567"),
        ("national", "0015550100", "+15550100"),
        ("e164", "112", "112"),
        ("national", "alice", "alice"),
    ],
)
def test_a_number_is_read_as_e164(style, text, number):
    assert NumberFormat(style, **SWEDISH).read(text) == number


def test_a_country_without_a_national_prefix_has_ten_digits_alone():
    american = NumberFormat("national", country="1", national_prefix="", international_prefix="011")
    assert american.written("+12025550100") == "2025550100"
    assert american.read("2025550100") == "+12025550100"
    assert american.read("01146701234567") == "+46701234567"


def test_the_dial_prefix_stands_before_what_is_dialled_and_no_other_number():
    numbers = NumberFormat("plain", dial_prefix="99")
    assert (numbers.dialled("+4670"), numbers.written("+4670")) == ("994670", "4670")


@given(
    style=st.sampled_from(["e164", "plain", "national", "international"]),
    number=st.from_regex(r"\+[1-9][0-9]{6,14}", fullmatch=True).filter(lambda text: text[:4] != "+460"),
)
def test_what_we_write_we_read_again(style, number):
    numbers = NumberFormat(style, **SWEDISH)
    assert numbers.read(numbers.written(number)) == number


@given(style=st.sampled_from(["e164", "plain", "national", "international"]), text=st.text(max_size=40))
def test_any_text_can_be_read(style, text):
    assert isinstance(NumberFormat(style, **SWEDISH).read(text), str)


def test_the_caller_is_asserted_in_the_trunks_own_style():
    from_, headers = presented(CallerId("+46701234567"), Presentation(), NumberFormat("plain"), HOST)
    assert from_.uri.user == "46701234567"
    assert headers == [("P-Asserted-Identity", "<sip:46701234567@192.0.2.1>")]


def test_a_user_without_a_number_is_shown_by_the_trunks_caller_id():
    how = Presentation(caller_id="+46700000001")
    from_, _ = presented(CallerId("alice", "Alice"), how, NumberFormat(), HOST)
    assert from_.uri.user == "+46700000001"


def test_the_account_stands_in_the_from_and_the_caller_beside_it():
    how = Presentation(from_user="account", from_host="carrier.example")
    from_, headers = presented(CallerId("+46701234567"), how, NumberFormat(), HOST)
    assert str(from_.uri) == "sip:account@carrier.example"
    assert headers == [("P-Asserted-Identity", "<sip:+46701234567@carrier.example>")]


def test_a_withheld_caller_is_asserted_with_privacy():
    caller = CallerId("+46701234567", withheld=True)
    from_, headers = presented(caller, Presentation(), NumberFormat(), HOST)
    assert from_.uri.host == "anonymous.invalid"
    assert ("Privacy", "id") in headers


def test_a_trunk_that_takes_no_assertion_never_learns_a_withheld_number():
    caller = CallerId("+46701234567", withheld=True)
    from_, headers = presented(caller, Presentation(asserted=False), NumberFormat(), HOST)
    assert (from_.uri.host, headers) == ("anonymous.invalid", [])
