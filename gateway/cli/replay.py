"""`tandem replay`: a leg's audio again, bit for bit, from what the flight recorder kept; and how to take it from there.

    tandem replay --legs                        what the recorders of this machine have
    tandem replay --record LEG a.flight         take a leg, and all who were with it
    tandem replay a.flight --out a              have it again: WAV files, statistics, events

Exit codes: 0 it was as it had been, 1 it was not, or the file is not what it should be, 2 the command was not
understood.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Final, NoReturn

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from gateway.cli.report import print_json
from gateway.errors import LocalError
from gateway.ids import LegId
from gateway.lab.replay.file import read_flight, write_flight
from gateway.lab.replay.live import live_recorders, take_flight
from gateway.lab.replay.outcome import LegAgain, Replay, replay_as_map
from gateway.lab.replay.outcome import replay as have_again
from gateway.lab.samples import write_wav

__all__ = ["replay"]

_EVENTS_SHOWN: Final = 40


def replay(
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="A flight; made with --record.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="A folder for what each leg said and heard, as WAV files.")
    ] = None,
    record: Annotated[
        str | None, typer.Option(metavar="LEG", help="Take this leg from the running switch into FILE.")
    ] = None,
    legs: Annotated[bool, typer.Option("--legs", help="List the legs that can be taken.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> None:
    """Have a recorded leg again: the same audio, statistics and events, bit for bit."""
    if not legs and file is None:
        raise typer.BadParameter("FILE is needed, or --legs")
    try:
        if file is None:
            _list(as_json=as_json)
        elif record is not None:
            _take(LegId(record), file, as_json=as_json)
        else:
            _again(file, out, as_json=as_json)
    except LocalError as error:
        _fail(str(error), as_json=as_json)


def _fail(why: str, *, as_json: bool) -> NoReturn:
    if as_json:
        print_json({"error": why})
    else:
        Console(stderr=True, highlight=False, soft_wrap=True).print(Text(why, style="red"))
    raise typer.Exit(1)


# --- from the switch ------------------------------------------------------------------------------------------------


def _list(*, as_json: bool) -> None:
    found = [(recorder.pid, leg) for recorder in live_recorders() for leg in recorder.legs()]
    if as_json:
        print_json([{"process": pid, "leg": leg} for pid, leg in found])
        return
    if not found:
        Console(highlight=False).print("the flight recorders run, and no leg has come yet")
        return
    table = Table(title="what the flight recorders have", box=SIMPLE_HEAD)
    table.add_column("media process")
    table.add_column("leg", overflow="fold")
    for pid, leg in found:
        table.add_row(str(pid), leg)
    Console().print(table)


def _take(leg: LegId, file: Path, *, as_json: bool) -> None:
    flight, capacity = take_flight(leg, live_recorders())
    write_flight(file, flight, leg=leg, capacity=capacity)
    if as_json:
        print_json({"file": str(file), "legs": list(flight.legs), "records": len(flight.records)})
        return
    others = f" and {len(flight.legs) - 1} who were with it" if len(flight.legs) > 1 else ""
    Console(highlight=False).print(f"{file}: {leg}{others}; their audio is inside, so keep it to yourself")


# --- from a file ----------------------------------------------------------------------------------------------------


def _again(file: Path, out: Path | None, *, as_json: bool) -> None:
    flight = read_flight(file)
    with Progress(TextColumn("{task.fields[done]:.0f} s"), TimeElapsedColumn(), transient=True) as bar:
        task = bar.add_task("", done=0.0, visible=not as_json)
        outcome = have_again(flight, lambda done_s: bar.update(task, done=done_s))
    written = _write(outcome, out) if out is not None else []
    if as_json:
        print_json(replay_as_map(outcome) | {"written": [str(path) for path in written]})
    else:
        _show(Console(highlight=False), outcome, written)
    if outcome.differences:
        raise typer.Exit(1)


def _write(outcome: Replay, folder: Path) -> list[Path]:
    """Write what each leg said and heard; a leg's name from a file is not trusted to be a file's name."""
    written: list[Path] = []
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise LocalError(f"cannot make {folder}: {error.strerror or error}") from error
    for number, (leg, again) in enumerate(outcome.legs.items()):
        name = re.sub(r"[^A-Za-z0-9_-]", "_", leg)[:80] or "leg"
        for what, tape in (("said", again.said), ("heard", again.heard)):
            path = folder / f"{name}-{what}.wav"
            path = folder / f"{name}-{number}-{what}.wav" if path in written else path
            write_wav(path, outcome.pcm(tape))
            written.append(path)
    return written


def _show(console: Console, outcome: Replay, written: list[Path]) -> None:
    console.print(_legs(outcome))
    if outcome.events:
        console.print(_events(outcome))
    speed = outcome.duration_s / max(outcome.took_s, 1e-6)
    console.print(
        f"{outcome.duration_s:.1f} s in {outcome.took_s:.2f} s, {speed:.0f} times as fast as it was"
    )
    if written:
        console.print(f"{len(written)} WAV files in {written[0].parent}")
    if not outcome.differences:
        console.print(Text(f"identical: {outcome.compared} digests, rows and events compared", style="green"))
    for at, difference in outcome.differences:
        who = "" if difference.leg is None else f"{difference.leg}: "
        console.print(Text(f"different from {at:.2f} s on: {who}{difference.what}", style="bold red"))


def _legs(outcome: Replay) -> Table:
    table = Table(box=SIMPLE_HEAD)
    for heading in ("leg", "said", "heard", "lost", "late", "jitter", "travels"):
        table.add_column(heading, overflow="fold")
    for leg, again in outcome.legs.items():
        table.add_row(leg, *_cells(again))
    return table


def _cells(again: LegAgain) -> tuple[str, ...]:
    figures = again.statistics
    said, heard = (
        f"{tape.packets} {'+'.join(tape.codecs) or 'packets'}" for tape in (again.said, again.heard)
    )
    lost, late = str(figures.packets_lost), str(figures.packets_late)
    return said, heard, lost, late, f"{figures.jitter_ms:.1f} ms", figures.mode_reason


def _events(outcome: Replay) -> Table:
    table = Table(box=SIMPLE_HEAD)
    for heading in ("at", "event", ""):
        table.add_column(heading, overflow="fold")
    for at, event in outcome.events[:_EVENTS_SHOWN]:
        rest = {name: value for name, value in event.items() if name not in {"event", "statistics"}}
        table.add_row(f"{at:.2f} s", event["event"], ", ".join(f"{name} {rest[name]}" for name in rest))
    if len(outcome.events) > _EVENTS_SHOWN:
        table.add_row("", f"and {len(outcome.events) - _EVENTS_SHOWN} more", "see --json")
    return table
