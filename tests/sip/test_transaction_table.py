import pytest

from gateway.sip.diagram import draw, main
from gateway.sip.timers import Timer, TimerTable
from gateway.sip.transaction_table import TRANSITIONS, BackOff, Do, Event, Slow, Start, State

NETWORK = {
    "INVITE client": {Event.RESPONSE_1XX, Event.RESPONSE_2XX, Event.RESPONSE_300_699, Event.TRANSPORT_ERROR},
    "non-INVITE client": {Event.RESPONSE_1XX, Event.RESPONSE_FINAL, Event.TRANSPORT_ERROR},
    "INVITE server": {Event.REQUEST, Event.ACK, Event.TRANSPORT_ERROR},
    "non-INVITE server": {Event.REQUEST, Event.TRANSPORT_ERROR},
}
NAMES = sorted(TRANSITIONS)
SEND_FINALLY = {Event.ANSWER_2XX, Event.ANSWER_300_699, Event.ANSWER_FINAL}


def live_states(name: str) -> set[State]:
    return {state for state, _ in TRANSITIONS[name]} - {State.START}


@pytest.mark.parametrize("name", NAMES)
def test_whatever_the_network_does_has_a_row(name: str):
    wanted = {(state, event) for state in live_states(name) for event in NETWORK[name]}
    if name == "INVITE server":
        wanted.discard((State.COMPLETED, Event.TRANSPORT_ERROR))

    assert wanted <= TRANSITIONS[name].keys()


@pytest.mark.parametrize("name", NAMES)
def test_every_state_is_reached_and_left(name: str):
    table = TRANSITIONS[name]
    reached = {step.state for step in table.values()}

    assert reached == live_states(name) | {State.TERMINATED}
    assert all(
        any(s is state and t.state is not state for (s, _), t in table.items()) for state in live_states(name)
    )


@pytest.mark.parametrize("name", NAMES)
def test_no_state_is_without_a_deadline(name: str):
    """In every state a timer runs that leads out of it, whatever the others do."""
    table = TRANSITIONS[name]
    for state in live_states(name):
        leaving = {trigger for (s, trigger), step in table.items() if s is state and step.state is not state}
        assert any(isinstance(trigger, Timer) for trigger in leaving), state


@pytest.mark.parametrize("name", NAMES)
def test_every_timer_that_may_fire_has_a_row_where_it_runs(name: str):
    table = TRANSITIONS[name]
    running: dict[State, set[Timer]] = {state: set() for state in live_states(name) | {State.TERMINATED}}
    for _ in range(len(table)):
        for (state, trigger), step in table.items():
            timers = set(running.get(state, set()))
            if isinstance(trigger, Timer):
                timers.discard(trigger)
            for action in step.actions:
                if action is Do.STOP_TIMERS:
                    timers.clear()
                elif isinstance(action, Start | BackOff | Slow):
                    timers.add(action.timer)
                elif not isinstance(action, Do):
                    timers.discard(action.timer)
            running[step.state] |= timers

    for state, timers in running.items():
        if state is not State.TERMINATED:
            assert {(state, timer) for timer in timers} <= table.keys()


@pytest.mark.parametrize("name", NAMES)
def test_the_drawing_has_every_row(name: str):
    drawing = draw(name, TRANSITIONS[name])

    assert drawing.startswith(f"---\ntitle: {name} transaction\n---\nstateDiagram-v2\n")
    arrows = [line for line in drawing.splitlines() if "-->" in line]
    moving = [
        step for (state, _), step in TRANSITIONS[name].items() if step.actions or step.state is not state
    ]
    assert len(arrows) == len(moving)


def test_the_command_draws_every_machine(
    capsys: pytest.CaptureFixture[str],
):
    main()

    assert capsys.readouterr().out.count("stateDiagram-v2") == 9


@pytest.mark.parametrize(
    ("timer", "udp", "tcp"),
    [
        (Timer.A, 0.5, None),
        (Timer.B, 32, 32),
        (Timer.C, 185, 185),
        (Timer.D, 32, 0),
        (Timer.E, 0.5, None),
        (Timer.F, 32, 32),
        (Timer.G, 0.5, None),
        (Timer.H, 32, 32),
        (Timer.I, 5, 0),
        (Timer.J, 32, 0),
        (Timer.K, 5, 0),
        (Timer.L, 32, 32),
        (Timer.M, 32, 32),
    ],
)
def test_timers_last_what_the_rfc_says(timer: Timer, udp: float, tcp: float | None):
    """RFC 3261 table 4, RFC 6026 section 8.7."""
    assert TimerTable().duration_s(timer, reliable=False) == udp
    assert TimerTable().duration_s(timer, reliable=True) == tcp
