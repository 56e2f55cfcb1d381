"""Which number a called party is shown."""

from dataclasses import replace

import pytest

from gateway.sip.identity import CallerId
from gateway.switch.caller_ids import caller_id, shown_as
from gateway.switch.records import Number
from gateway.testing.application import APPLICATION, MemoryDirectory

MINE, THEIRS, VERIFIED = "+46700000001", "+46700000002", "+46700000003"
DIRECTORY = MemoryDirectory(
    [replace(APPLICATION, verified=(VERIFIED, THEIRS))],
    [Number(MINE, APPLICATION.key), Number(THEIRS, "another")],
)
CALLER = CallerId("+15550100", "Somebody")


def shown(asked, *, origin=CALLER):
    return shown_as(caller_id(asked, origin=origin, application=APPLICATION.key.upper(), directory=DIRECTORY))


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (None, "+15550100"),
        ("", "+15550100"),
        ("incoming", "+15550100"),
        ("Private", "private"),
        (MINE, MINE),
        (MINE.removeprefix("+"), MINE),
        (VERIFIED, VERIFIED),
        (THEIRS, "private"),
        ("+15550199", "private"),
        ("+15550100", "+15550100"),
        ("no number", "private"),
    ],
)
def test_a_caller_is_shown_or_a_number_of_the_application(asked, expected):
    assert shown(asked) == expected


@pytest.mark.parametrize(
    ("asked", "expected"),
    [(None, "private"), ("private", "private"), (MINE, MINE), (VERIFIED, VERIFIED), (THEIRS, "private")],
)
def test_an_application_shows_its_own_and_verified_numbers_only(asked, expected):
    assert shown(asked, origin=None) == expected


def test_a_carrier_is_told_who_hides():
    hidden = caller_id("private", origin=CALLER, application=APPLICATION.key, directory=DIRECTORY)

    assert (hidden.user, hidden.withheld) == ("+15550100", True)


def test_a_number_verified_for_one_application_is_nobody_elses():
    assert shown_as(caller_id(VERIFIED, origin=None, application="another", directory=DIRECTORY)) == "private"
