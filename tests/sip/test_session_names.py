"""RFC 7989: each message says the UUIDs of both ends, and a switch passes them on."""

from __future__ import annotations

import re

import pytest

from gateway.ids import SeededIds
from gateway.sip.message import parse_message_untrusted
from gateway.sip.session_names import SessionNames

A, B, NOBODY = "a" * 32, "b" * 32, "0" * 32


def invite(call_id, name=None):
    said = "" if name is None else f"Session-ID: {name}\r\n"
    return parse_message_untrusted(
        (
            "INVITE sip:b@h SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nFrom: <sip:a@h>;tag=1\r\n"
            f"To: <sip:b@h>\r\nCall-ID: {call_id}\r\nCSeq: 1 INVITE\r\n{said}Content-Length: 0\r\n\r\n"
        ).encode()
    )


def answer(call_id, name=None, status=200):
    said = "" if name is None else f"Session-ID: {name}\r\n"
    return parse_message_untrusted(
        (
            f"SIP/2.0 {status} Well\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\nFrom: <sip:a@h>;tag=1\r\n"
            f"To: <sip:b@h>;tag=2\r\nCall-ID: {call_id}\r\nCSeq: 1 INVITE\r\n{said}Content-Length: 0\r\n\r\n"
        ).encode()
    )


def said_on(names, call_id):
    ((_, value),) = names.headers(call_id)
    ours, _, theirs = value.partition(";remote=")
    return ours, theirs


@pytest.fixture
def names():
    return SessionNames(SeededIds(1))


def test_the_names_of_both_ends_are_passed_on(names):
    names.came(invite("left", f"{A};remote={NOBODY}"))
    names.went(invite("right", f"{A};remote={NOBODY}"))
    names.heard(answer("right", f"{B};remote={A}"))

    assert said_on(names, "left") == (B, A)
    assert said_on(names, "right") == (A, B)


def test_ends_without_a_name_get_one_each_and_both_legs_say_the_same(names):
    passed = names.came(invite("left"))
    names.went(invite("right", passed.headers.get("Session-ID")))
    names.heard(answer("right"))

    ours, theirs = said_on(names, "left")
    assert said_on(names, "right") == (theirs, ours)
    assert re.fullmatch(r"[0-9a-f]{12}4[0-9a-f]{3}[89ab][0-9a-f]{15}", ours)
    assert len({ours, theirs, NOBODY}) == 3


@pytest.mark.parametrize("status", [100, 302, 486])
def test_who_refuses_names_nobody(names, status):
    names.went(invite("right", f"{A};remote={NOBODY}"))
    names.heard(answer("right", f"{B};remote={A}", status))
    assert said_on(names, "right") == (A, NOBODY)


@pytest.mark.parametrize("said", [NOBODY, "x" * 32, "", "abc", f"{A}{A}", "-" * 32])
def test_a_name_that_is_none_is_as_good_as_no_name(names, said):
    passed = names.came(invite("left", f"{said};remote={NOBODY}"))
    assert passed.headers.get("Session-ID") == f"{said_on(names, 'left')[1]};remote={NOBODY}"
    assert said_on(names, "left")[1] not in (said, NOBODY)


def test_a_name_in_capitals_is_the_same_name(names):
    names.came(invite("left", A.upper()))
    assert said_on(names, "left")[1] == A


def test_a_leg_that_is_over_has_no_names(names):
    names.came(invite("left", A))
    names.went(invite("right", A))
    for call_id in ("left", "right", "never"):
        names.forget(call_id)
    assert (len(names), names.headers("left")) == (0, [])
    names.heard(answer("right", B))


def test_ends_that_are_introduced_say_each_others_names(names):
    names.came(invite("left", A))
    names.went(invite("right", NOBODY))
    names.heard(answer("right", B))
    names.introduce("left", "right")

    assert said_on(names, "left") == (B, A)
    assert said_on(names, "right") == (A, B)


def test_an_end_without_a_name_is_introduced_by_one_of_our_making(names):
    names.came(invite("left", A))
    names.went(invite("right"))
    names.introduce("left", "right")

    ours, _ = said_on(names, "left")
    assert ours not in (A, NOBODY)
    assert said_on(names, "right") == (A, ours)


def test_nobody_is_introduced_to_a_leg_that_is_over(names):
    names.came(invite("left", A))
    before = said_on(names, "left")
    names.introduce("left", "never")
    assert said_on(names, "left") == before
    assert names.introduction("never") == []
