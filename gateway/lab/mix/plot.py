"""The conference as a picture: a lane for each party, over time.

Filled is what it says, the line is what it hears, both in dBov.  A thick bar above says that it is the active
speaker; grey stripes that it is not there; colours that it is muted or on hold.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from gateway.errors import LocalError
from gateway.lab.measures import level_dbov
from gateway.lab.mix.conference import Heard, Outcome

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["draw"]

_FLOOR_DBOV: Final = -75
_STEP: Final = 1600  # samples: 200 ms, as often as levels are told
_COLOURS: Final = ("C0", "C2", "C4", "C5", "C8", "C9")
_MUTED: Final = "tab:red"
_HOLD: Final = "tab:orange"


def draw(outcome: Outcome, path: Path) -> None:
    """Draw the lanes.

    Raises:
        LocalError: there is no matplotlib, or the file cannot be written.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise LocalError("a plot needs matplotlib: pip install 'tandem-voice[plot]'") from error
    n = len(outcome.parties)
    picture = Figure(figsize=(12, 1.4 + 1.3 * n), layout="constrained")
    lanes = picture.subplots(n, 1, sharex=True, squeeze=False)[:, 0]
    for at, (lane, heard) in enumerate(zip(lanes, outcome.parties.values(), strict=True)):
        _lane(lane, heard, outcome, colour=_COLOURS[at % len(_COLOURS)])
    lanes[-1].set_xlabel("seconds")
    lanes[-1].set_xlim(0, outcome.duration_s)
    picture.supylabel("dBov", fontsize="medium")
    _legend(lanes[0])
    try:
        picture.savefig(path, dpi=120)
    except (OSError, ValueError) as error:
        raise LocalError(f"cannot draw {path}: {error}") from error


def _lane(lane: Axes, heard: Heard, outcome: Outcome, *, colour: str) -> None:
    name = heard.party.name
    times = [at_s for at_s, _ in outcome.levels]
    said = [max(levels.get(name, _FLOOR_DBOV), _FLOOR_DBOV) for _, levels in outcome.levels]
    lane.fill_between(times, _FLOOR_DBOV, said, step="pre", color=colour, alpha=0.45, linewidth=0)
    if heard.pcm.size:
        levels = _levels(heard.pcm)
        lane.plot((np.arange(levels.size) + 0.5) * _STEP / 8000, levels, color="0.25", linewidth=0.9)
    for start_s, end_s, colour_of in _shades(heard, outcome):
        lane.axvspan(start_s, end_s, color=colour_of, alpha=0.15, linewidth=0)
    for start_s, end_s in _absences(heard, outcome):
        lane.axvspan(start_s, end_s, facecolor="0.93", edgecolor="0.8", hatch="///", linewidth=0)
    for start_s, end_s in _turns(name, outcome):
        lane.plot([start_s, end_s], [-3, -3], color=colour, linewidth=5, solid_capstyle="butt")
    lane.set_ylim(_FLOOR_DBOV, 0)
    lane.set_yticks([-60, -40, -20])
    lane.grid(axis="y", alpha=0.3)
    lane.set_title(_title(heard), loc="left", fontsize="medium")
    lane.spines[["top", "right"]].set_visible(False)


def _title(heard: Heard) -> str:
    party = heard.party
    if party.source is not None:
        return f"{party.name}: {party.source}"
    line = [party.codec, f"{party.ptime_ms} ms"]
    line += [f"{100 * party.loss:g} % loss"] if party.loss else []
    line += [f"{party.jitter_ms:g} ms jitter"] if party.jitter_ms else []
    line += [f"{party.drift_ppm:+g} ppm"] if party.drift_ppm else []
    return f"{party.name}: {', '.join(line)}"


def _levels(pcm: NDArray[np.int16]) -> NDArray[np.float64]:
    steps = pcm[: pcm.size // _STEP * _STEP].reshape(-1, _STEP)
    return np.array([max(level_dbov(step), _FLOOR_DBOV) for step in steps])


def _turns(name: str, outcome: Outcome) -> Iterator[tuple[float, float]]:
    ends = [at_s for at_s, _ in outcome.speakers[1:]] + [outcome.duration_s]
    for (at_s, who), end_s in zip(outcome.speakers, ends, strict=True):
        if who == name:
            yield at_s, end_s


def _absences(heard: Heard, outcome: Outcome) -> Iterator[tuple[float, float]]:
    party = heard.party
    if party.join_s > 0:
        yield 0.0, party.join_s
    if party.leave_s is not None and party.leave_s < outcome.duration_s:
        yield party.leave_s, outcome.duration_s


def _shades(heard: Heard, outcome: Outcome) -> Iterator[tuple[float, float, str]]:
    """When a party is muted or on hold."""
    muted_since = heard.party.join_s if heard.party.muted else None
    held_since: float | None = None
    for change in sorted(heard.party.changes, key=lambda change: change.at_s):
        if change.muted is not None and change.muted == (muted_since is None):
            if muted_since is not None:
                yield muted_since, change.at_s, _MUTED
            muted_since = change.at_s if change.muted else None
        if change.hold is not None and bool(change.hold) == (held_since is None):
            if held_since is not None:
                yield held_since, change.at_s, _HOLD
            held_since = change.at_s if change.hold else None
    for since, colour in ((muted_since, _MUTED), (held_since, _HOLD)):
        if since is not None:
            yield since, outcome.duration_s, colour


def _legend(lane: Axes) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    lane.legend(
        handles=[
            Patch(color="C0", alpha=0.45, label="says"),
            Line2D([], [], color="0.25", linewidth=0.9, label="hears"),
            Line2D([], [], color="C0", linewidth=5, label="active speaker"),
            Patch(color=_MUTED, alpha=0.15, label="muted"),
            Patch(color=_HOLD, alpha=0.15, label="on hold"),
            Patch(facecolor="0.93", edgecolor="0.8", hatch="///", label="not there"),
        ],
        loc="lower right",
        bbox_to_anchor=(1.0, 1.0),
        ncols=6,
        fontsize="small",
        frameon=False,
    )
