"""Which URL is asked first: section 6 of the wire format, in time that the tests move."""

import pytest

from gateway.callbacks.failover import (
    FAILURES,
    RETRY_S,
    TRANSITIONS,
    Failover,
    FailoverInput,
    FailoverState,
    Route,
)


def failed(times, *, at=0.0):
    """Return the policy after so many failures of the primary URL in a row."""
    policy = Failover()
    for _ in range(times):
        policy.route(at)
        policy.failed(at)
    return policy


def test_the_primary_url_is_asked_first():
    assert Failover().route(0.0) is Route.PRIMARY_FIRST


def test_after_a_failure_or_two_the_primary_url_stays_first():
    assert failed(FAILURES - 1).route(0.0) is Route.PRIMARY_FIRST


def test_after_three_failures_in_a_row_only_the_fallback_is_asked():
    assert failed(FAILURES).route(RETRY_S - 1) is Route.FALLBACK_ONLY


def test_a_success_between_failures_begins_the_count_anew():
    policy = failed(FAILURES - 1)
    policy.succeeded()
    policy.failed(0.0)

    assert policy.route(0.0) is Route.PRIMARY_FIRST


def test_a_minute_after_the_last_failure_the_primary_url_is_tried_again():
    assert failed(FAILURES, at=100.0).route(100.0 + RETRY_S) is Route.PRIMARY_FIRST


def test_while_it_is_tried_again_others_do_not_wait_for_it():
    policy = failed(FAILURES)

    assert policy.route(RETRY_S) is Route.PRIMARY_FIRST
    assert policy.route(RETRY_S) is Route.FALLBACK_ONLY


def test_a_try_that_succeeds_restores_the_primary_url():
    policy = failed(FAILURES)
    policy.route(RETRY_S)
    policy.succeeded()

    assert [policy.route(RETRY_S), policy.route(RETRY_S)] == [Route.PRIMARY_FIRST] * 2


def test_restored_it_may_fail_three_times_again():
    policy = failed(FAILURES)
    policy.route(RETRY_S)
    policy.succeeded()
    policy.failed(RETRY_S)
    policy.failed(RETRY_S)

    assert policy.route(RETRY_S) is Route.PRIMARY_FIRST


def test_a_try_that_fails_is_followed_by_another_a_minute_later():
    policy = failed(FAILURES)
    policy.route(RETRY_S)
    policy.failed(RETRY_S + 5)

    assert policy.route(2 * RETRY_S + 4) is Route.FALLBACK_ONLY
    assert policy.route(2 * RETRY_S + 5) is Route.PRIMARY_FIRST


def test_a_try_that_nobody_waits_for_any_more_leaves_the_next_one_to_try():
    policy = failed(FAILURES)
    policy.route(RETRY_S)
    policy.abandoned()

    assert policy.route(RETRY_S) is Route.PRIMARY_FIRST


def test_a_late_failure_puts_the_next_try_off():
    policy = failed(FAILURES)
    policy.failed(30.0)

    assert policy.route(RETRY_S + 29) is Route.FALLBACK_ONLY
    assert policy.route(RETRY_S + 30) is Route.PRIMARY_FIRST


def test_a_late_success_restores_at_once():
    policy = failed(FAILURES)
    policy.succeeded()

    assert policy.route(1.0) is Route.PRIMARY_FIRST


def test_it_says_when_the_primary_url_is_bypassed_and_when_no_more():
    policy = failed(FAILURES)
    bypassed = policy.bypassed
    policy.route(RETRY_S)
    tried = policy.bypassed
    policy.succeeded()

    assert (bypassed, tried, policy.bypassed) == (True, True, False)


@pytest.mark.parametrize("state", FailoverState)
@pytest.mark.parametrize("happening", FailoverInput)
def test_everything_may_happen_at_any_time(state, happening):
    """Requests overlap: an answer may come when the policy has long moved on."""
    assert (state, happening) in TRANSITIONS
