"""Telephone numbers, however they are written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.switch.numbers import covered_by, e164, is_e164


@pytest.mark.parametrize(
    "written",
    [
        "+46730170101",
        "46730170101",
        "0046730170101",
        "+46(0)73-017-0101",
        " +46 73 017 01 01 ",
        "+46.73.0170101",
    ],
)
def test_one_number_has_one_form(written):
    assert e164(written) == "+46730170101"


def test_a_national_number_needs_its_country():
    assert e164("073-017 01 01", region="SE") == "+46730170101"


@pytest.mark.parametrize(
    "text", ["", "alice", "+", "+12", "sip:+46730170101@host", "*21#", "+46730170101;x", "1" * 17]
)
def test_what_is_no_number_is_none(text):
    assert e164(text) is None


@given(st.text(max_size=40))
def test_whatever_is_written_is_a_number_in_one_form_or_none(text):
    number = e164(text)

    assert number is None or (is_e164(number) and e164(number) == number)


def test_without_prefixes_every_number_is_covered():
    assert covered_by("+15550100", ())
    assert covered_by("+15550100", ("+46", "+1"))
    assert not covered_by("+15550100", ("+46",))
