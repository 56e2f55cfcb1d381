"""Where a leg is, as a table: asked for, settled at a worker, on its way to another, gone.

`here` is the worker that has the leg or is asked for it, `there` the one that it moves to.  The broker gives a
lease to one worker at a time, so whoever says that it has a leg has it; what a dead worker had is found out when
its next process lists its rows.  A missing key is a message that came too late to matter: it is counted.

`python -m gateway.transport.media_place_table` prints the diagram.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import Final

__all__ = ["TRANSITIONS", "Do", "Heard", "Step", "Where", "diagram"]


class Where(Enum):
    """The state of a leg."""

    OPENING = "a port is asked for"
    SETTLED = "it has a port at one worker"
    MOVING = "one worker gives it to another"
    GONE = "nobody has it"


class Heard(Enum):
    """What happens to a leg."""

    OPENED = "here it has a port"
    OPENED_THERE = "there it has a port"
    FOUND = "a new process here lists it"
    FOUND_THERE = "a new process there lists it"
    MISSED = "a new process here does not list it"
    MISSED_THERE = "a new process there does not list it"
    REFUSED = "here is no port, but others were not asked yet"
    REFUSED_BY_ALL = "nobody has a port"
    ABSENT = "asked to give it away, here says that it has it not"
    NEEDED_THERE = "its room is at another worker"
    LATE = "nothing has come for too long"
    CLOSED = "the switch wants it no more"


class Do(Enum):
    """What is to be done about it."""

    OPEN = "ask here for a port"
    ASK_ANOTHER = "ask the next worker for a port"
    REOPEN = "ask here for the port it has"
    REOPEN_THERE = "ask there for the port it has"
    MOVE = "tell here to give it away"
    ARRIVE = "there is here from now on"
    PLACE = "say its state here, or let it be needed elsewhere"
    CLOSE = "tell here to close it"
    CLOSE_THERE = "tell there to close it"
    TELL_PORT = "tell the switch its port"
    TELL_REFUSAL = "tell the switch that there is none"
    TELL_LOST = "tell the switch that nobody can be heard there any more"


@dataclass(frozen=True, slots=True)
class Step:
    """The state that follows, and what is done on the way."""

    state: Where
    actions: tuple[Do, ...] = ()


_ARRIVED: Final = (Do.ARRIVE, Do.TELL_PORT, Do.PLACE)

TRANSITIONS: Final[Mapping[tuple[Where, Heard], Step]] = MappingProxyType(
    {
        (Where.OPENING, Heard.OPENED): Step(Where.SETTLED, (Do.TELL_PORT, Do.PLACE)),
        (Where.OPENING, Heard.FOUND): Step(Where.OPENING, (Do.REOPEN,)),
        (Where.OPENING, Heard.MISSED): Step(Where.OPENING, (Do.OPEN,)),
        (Where.OPENING, Heard.REFUSED): Step(Where.OPENING, (Do.ASK_ANOTHER,)),
        (Where.OPENING, Heard.REFUSED_BY_ALL): Step(Where.GONE, (Do.TELL_REFUSAL,)),
        (Where.OPENING, Heard.LATE): Step(Where.GONE, (Do.CLOSE, Do.TELL_REFUSAL)),
        (Where.OPENING, Heard.CLOSED): Step(Where.GONE, (Do.CLOSE,)),
        (Where.SETTLED, Heard.OPENED): Step(Where.SETTLED, (Do.TELL_PORT, Do.PLACE)),
        (Where.SETTLED, Heard.FOUND): Step(Where.SETTLED, (Do.PLACE,)),
        (Where.SETTLED, Heard.MISSED): Step(Where.SETTLED, (Do.REOPEN,)),
        (Where.SETTLED, Heard.REFUSED_BY_ALL): Step(Where.SETTLED, (Do.TELL_LOST,)),
        (Where.SETTLED, Heard.NEEDED_THERE): Step(Where.MOVING, (Do.MOVE,)),
        (Where.SETTLED, Heard.CLOSED): Step(Where.GONE, (Do.CLOSE,)),
        (Where.MOVING, Heard.OPENED): Step(Where.MOVING, (Do.MOVE,)),
        (Where.MOVING, Heard.FOUND): Step(Where.MOVING, (Do.MOVE,)),
        (Where.MOVING, Heard.MISSED): Step(Where.MOVING),
        (Where.MOVING, Heard.OPENED_THERE): Step(Where.SETTLED, _ARRIVED),
        (Where.MOVING, Heard.FOUND_THERE): Step(Where.SETTLED, (Do.ARRIVE, Do.PLACE)),
        (Where.MOVING, Heard.MISSED_THERE): Step(Where.MOVING),
        (Where.MOVING, Heard.ABSENT): Step(Where.MOVING, (Do.REOPEN_THERE,)),
        (Where.MOVING, Heard.REFUSED_BY_ALL): Step(Where.SETTLED, (Do.TELL_LOST,)),
        (Where.MOVING, Heard.LATE): Step(Where.MOVING, (Do.MOVE,)),
        (Where.MOVING, Heard.CLOSED): Step(Where.GONE, (Do.CLOSE, Do.CLOSE_THERE)),
    }
)


def diagram() -> str:
    """Return the table as a Mermaid state diagram."""
    lines = ["stateDiagram-v2"]
    for (state, heard), step in TRANSITIONS.items():
        done = f" / {', '.join(do.name.lower() for do in step.actions)}" if step.actions else ""
        lines.append(f"    {state.name} --> {step.state.name}: {heard.name.lower()}{done}")
    return "\n".join(lines)


if __name__ == "__main__":
    print(diagram())  # noqa: T201  # this is what it was run for
