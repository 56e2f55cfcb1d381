"""Draw the machines from their tables: `python -m gateway.sip.diagram` writes Mermaid to stdout.

The tables are the machines, so the drawing cannot differ from what runs.  Rows that change nothing and do
nothing (what a state absorbs) are listed in a note under the state instead of an arrow to itself.
"""

from __future__ import annotations

import sys

from gateway.sip import session_table
from gateway.sip.registration import REGISTRATION, RegistrationState
from gateway.sip.session_table import SessionState
from gateway.sip.timers import Timer
from gateway.sip.transaction_table import (
    TRANSITIONS,
    Action,
    BackOff,
    Do,
    Slow,
    Start,
    State,
    Stop,
    Table,
    Trigger,
)

__all__ = ["draw", "draw_registration", "draw_session", "main"]


def draw(name: str, table: Table) -> str:
    """Return one machine as a Mermaid state diagram."""
    lines = ["---", f"title: {name} transaction", "---", "stateDiagram-v2"]
    absorbed: dict[State, list[str]] = {}
    for (state, trigger), step in table.items():
        if step.state is state and not step.actions:
            absorbed.setdefault(state, []).append(_say_trigger(trigger))
            continue
        actions = ", ".join(_say_action(action) for action in step.actions)
        label = _say_trigger(trigger) + (f" / {actions}" if actions else "")
        lines.append(f"    {_say_state(state)} --> {_say_state(step.state)} : {label}")
    for state, triggers in absorbed.items():
        lines += [f"    note right of {state.name}", f"        absorbs {', '.join(triggers)}", "    end note"]
    return "\n".join(lines) + "\n"


def draw_session() -> str:
    """Return the life of a session as a Mermaid state diagram."""
    lines = ["---", "title: session", "---", "stateDiagram-v2"]
    lines += [f"    [*] --> {state.name}" for state in (SessionState.CALLING, SessionState.OFFERED)]
    for (state, happened), step in session_table.TRANSITIONS.items():
        actions = ", ".join(action.name for action in step.actions)
        label = happened.name + (f" / {actions}" if actions else "")
        to = "[*]" if step.state is SessionState.ENDED else step.state.name
        lines.append(f"    {state.name} --> {to} : {label}")
    return "\n".join(lines) + "\n"


def draw_registration() -> str:
    """Return a registration of ours as a Mermaid state diagram."""
    lines = ["---", "title: registration", "---", "stateDiagram-v2", "    [*] --> REGISTERING"]
    for (state, happened), to in REGISTRATION.items():
        target = "[*]" if to is RegistrationState.GONE else to.name
        lines.append(f"    {state.name} --> {target} : {happened.name}")
    return "\n".join(lines) + "\n"


def _say_state(state: State) -> str:
    return "[*]" if state in {State.START, State.TERMINATED} else state.name


def _say_trigger(trigger: Trigger) -> str:
    return f"timer {trigger.name}" if isinstance(trigger, Timer) else trigger.value


def _say_action(action: Action) -> str:
    match action:
        case Do():
            return action.value
        case Start(timer):
            return f"start {timer.name}"
        case Stop(timer):
            return f"stop {timer.name}"
        case BackOff(timer):
            return f"double {timer.name}"
        case Slow(timer):
            return f"{timer.name} at T2"


def main() -> None:
    """Write all machines to stdout."""
    drawings = [draw(name, table) for name, table in TRANSITIONS.items()]
    sys.stdout.write("\n".join([*drawings, draw_session(), draw_registration()]))


if __name__ == "__main__":
    main()
