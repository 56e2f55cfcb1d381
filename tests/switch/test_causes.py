"""What the caller is told when the other leg ends."""

import pytest

from gateway.ids import SeededIds
from gateway.sdp.agreement import NoCommonCodec
from gateway.sip.events import EndCause
from gateway.switch.causes import (
    ENDINGS,
    Q850_OF_STATUS,
    STATUS_OF_Q850,
    best_of,
    ending_of,
    hung_up_by,
    q850_of,
    refused_offer,
)


def remote(status, reason="", q850=None):
    return EndCause(status, reason, "remote", q850)


@pytest.mark.parametrize(
    ("theirs", "ours", "q850"),
    [
        (486, 486, 17),
        (603, 603, 21),
        (404, 404, 1),
        (488, 488, 65),
        (480, 480, 18),
        (503, 500, 41),  # our own 503 would black-list this switch (RFC 3261 section 16.7)
        (401, 502, 38),  # nobody can answer a challenge that was not put to him
        (407, 502, 38),
        (302, 480, 23),  # not followed
        (487, 480, 18),
    ],
)
def test_a_refusal_is_passed_on_as(theirs, ours, q850):
    ending = ending_of(remote(theirs), trunk=False, alerted=False)

    assert (ending.status, ending.q850) == (ours, q850)


def test_the_cause_that_came_with_a_refusal_is_kept():
    assert ending_of(remote(480, q850=20), trunk=True, alerted=False).q850 == 20


@pytest.mark.parametrize(
    ("trunk", "alerted", "by", "name"),
    [
        (False, True, "timeout", "no_answer"),
        (False, False, "timeout", "lost"),
        (False, False, "transport", "unreachable"),
        (True, False, "transport", "trunk_down"),
    ],
)
def test_no_response_is_told_by_what_was_there(trunk, alerted, by, name):
    assert ending_of(EndCause(408, "", by), trunk=trunk, alerted=alerted) == ENDINGS[name]


@pytest.mark.parametrize(
    ("statuses", "best"),
    [
        ([408, 486], 486),
        ([480, 486, 404], 486),
        ([486, 603], 603),
        ([500, 480], 480),
        ([408, 500], 500),
        ([408], 408),
    ],
)
def test_of_several_failures_the_one_that_knows_most_is_told(statuses, best):
    endings = [ending_of(remote(status), trunk=False, alerted=False) for status in statuses]

    assert best_of(endings).status == best


def test_an_ordinary_hang_up_has_a_cause_and_no_status_for_the_other_side():
    cause = hung_up_by("callee", EndCause(None, "", "remote")).cause

    assert (cause.status, cause.q850) == (None, 16)


def test_a_refusal_explains_itself_in_headers():
    headers = dict(ENDINGS["media_refused"].headers("tandem", SeededIds(1)))

    assert headers["Reason"] == 'Q.850;cause=34;text="No media port is free"'
    assert 2 <= int(headers["Retry-After"]) <= 8


def test_those_who_are_refused_do_not_all_come_back_at_once():
    ids = SeededIds(1)

    times = {dict(ENDINGS["overload"].headers("tandem", ids))["Retry-After"] for _ in range(100)}

    assert times == {"2", "3", "4", "5", "6", "7", "8"}


def test_a_refused_description_is_warned_about_without_quotes_in_the_text():
    """RFC 3261 section 20.43."""
    ending = ending_of(remote(488, 'no "codec"\r\nX: y'), trunk=False, alerted=False)

    assert ("Warning", '304 tandem "no codecX: y"') in ending.headers("tandem", SeededIds(1))


def test_every_cause_of_the_table_has_a_status_that_has_a_cause():
    assert all(q850_of(status) in range(1, 128) for status in STATUS_OF_Q850.values())
    assert all(cause in range(1, 128) for cause in Q850_OF_STATUS.values())


@pytest.mark.parametrize("warning", [302, 304, 305])
def test_a_refused_offer_warns_of_what_was_not_acceptable(warning: int):
    """RFC 3261 section 20.43: 302 transport, 304 media type, 305 format."""
    ending = refused_offer(NoCommonCodec("nothing of it", warning=warning))

    assert ("Warning", f'{warning} tandem "nothing of it"') in ending.headers("tandem", SeededIds(1))
