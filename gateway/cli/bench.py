"""`tandem bench`: what this machine carries, measured; a peer by the same yardstick where one is installed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.table import Table

from gateway.cli.bench_codecs import codecs as bench_codecs
from gateway.cli.bench_signalling import signalling as bench_signalling
from gateway.errors import GatewayError
from gateway.lab.bench.capacity import SERVER_CORE, CapacityBench, Step
from gateway.lab.bench.capacity_plot import write_plot
from gateway.lab.bench.delay import measure_delay
from gateway.lab.bench.mixed import measure_mixed
from gateway.lab.bench.servers import (
    PAYLOAD_TYPES,
    Janus,
    MediaServer,
    Rtpengine,
    TandemMedia,
    janus_installed,
    rtpengine_installed,
)
from gateway.lab.bench.work import Bridges, Rooms, Work

__all__ = ["bench"]

bench: Final = typer.Typer(help="Measure what this machine carries.", no_args_is_help=True)
_errors: Final = Console(stderr=True)

_Seconds = Annotated[float, typer.Option(help="How long each number is carried.", min=2)]
_Rounds = Annotated[int, typer.Option(help="Ramps of each server; the median of ours counts.", min=1)]
_Json = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]
_Out = Annotated[Path | None, typer.Option(help="Write the JSON document there, too.")]
_Plot = Annotated[Path | None, typer.Option(help="Draw the ramps there (PNG, SVG or PDF).")]


@bench.callback()
def _bench() -> None:
    """Measure what this machine carries."""


bench.command("codecs")(bench_codecs)
bench.command("signalling")(bench_signalling)


@bench.command()
def bridge(
    codecs: Annotated[str, typer.Option(help="The two legs' codecs.")] = "pcmu,pcma",
    seconds: _Seconds = 5.0,
    rounds: _Rounds = 1,
    peer: Annotated[bool, typer.Option(help="Compare with rtpengine where it is installed.")] = True,
    force_tick: Annotated[bool, typer.Option(help="Decode, mix and encode instead of relaying.")] = False,
    as_json: _Json = False,
    out: _Out = None,
    plot: _Plot = None,
) -> None:
    """Carry more and more two-leg calls on one core until a packet is lost or late.

    Needs two cores: the server runs on one, the load on the other.
    """
    legs = _two(codecs)
    servers: list[Callable[[], MediaServer]] = [lambda: TandemMedia(SERVER_CORE, force_tick=force_tick)]
    if peer and not force_tick and "ilbc" not in legs and rtpengine_installed():  # which it cannot transcode
        servers.append(lambda: Rtpengine(SERVER_CORE))
    document = _measure(Bridges(legs), servers, seconds, rounds)
    _present(
        {"bench": "bridge", "path": "tick" if force_tick else "as decided"} | document, as_json, out, plot
    )


@bench.command()
def conference(
    codec: Annotated[str, typer.Option(help="What everybody speaks.")] = "pcmu",
    size: Annotated[int, typer.Option(help="People a room; 0 = all in one room.", min=0)] = 0,
    seconds: _Seconds = 5.0,
    rounds: _Rounds = 1,
    peer: Annotated[bool, typer.Option(help="Compare with Janus where it is installed.")] = True,
    as_json: _Json = False,
    out: _Out = None,
    plot: _Plot = None,
) -> None:
    """Carry more and more people in conference on one core until a packet is lost or late.

    Needs two cores: the server runs on one, the load on the other.
    """
    if size == 1:
        _refuse("--size 1: a conference needs two people at least; 0 puts all into one room")
    servers: list[Callable[[], MediaServer]] = [lambda: TandemMedia(SERVER_CORE)]
    if peer and _known(codec) in {"pcmu", "pcma"} and janus_installed():
        servers.append(lambda: Janus(SERVER_CORE))
    document = _measure(Rooms(_known(codec), size or None), servers, seconds, rounds)
    _present({"bench": "conference", "size": size} | document, as_json, out, plot)


@bench.command()
def delay(
    codecs: Annotated[str, typer.Option(help="The two legs' codecs.")] = "pcmu,pcma",
    calls: Annotated[int, typer.Option(help="Calls at the same time.", min=1, max=400)] = 100,
    seconds: _Seconds = 12.0,
    force_tick: Annotated[bool, typer.Option(help="Decode, mix and encode instead of relaying.")] = False,
    as_json: _Json = False,
    out: _Out = None,
) -> None:
    """Measure how much later one phone hears what the other says."""
    legs = _two(codecs)
    try:
        with TandemMedia(SERVER_CORE, force_tick=force_tick) as server:
            document = measure_delay(server, legs, calls=calls, seconds=seconds)
    except GatewayError as error:
        _errors.print(f"[red]{error}[/]")
        raise typer.Exit(1) from None
    document = {"bench": "delay", "path": "tick" if force_tick else "as decided"} | document
    if out is not None:
        out.write_text(json.dumps(document, indent=1))
    if as_json:
        print(json.dumps(document))
    else:
        Console().print(
            f"{'<->'.join(legs).upper()}, {calls} calls: {document['p50_ms']} ms later (p50), "
            f"{document['p99_ms']} ms (p99), beyond {max(document['taken_off_ms']):.1f} ms that the codecs need"
        )


@bench.command()
def mixed(
    codecs: Annotated[str, typer.Option(help="The codecs of the calls that are decoded.")] = "pcmu,g729",
    decoded: Annotated[int, typer.Option(help="Calls that are decoded and encoded.", min=1)] = 300,
    relayed: Annotated[int, typer.Option(help="Calls that are passed on.", min=21)] = 500,
    seconds: _Seconds = 12.0,
    as_json: _Json = False,
    out: _Out = None,
) -> None:
    """Measure whether calls that are decoded hold up those that are only passed on."""
    try:
        with TandemMedia(SERVER_CORE) as server:
            document = measure_mixed(server, _two(codecs), decoded=decoded, relayed=relayed, seconds=seconds)
    except GatewayError as error:
        _errors.print(f"[red]{error}[/]")
        raise typer.Exit(1) from None
    document = {"bench": "mixed"} | document
    if out is not None:
        out.write_text(json.dumps(document, indent=1))
    if as_json:
        print(json.dumps(document))
    else:
        late = document["delay"]
        Console().print(
            f"{document['work']}: relayed {late['p50_ms']} ms later (p50), {late['p99_ms']} ms (p99), "
            f"{document['cpu_percent']:.0f} % of a core"
        )


def _two(codecs: str) -> tuple[str, str]:
    legs = [_known(name) for name in codecs.split(",")]
    if len(legs) != 2:
        _refuse(f"--codecs {codecs}: two codecs are needed, e.g. pcmu,pcma")
    return legs[0], legs[1]


def _known(codec: str) -> str:
    name = codec.strip().lower()
    if name not in PAYLOAD_TYPES:
        _refuse(f"codec {codec!r}: there are {', '.join(PAYLOAD_TYPES)}")
    return name


def _refuse(words: str) -> None:
    _errors.print(f"[red]{words}[/]")
    raise typer.Exit(2)


def _measure(
    work: Work, servers: list[Callable[[], MediaServer]], seconds: float, rounds: int
) -> dict[str, Any]:
    def progress(server: str, step: Step) -> None:
        mark = "[green]clean[/]" if step.clean else f"[red]{step.verdict}[/]"
        _errors.print(
            f"{server:10} {step.n:5} {work.unit}  {step.cpu_percent:4.0f} % of a core  "
            f"{step.cpu_us_per_packet:5.2f} us a packet  {mark}"
        )

    try:
        return CapacityBench(work, seconds=seconds, progress=progress).run(servers, rounds=rounds)
    except GatewayError as error:
        _errors.print(f"[red]{error}[/]")
        raise typer.Exit(1) from None


def _present(document: dict[str, Any], as_json: bool, out: Path | None, plot: Path | None) -> None:
    if out is not None:
        out.write_text(json.dumps(document, indent=1))
    if plot is not None:
        write_plot(document, plot)
    if as_json:
        print(json.dumps(document))
    else:
        Console().print(_table(document))


def _table(document: dict[str, Any]) -> Table:
    table = Table(title=f"{document['work']}, one core of {document['machine']['cpu']}")
    for heading in ("server", document["unit"]):
        table.add_column(heading, justify="right" if heading != "server" else "left")
    table.add_row("tandem", f"{document['capacity']:.0f}")
    if document["peer_capacity"]:
        table.add_row(document["peer"], str(document["peer_capacity"]))
        table.caption = f"{document['ratio']} times the peer"
    return table
