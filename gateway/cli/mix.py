"""`tandem mix`: a conference offline, from WAV files or a scenario, by the plane that carries live calls.

Exit codes: 0 done, 1 a file or the scenario is not what it should be, 2 the command was not understood.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Final, NoReturn

import numpy as np
import typer
from numpy.typing import NDArray
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from gateway.cli.report import print_json
from gateway.errors import ConfigError, LocalError
from gateway.lab.mix.conference import Conference, Outcome
from gateway.lab.mix.demo import demo as demo_scenario
from gateway.lab.mix.plot import draw
from gateway.lab.mix.report import PartyReport, report_as_map, reports_of
from gateway.lab.mix.scenario import EXAMPLE, Scenario, read_scenario, scenario_of
from gateway.lab.mix.wire import PAYLOAD_TYPES
from gateway.lab.samples import RATE_HZ, read_wav, write_wav

__all__ = ["mix"]

_LONG_S: Final = 30.0
"""A conference that is worth a progress bar."""
_MOST_REPEATED_S: Final = 600.0
Voices = dict[str, NDArray[np.int16]]


def mix(
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="[SCENARIO.toml | WAV...]", help="Who takes part.")
    ] = None,
    out: Annotated[Path, typer.Option(help="The folder for what each party heard.")] = Path("mix"),
    demo: Annotated[bool, typer.Option("--demo", help="A conference that needs no files.")] = False,
    example: Annotated[
        bool, typer.Option("--example", help="Print a scenario that shows every key, and stop.")
    ] = False,
    codec: Annotated[str, typer.Option(help="What everybody speaks, with WAV files.")] = "pcmu",
    plot: Annotated[bool, typer.Option(help="Draw levels.png, with matplotlib.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> None:
    """Mix a conference offline: what each party would have heard, as WAV files, with a report."""
    if example:
        print(EXAMPLE, end="")
        raise typer.Exit
    try:
        scenario, voices = _input(files or [], demo=demo, codec=codec)
        conference = Conference(scenario, voices)
        with _bar() as bar:
            task = bar.add_task("", total=conference.duration_s, visible=conference.duration_s >= _LONG_S)
            outcome = conference.run(lambda done_s, _: bar.update(task, completed=done_s))
        reports = _write(outcome, out, plot=plot)
    except (ConfigError, LocalError) as error:
        _fail(str(error), as_json=as_json)
    if as_json:
        print_json(report_as_map(outcome, reports))
    else:
        _show(outcome, reports, out)


def _input(files: Sequence[Path], *, demo: bool, codec: str) -> tuple[Scenario, Voices]:
    """Return the scenario and what its parties say."""
    if demo and files:
        raise typer.BadParameter("--demo needs no files")
    if demo:
        return demo_scenario()
    if not files:
        raise typer.BadParameter("name a scenario (.toml), two WAV files or more, or --demo")
    scenarios = [path for path in files if path.suffix.lower() == ".toml"]
    if scenarios and len(files) > 1:
        raise typer.BadParameter("one scenario, or WAV files, not both")
    scenario = read_scenario(files[0]) if scenarios else _of_files(files, codec.lower())
    return scenario, _voices(scenario)


def _of_files(files: Sequence[Path], codec: str) -> Scenario:
    """Return the plainest scenario: everybody is there from the beginning."""
    if codec not in PAYLOAD_TYPES:
        raise typer.BadParameter(f"--codec {codec}: there are {', '.join(PAYLOAD_TYPES)}")
    names: list[str] = []
    for path in files:
        name = (
            "".join(c if c.isascii() and c.isalnum() else "-" for c in path.stem).strip("-")[:30] or "party"
        )
        names.append(name if name not in names else f"{name}-{len(names) + 1}")
    parties = [{"name": name, "file": path, "codec": codec} for name, path in zip(names, files, strict=True)]
    return scenario_of({"party": parties})


def _voices(scenario: Scenario) -> Voices:
    """Read every party's file; one that repeats goes on until the end."""
    voices: Voices = {}
    for party in scenario.party:
        if party.file is None:
            continue
        pcm = read_wav(party.file)
        if party.repeat and pcm.size:
            wanted = round((scenario.duration_s or _MOST_REPEATED_S) * RATE_HZ)
            pcm = np.resize(pcm, max(wanted, pcm.size))
        voices[party.name] = pcm
    return voices


def _write(outcome: Outcome, out: Path, *, plot: bool) -> list[PartyReport]:
    """Write what each heard, and the picture."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LocalError(f"cannot make the folder {out}: {error.strerror}") from error
    reports = []
    for report in reports_of(outcome):
        heard = outcome.parties[report.name]
        if heard.party.source is not None:
            reports.append(report)
            continue
        path = out / f"{report.name}.wav"
        write_wav(path, heard.pcm)
        reports.append(replace(report, wav=str(path)))
    if plot:
        draw(outcome, out / "levels.png")
    return reports


def _bar() -> Progress:
    console = Console(stderr=True)
    return Progress(
        TextColumn("{task.completed:.0f} of {task.total:.0f} s"),
        BarColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )


def _show(outcome: Outcome, reports: Sequence[PartyReport], out: Path) -> None:
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for column in ("party", "codec"):
        table.add_column(column)
    for column in ("there s", "spoke s", "said dBov", "heard dBov", "lost", "late", "stretch ms"):
        table.add_column(column, justify="right")
    for one in reports:
        table.add_row(
            one.name,
            one.codec,
            f"{one.joined_s:g}-{one.left_s:g}",
            f"{one.speaking_s:.1f}",
            _dbov(one.said_dbov),
            _dbov(one.heard_dbov),
            _share(one.packets_lost, one.packets_sent),
            str(one.packets_late),
            f"+{one.inserted_ms} -{one.dropped_ms}",
        )
    console = Console(highlight=False)
    console.print(table)
    console.print(f"{outcome.duration_s:.1f} s; what each heard is in {out}/", markup=False)


def _share(lost: int, sent: int) -> str:
    return f"{100 * lost / sent:.1f} %" if sent else ""


def _dbov(level: float) -> str:
    return "silence" if level <= -127 else f"{level:.1f}"


def _fail(text: str, *, as_json: bool) -> NoReturn:
    if as_json:
        print_json({"error": text})
    else:
        Console(stderr=True, highlight=False, soft_wrap=True).print(
            Text.assemble(("failed  ", "bold red"), text)
        )
    raise typer.Exit(1)
