"""The table of events: every name that stands in a log line, at which level, with which facts, and what it means.

Operators search for these names, so a name is never changed; a new one is added here first (a test compares the
table with the source).  `python -m gateway.observe.events` prints the table for the README.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Literal

__all__ = ["EVENTS", "EventDescription", "table"]


@dataclass(frozen=True, slots=True)
class EventDescription:
    """One row."""

    name: str
    level: Literal["debug", "info", "warning", "error"]
    facts: tuple[str, ...]
    meaning: str


EVENTS = {
    row.name: row
    for row in (
        EventDescription(
            "child.started", "info", ("child", "pid", "epoch"), "A process of ours was started."
        ),
        EventDescription("child.ready", "info", ("child", "took_s"), "It says that it is ready."),
        EventDescription(
            "child.ended", "info", ("child", "cause", "ready_s"), "It ended as it was meant to."
        ),
        EventDescription(
            "child.died",
            "warning",
            ("child", "cause", "ready_s"),
            "It died after so long; another is started.",
        ),
        EventDescription(
            "child.never_ready", "error", ("child", "waited_s"), "It was not ready in time and is killed."
        ),
        EventDescription("supervisor.ready", "info", (), "All processes are ready: calls are taken."),
        EventDescription(
            "supervisor.stage_entered", "info", ("stage", "cause"), "The end has come one stage nearer."
        ),
        EventDescription(
            "supervisor.gave_up", "error", ("child", "reason"), "A process cannot be kept alive; all ends."
        ),
        EventDescription("supervisor.ended", "info", ("status",), "Everything has ended."),
        EventDescription(
            "lease.refused", "warning", ("reason",), "A leg got no RTP port: ports or descriptors ran out."
        ),
        EventDescription(
            "library.logged", "info", ("library", "message"), "A library we use had something to say."
        ),
    )
}


def table() -> str:
    """Return the events as a Markdown table."""
    lines = ["| event | level | facts | meaning |", "|---|---|---|---|"]
    lines += [
        f"| `{row.name}` | {row.level} | {', '.join(f'`{fact}`' for fact in row.facts)} | {row.meaning} |"
        for row in EVENTS.values()
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.stdout.write(table() + "\n")
