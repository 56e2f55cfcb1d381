"""`tandem trace`: a call as a ladder in the terminal, from what the switch keeps or from a capture file."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from gateway.cli.options import DataOption
from gateway.config import default_data_dir
from gateway.errors import LocalError
from gateway.observe.trace.ladder import Rung, draw, rungs_of
from gateway.observe.trace.pcap import read_pcap
from gateway.observe.trace.ring import ring_files

__all__ = ["trace"]

_CALLS_SHOWN = 20


def trace(
    call_id: Annotated[
        str | None, typer.Argument(metavar="[CALLID]", help="A Call-ID or its beginning; none = list calls.")
    ] = None,
    file: Annotated[Path | None, typer.Option(help="Read this capture file (pcap).")] = None,
    data: DataOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> None:
    """Draw the SIP messages of a call: who said what to whom, and when."""
    errors = Console(stderr=True)
    try:
        files = [file] if file else ring_files(data or default_data_dir())
        if not files:
            raise LocalError("nothing was traced here yet: start `tandem serve`, or name a --file")
        rungs = rungs_of((message for each in files for message in read_pcap(each, media=False)), call_id)
    except LocalError as error:
        errors.print(f"[red]{error}[/]")
        raise typer.Exit(1) from None
    if call_id is not None and not rungs:
        errors.print(f"[red]no message of a call {call_id}[/]; without a Call-ID the calls are listed")
        raise typer.Exit(1)
    if as_json:
        print(json.dumps([_as_json(rung) for rung in rungs]))
    elif call_id is None:
        Console().print(_calls(rungs))
    else:
        print("\n".join(draw(rungs, width=Console().width)))


def _as_json(rung: Rung) -> dict[str, object]:
    return {
        "at": rung.at,
        "source": list(rung.source),
        "destination": list(rung.destination),
        "call_id": rung.call_id,
        "message": rung.text,
        "retransmission": rung.retransmission,
    }


def _calls(rungs: list[Rung]) -> Table:
    """Return the last calls, one a line: when, Call-ID, how it began."""
    firsts: dict[str, Rung] = {}
    for rung in rungs:
        if rung.text.startswith("INVITE "):
            firsts.setdefault(rung.call_id, rung)
    table = Table(title="the last calls: `tandem trace CALLID` draws one")
    for heading in ("when", "Call-ID", "began with"):
        table.add_column(heading, overflow="fold")
    for rung in list(firsts.values())[-_CALLS_SHOWN:]:
        table.add_row(_clock(rung.at), rung.call_id, rung.text)
    return table


def _clock(at: float) -> str:
    return datetime.fromtimestamp(at).astimezone().strftime("%H:%M:%S.%f")[:-3]
