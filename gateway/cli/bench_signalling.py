"""`tandem bench signalling`: calls a second on one core, beside Kamailio where it is installed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from gateway.errors import GatewayError
from gateway.lab.bench.signalling import SignallingStep, measure_signalling

__all__ = ["signalling"]


def signalling(
    seconds: Annotated[float, typer.Option(help="How long each rate is offered.", min=1)] = 5.0,
    rounds: Annotated[int, typer.Option(help="Ramps of each server; the median of ours counts.", min=1)] = 1,
    peer: Annotated[bool, typer.Option(help="Compare with Kamailio where it is installed.")] = True,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
    out: Annotated[Path | None, typer.Option(help="Write the JSON document there, too.")] = None,
) -> None:
    """Offer more and more whole calls a second, with a password, until one fails or takes long to set up.

    Needs SIPp and two cores: the server runs on one, caller and callee on the other.  Nobody speaks.
    """
    errors = Console(stderr=True)
    try:
        document = measure_signalling(
            seconds=seconds,
            rounds=rounds,
            peer=peer,
            progress=lambda server, step: errors.print(_line(server, step)),
        )
    except GatewayError as error:
        errors.print(f"[red]{error}[/]")
        raise typer.Exit(1) from None
    if out is not None:
        out.write_text(json.dumps(document, indent=1) + "\n")
    if as_json:
        print(json.dumps(document))
    else:
        Console().print(_table(document))


def _line(server: str, step: SignallingStep) -> str:
    calls = step.calls
    mark = "[green]clean[/]" if step.clean else f"[red]{calls.completed} of {calls.offered}[/]"
    return (
        f"{server:10} {step.rate_per_s:5} calls/s  {step.cpu_percent:4.0f} % of a core  "
        f"{sum(step.cpu_ms_per_call.values()):6.3f} ms a call  "
        f"setup {calls.setup_ms_p50:.0f} ms (p50), {calls.setup_ms_p99:.0f} ms (p99)  {mark}"
    )


def _table(document: dict[str, Any]) -> Table:
    table = Table(title=f"{document['work']}, one core of {document['machine']['cpu']}")
    table.add_column("server")
    table.add_column(document["unit"], justify="right")
    table.add_row("tandem", f"{document['capacity']:.0f}")
    if document["peer_capacity"]:
        table.add_row(f"{document['peer']} (a proxy)", str(document["peer_capacity"]))
    return table
