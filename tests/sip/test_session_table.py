from __future__ import annotations

from gateway.sip.session_table import TRANSITIONS, Action, SessionInput, SessionState


def ended_in(state: SessionState) -> set[bool]:
    """Return whether the end was reported on the ways that lead to `state`: one answer, or the table is wrong."""
    known: dict[SessionState, set[bool]] = {SessionState.CALLING: {False}, SessionState.OFFERED: {False}}
    changed = True
    while changed:
        changed = False
        for (source, _), step in TRANSITIONS.items():
            for before in known.get(source, set()).copy():
                after = before or Action.REPORT_END in step.actions
                changed |= after not in known.setdefault(step.state, set())
                known[step.state].add(after)
    return known[state]


def test_every_state_is_reached_and_knows_whether_the_end_was_reported() -> None:
    """So each way through the table reports the end exactly once."""
    reported = {SessionState.CANCELLED, SessionState.LEAVING, SessionState.CLOSING, SessionState.ENDED}

    for state in SessionState:
        assert ended_in(state) == {state in reported}


def test_no_step_reports_an_end_that_was_reported() -> None:
    for (source, _), step in TRANSITIONS.items():
        assert not (ended_in(source) == {True} and Action.REPORT_END in step.actions)


def test_every_state_but_the_last_can_end() -> None:
    reaches = {SessionState.ENDED}
    for _ in SessionState:
        reaches |= {source for (source, _), step in TRANSITIONS.items() if step.state in reaches}

    assert reaches == set(SessionState)


def test_our_user_can_hang_up_wherever_it_was_not_told_of_an_end() -> None:
    for state in SessionState:
        assert ((state, SessionInput.HANG_UP) in TRANSITIONS) == (ended_in(state) == {False})


def test_every_input_and_every_action_is_used() -> None:
    assert {happened for _, happened in TRANSITIONS} == set(SessionInput)
    assert {action for step in TRANSITIONS.values() for action in step.actions} == set(Action)
