"""What a conference was like, party by party, in figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from gateway.lab.measures import level_dbov
from gateway.lab.mix.conference import Heard, Outcome

__all__ = ["PartyReport", "report_as_map", "reports_of"]


@dataclass(frozen=True, slots=True)
class PartyReport:
    """One party."""

    name: str
    codec: str
    joined_s: float
    left_s: float
    speaking_s: float
    """For so long it was the active speaker."""
    said_dbov: float
    """Over what it says; -127 is silence."""
    heard_dbov: float
    packets_sent: int
    packets_lost: int
    packets_late: int
    inserted_ms: int
    dropped_ms: int
    jitter_ms: float
    wav: str | None = None
    """The file with what it heard."""


def reports_of(outcome: Outcome) -> list[PartyReport]:
    """Return a report for each party."""
    return [_report(heard, outcome) for heard in outcome.parties.values()]


def report_as_map(outcome: Outcome, reports: Sequence[PartyReport]) -> dict[str, Any]:
    """Return everything as one document."""
    return {
        "duration_s": round(outcome.duration_s, 3),
        "parties": [asdict(report) for report in reports],
        "speakers": [{"from_s": round(at_s, 2), "party": name} for at_s, name in outcome.speakers],
    }


def _report(heard: Heard, outcome: Outcome) -> PartyReport:
    party, counted = heard.party, heard.statistics
    left_s = outcome.duration_s if party.leave_s is None else min(party.leave_s, outcome.duration_s)
    return PartyReport(
        name=party.name,
        codec=party.codec if party.source is None else party.source,
        joined_s=party.join_s,
        left_s=round(left_s, 3),
        speaking_s=round(_speaking_s(party.name, outcome), 2),
        said_dbov=round(level_dbov(heard.said), 1),
        heard_dbov=round(level_dbov(_present(heard, left_s)), 1),
        packets_sent=heard.packets_sent,
        packets_lost=counted.packets_lost,
        packets_late=counted.packets_late,
        inserted_ms=counted.inserted_ms,
        dropped_ms=counted.dropped_ms,
        jitter_ms=round(counted.jitter_ms, 1),
    )


def _present(heard: Heard, left_s: float) -> np.ndarray[Any, np.dtype[np.int16]]:
    return heard.pcm[round(heard.party.join_s * 8000) : round(left_s * 8000)]


def _speaking_s(name: str, outcome: Outcome) -> float:
    ends = [at_s for at_s, _ in outcome.speakers[1:]] + [outcome.duration_s]
    return sum(end - at_s for (at_s, who), end in zip(outcome.speakers, ends, strict=True) if who == name)
