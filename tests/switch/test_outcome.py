"""How a call's end is told: one table, both halves."""

import pytest

from gateway.sip.events import EndCause
from gateway.switch.causes import ENDINGS, Ending, ending_of, hung_up_by
from gateway.switch.outcome import outcome_of


def refused(status, *, alerted=True):
    return ending_of(EndCause(status, "no", "remote"), trunk=True, alerted=alerted)


@pytest.mark.parametrize(
    ("ending", "result", "reason"),
    [
        (hung_up_by("caller", EndCause(None, "", "remote")), "ANSWERED", "CALLERHANGUP"),
        (hung_up_by("callee", EndCause(None, "", "remote")), "ANSWERED", "CALLEEHANGUP"),
        (ENDINGS["managed"], "ANSWERED", "MANAGERHANGUP"),
        (ENDINGS["too_long"], "ANSWERED", "TIMEOUT"),
        (ENDINGS["silent"], "ANSWERED", "TIMEOUT"),
        (ENDINGS["callback_failed"], "ANSWERED", "CALLBACKERROR"),
        (ENDINGS["bad_document"], "ANSWERED", "INVALIDSVAMLACTION"),
        (ENDINGS["crashed"], "ANSWERED", "GENERALERROR"),
    ],
)
def test_of_a_call_that_was_answered(ending, result, reason):
    outcome = outcome_of(ending, answered=True)

    assert (outcome.result, outcome.reason) == (result, reason)


@pytest.mark.parametrize(
    ("ending", "result", "reason"),
    [
        (ENDINGS["cancelled"], "NOANSWER", "CANCEL"),
        (ENDINGS["abandoned"], "NOANSWER", "CANCEL"),
        (ENDINGS["managed"], "FAILED", "MANAGERHANGUP"),
        (ENDINGS["managed_busy"], "BUSY", "MANAGERHANGUP"),
        (ENDINGS["managed_congestion"], "FAILED", "MANAGERHANGUP"),
        (refused(486), "BUSY", "N/A"),
        (refused(600), "BUSY", "N/A"),
        (refused(403), "FAILED", "BLOCKED"),
        (refused(603), "FAILED", "BLOCKED"),
        (ENDINGS["no_answer"], "NOANSWER", "TIMEOUT"),
        (refused(480), "NOANSWER", "TIMEOUT"),
        (refused(408), "NOANSWER", "TIMEOUT"),
        (refused(503), "FAILED", "CONGESTION"),
        (ENDINGS["trunk_down"], "FAILED", "CONGESTION"),
        (refused(404), "FAILED", "GENERALERROR"),
        (refused(488), "FAILED", "GENERALERROR"),
        (ENDINGS["no_user"], "FAILED", "USERNOTFOUND"),
        (ENDINGS["unregistered"], "FAILED", "USERNOTFOUND"),
        (ENDINGS["no_credit"], "FAILED", "NOCREDITPARTNER"),
        (ENDINGS["not_allowed"], "FAILED", "BLOCKED"),
        (ENDINGS["callback_failed"], "FAILED", "CALLBACKERROR"),
        (ENDINGS["bad_document"], "FAILED", "INVALIDSVAMLACTION"),
    ],
)
def test_of_a_call_that_nobody_answered(ending, result, reason):
    outcome = outcome_of(ending, answered=False)

    assert (outcome.result, outcome.reason) == (result, reason)


@pytest.mark.parametrize("answered", [True, False])
@pytest.mark.parametrize("by", ["caller", "callee", "local", "timeout", "transport", "manager", "else"])
@pytest.mark.parametrize("status", [200, 404, 486, 499, 503, 699])
def test_every_ending_has_an_outcome(by, status, answered):
    assert outcome_of(Ending(status, "", 16, by=by), answered=answered).result != "N/A"
