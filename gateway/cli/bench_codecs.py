"""`tandem bench codecs`: microseconds for 20 ms and channels per core, of every codec there is."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from gateway.errors import LocalError
from gateway.lab.bench.codecs import Figure, as_document, cases, measure
from gateway.lab.bench.machine import machine
from gateway.lab.bench.plot import check_plot, draw
from voicecodecs import Implementation

__all__ = ["codecs"]

_IMPLEMENTATIONS: tuple[Implementation, ...] = ("native", "reference")


def codecs(
    seconds: Annotated[float, typer.Option(help="How long each figure is measured.", min=0.001)] = 0.2,
    implementation: Annotated[
        str | None, typer.Option(help="Only this one: native (C) or reference (Python).")
    ] = None,
    plot: Annotated[
        Path | None, typer.Option(help="Draw the figures there (.png, .svg, .pdf).", metavar="FILE")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
    out: Annotated[Path | None, typer.Option(help="Write the JSON document there, too.")] = None,
) -> None:
    """Measure every codec: one row and batches, the C kernels and their twins, bcg729 and FFmpeg if installed."""
    chosen = [name for name in _IMPLEMENTATIONS if implementation in (None, name)]
    if not chosen:
        raise typer.BadParameter("--implementation: native or reference")
    console = Console(stderr=True)
    try:
        if plot is not None:
            check_plot(plot)
        progress = partial(track, description="measuring", console=console, transient=True)
        figures = measure(cases(chosen), seconds, progress=progress)
        document = as_document(figures, machine())
        if plot is not None:
            draw(figures, plot, title=f"Codecs on one core of {document['machine']['cpu']}")
    except LocalError as error:
        console.print(f"[red]{error}[/]")
        raise typer.Exit(1) from None
    if out is not None:
        out.write_text(json.dumps(document, indent=1) + "\n")
    if as_json:
        print(json.dumps(document))
    else:
        Console().print(_table(figures, document["machine"]["cpu"]))
        Console().print(_ratios(document["ratios"]))


def _table(figures: Sequence[Figure], cpu: str) -> Table:
    table = Table(
        title=f"µs of CPU for 20 ms of one row, on {cpu}", caption="channels: encode and decode, one core"
    )
    for heading in ("codec", "by", "rows", "encode", "decode", "conceal", "channels"):
        table.add_column(heading, justify="left" if heading in ("codec", "by") else "right")
    rows: dict[tuple[str, str, int], dict[str, float]] = {}
    for figure in figures:
        key = (figure.codec, figure.implementation, figure.rows)
        rows.setdefault(key, {})[figure.work] = figure.us_p50
    for (codec, implementation, n_rows), us in rows.items():
        channels = (
            f"{20_000 / (us['encode'] + us['decode']):.0f}" if us.keys() >= {"encode", "decode"} else ""
        )
        costs = (f"{us[work]:.3f}" if work in us else "" for work in ("encode", "decode", "conceal"))
        table.add_row(codec, implementation, str(n_rows), *costs, channels)
    return table


def _ratios(ratios: Mapping[str, Mapping[str, Any]]) -> Table:
    table = Table(title="What is asked of them")
    for heading in ("ratio", "value", "asked"):
        table.add_column(heading, justify="left" if heading == "ratio" else "right")
    for name, ratio in ratios.items():
        asked = f"below {ratio['below']}" if "below" in ratio else f">= {ratio.get('at_least', '')}"
        verdict = "[green]met[/]" if ratio.get("met") else "[red]missed[/]"
        table.add_row(name, f"{ratio['value']:.3f}", f"{asked} {verdict}" if "met" in ratio else "")
    return table
