"""`docs/known-bugs.md` is true: each bug that others shipped has a test, or a sentence why it cannot occur here."""

import pytest

from gateway.testing.documented import named_tests, rows_of, unknown_tests

BUGS = {
    int(number): (symptom, where, why) for number, symptom, where, why in rows_of("known-bugs.md", columns=4)
}


def test_none_is_left_out():
    assert sorted(BUGS) == list(range(1, len(BUGS) + 1))
    assert len(BUGS) >= 42


@pytest.mark.parametrize("number", sorted(BUGS))
def test_each_names_its_report_and_has_a_test_or_a_sentence(number):
    _, where, why = BUGS[number]

    assert "#" in where
    assert unknown_tests(why) == []
    assert named_tests(why) or why.endswith("."), "neither a test nor a sentence"
