"""Draw the machines from their tables: `python -m gateway.sip.diagram` writes `docs/state-machines.md` to stdout.

The tables are the machines, so the drawing cannot differ from what runs.  Rows that change nothing and do
nothing (what a state absorbs) are listed in a note under the state instead of an arrow to itself.  A table whose
rows name no next state, because something else moves it, is written as a table.
"""

from __future__ import annotations

import sys
from typing import Final

from gateway.sip import session_table
from gateway.sip.offer_table import OFFERS, OfferInput, OfferState
from gateway.sip.referral_table import REFERRALS, ReferralState
from gateway.sip.refresh_table import REFRESH, RefreshReaction
from gateway.sip.registration import REGISTRATION, RegistrationState
from gateway.sip.reliable_table import RELIABLE
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

__all__ = [
    "draw",
    "draw_referral",
    "draw_refresh",
    "draw_registration",
    "draw_reliable",
    "draw_session",
    "main",
    "page",
    "table_of_offers",
]


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


def draw_reliable() -> str:
    """Return our reliable provisional responses as a Mermaid state diagram."""
    lines = ["---", "title: reliable provisional response", "---", "stateDiagram-v2", "    [*] --> FREE"]
    for (state, happened), (to, reaction) in RELIABLE.items():
        lines.append(f"    {state.name} --> {to.name} : {happened.name} / {reaction.name}")
    return "\n".join(lines) + "\n"


def draw_refresh() -> str:
    """Return the keeping alive of a session as a Mermaid state diagram."""
    lines = [
        "---",
        "title: session timer",
        "---",
        "stateDiagram-v2",
        "    [*] --> OURS",
        "    [*] --> THEIRS",
    ]
    for (state, happened), (to, reaction) in REFRESH.items():
        target = "[*]" if reaction is RefreshReaction.HANG_UP else to.name
        lines.append(f"    {state.name} --> {target} : {happened.name} / {reaction.name}")
    return "\n".join(lines) + "\n"


def draw_referral() -> str:
    """Return a transfer that we were asked for as a Mermaid state diagram."""
    lines = ["---", "title: referral", "---", "stateDiagram-v2", "    [*] --> ASKED"]
    for (state, happened), (to, action) in REFERRALS.items():
        target = "[*]" if to is ReferralState.OVER else to.name
        lines.append(f"    {state.name} --> {target} : {happened.name} / {action.name}")
    return "\n".join(lines) + "\n"


def table_of_offers() -> str:
    """Return who may offer when as a Markdown table."""
    lines = ["| | " + " | ".join(each.value for each in OfferInput) + " |", "| --- | --- | --- |"]
    for state in OfferState:
        cells = (OFFERS[state, happened].value for happened in OfferInput)
        lines.append(f"| {state.value} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def page() -> str:
    """Return all machines as one Markdown page."""
    drawings = [draw(name, table) for name, table in TRANSITIONS.items()]
    drawings += [draw_session(), draw_reliable(), draw_refresh(), draw_referral(), draw_registration()]
    fenced = [f"```mermaid\n{drawing}```\n" for drawing in drawings]
    return "\n".join([_HEAD, *fenced, _OFFERS_HEAD, table_of_offers()])


_HEAD: Final = """# The machines of the SIP engine

Drawn from the tables that run, by `python -m gateway.sip.diagram > docs/state-machines.md`; a test sees to it that
this page is current.  The names are explained where they are defined, in `gateway/sip/*_table.py`.
"""
_OFFERS_HEAD: Final = """# Who may offer when

INVITE, re-INVITE, PRACK and UPDATE of a dialog share one state.
"""


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
    """Write the page to stdout."""
    sys.stdout.write(page())


if __name__ == "__main__":
    main()
