"""`tandem bench`: what this machine carries, measured; a peer by the same yardstick where one is installed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.table import Table

from gateway.cli.bench_codecs import codecs as bench_codecs
from gateway.errors import GatewayError
from gateway.lab.bench.bridge import BridgeBench, Step

__all__ = ["bench"]

bench: Final = typer.Typer(help="Measure what this machine carries.", no_args_is_help=True)
_CODECS: Final = ("pcmu", "pcma")


@bench.callback()
def _bench() -> None:
    """Measure what this machine carries."""


bench.command("codecs")(bench_codecs)


@bench.command()
def bridge(
    codecs: Annotated[str, typer.Option(help="The two legs' codecs.")] = "pcmu,pcma",
    seconds: Annotated[float, typer.Option(help="How long each number of calls is carried.", min=2)] = 5.0,
    rounds: Annotated[int, typer.Option(help="Ramps of each server; the median of ours counts.", min=1)] = 1,
    peer: Annotated[bool, typer.Option(help="Compare with rtpengine where it is installed.")] = True,
    force_tick: Annotated[bool, typer.Option(help="Decode, mix and encode instead of relaying.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
    out: Annotated[Path | None, typer.Option(help="Write the JSON document there, too.")] = None,
) -> None:
    """Carry more and more two-leg calls on one core until a packet is lost or late.

    Needs two cores: the server runs on one, the load on the other.
    """
    console = Console(stderr=True)
    legs = tuple(name.strip().lower() for name in codecs.split(","))
    if len(legs) != 2 or not set(legs) <= set(_CODECS):
        console.print(f"[red]--codecs {codecs}:[/] two of {', '.join(_CODECS)} are needed, e.g. pcmu,pcma")
        raise typer.Exit(2)

    def progress(server: str, step: Step) -> None:
        mark = "[green]clean[/]" if step.clean else f"[red]{step.verdict}[/]"
        console.print(
            f"{server:10} {step.calls:5} calls  {step.cpu_percent:4.0f} % of a core  "
            f"{step.cpu_us_per_packet:5.2f} us a packet  {mark}"
        )

    measure = BridgeBench((legs[0], legs[1]), seconds=seconds, force_tick=force_tick, progress=progress)
    try:
        document = measure.run(rounds=rounds, peer=peer and not force_tick)
    except GatewayError as error:
        console.print(f"[red]{error}[/]")
        raise typer.Exit(1) from None
    if out is not None:
        out.write_text(json.dumps(document, indent=1))
    if as_json:
        print(json.dumps(document))
    else:
        Console().print(_table(document))


def _table(document: dict[str, Any]) -> Table:
    table = Table(title=f"{'<->'.join(document['codecs']).upper()}, one core of {document['machine']['cpu']}")
    for heading in ("server", "calls", "legs"):
        table.add_column(heading, justify="right" if heading != "server" else "left")
    table.add_row(f"tandem ({document['path']})", f"{document['calls']:.0f}", f"{document['legs']:.0f}")
    if document["peer_calls"]:
        table.add_row("rtpengine", str(document["peer_calls"]), str(2 * document["peer_calls"]))
        table.caption = f"{document['ratio']} times the peer"
    return table
