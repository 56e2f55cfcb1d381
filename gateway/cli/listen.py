"""`tandem listen`: a callback server for trying the platform without writing one."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from gateway.cli.options import ConfigOption, DataOption, read_config
from gateway.config import Config
from gateway.errors import ConfigError, LocalError
from gateway.lab.listening.answers import Answers
from gateway.lab.listening.server import Heard, Owner, listening
from gateway.lab.listening.show import as_json as one_line
from gateway.lab.listening.show import keep, show
from gateway.lab.listening.takeover import callback_of
from gateway.lab.phone.stopping import stop_on_signals

__all__ = ["listen"]


_Port = Annotated[int, typer.Option(min=0, max=65535, help="Listen here; 0 = any port.")]
_Host = Annotated[str, typer.Option(help="Listen on this address.")]
_Svaml = Annotated[
    list[str] | None,
    typer.Option(
        help="Answers: a file with the keys ice, ace, pie; or EVENT=FILE; may repeat. "
        "Without it calls go where they would have gone.",
        metavar="FILE",
    ),
]
_Save = Annotated[
    Path | None, typer.Option(help="Keep every event and its answer in this directory.", metavar="DIR")
]
_App = Annotated[
    str | None, typer.Option(help="Be this application's callback until the end.", metavar="KEY")
]
_Secret = Annotated[
    str | None,
    typer.Option(
        envvar="TANDEM_APP_SECRET",
        help="The application's secret; without it, that of the configuration.",
        metavar="BASE64",
    ),
]
_Api = Annotated[
    str | None, typer.Option(help="The switch's REST API; without it, by the configuration.", metavar="URL")
]
_Url = Annotated[
    str | None, typer.Option(help="How the switch reaches us, if not by --host and --port.", metavar="URL")
]
_Json = Annotated[bool, typer.Option("--json", help="Print one JSON document a line.")]


def listen(
    port: _Port = 3000,
    host: _Host = "127.0.0.1",
    svaml: _Svaml = None,
    save: _Save = None,
    app: _App = None,
    secret: _Secret = None,
    api: _Api = None,
    url: _Url = None,
    config: ConfigOption = None,
    data: DataOption = None,
    as_json: _Json = False,
) -> None:
    """Take callbacks: show each one, check its signature, answer with SVAML out of files.  Ctrl-C ends.

    Exit code 0: ended as it was asked to.  1: the port or the switch could not be had.
    """
    known = _configuration(config, data)
    listener = _Listener(
        host=host,
        port=port,
        answers=_answers(svaml or []),
        owner=_owner(app, secret, known) if app else None,
        find=_finder(app, secret, known),
        api=api or (f"http://{known.http.listen}" if known else "http://127.0.0.1:8080"),
        url=url,
        told=_teller(save, as_json=as_json),
    )
    try:
        asyncio.run(listener.run())
    except LocalError as error:
        Console(stderr=True, highlight=False).print(Text.assemble(("failed  ", "bold red"), str(error)))
        raise typer.Exit(1) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class _Listener:
    """What was asked for, complete."""

    host: str
    port: int
    answers: Answers
    owner: Owner | None
    """Whose callback we become; None = nobody's."""
    find: Callable[[str], Owner | None]
    api: str
    url: str | None
    told: Callable[[Heard], None]

    async def run(self) -> None:
        """Listen until a signal.  Raises LocalError."""
        async with AsyncExitStack() as open_things:
            stop = open_things.enter_context(stop_on_signals())
            port = await open_things.enter_async_context(
                listening(self.host, self.port, self.answers, self.find, self.told)
            )
            url = self.url or f"http://{self.host}:{port}/"
            if self.owner is not None:
                await open_things.enter_async_context(callback_of(self.api, self.owner, url))
            whose = f", the callback of application {self.owner.key}" if self.owner else ""
            print(f"listening at {url}{whose}; Ctrl-C ends", file=sys.stderr, flush=True)
            await stop.wait()


def _configuration(path: Path | None, data: Path | None) -> Config | None:
    """Return the configuration that a switch here would have; None = it has a mistake, or none can be read."""
    try:
        return read_config(path, data, lan=False, sip=None, http=None, make_secrets=False)
    except ConfigError:
        return None


def _owners(known: Config | None) -> dict[str, Owner]:
    applications = known.applications if known else ()
    return {each.key.lower(): Owner(each.key, each.secret) for each in applications}


def _owner(app: str, secret: str | None, known: Config | None) -> Owner:
    """Return the application that `--app` names, with its secret."""
    if secret is not None:
        return Owner(app, secret)
    owner = _owners(known).get(app.lower())
    if owner is None:
        raise typer.BadParameter(f"application {app} is not in the configuration: give its --secret")
    return owner


def _finder(app: str | None, secret: str | None, known: Config | None) -> Callable[[str], Owner | None]:
    """Return who knows the secrets of keys: those given, else those of the configuration."""
    owners = _owners(known)
    if secret is not None and app is None:
        return lambda key: Owner(key, secret)
    if secret is not None and app is not None:
        owners[app.lower()] = Owner(app, secret)
    return lambda key: owners.get(key.lower())


def _answers(options: list[str]) -> Answers:
    try:
        return Answers.from_options(options)
    except LocalError as error:
        raise typer.BadParameter(str(error)) from error


def _teller(save: Path | None, *, as_json: bool) -> Callable[[Heard], None]:
    """Return what tells of each callback; where they are to be kept is made now, or is a usage error."""
    try:
        if save is not None:
            save.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise typer.BadParameter(f"--save: {error}") from error
    console = Console(highlight=False, soft_wrap=True)

    def tell(heard: Heard) -> None:
        if as_json:
            print(one_line(heard), flush=True)
        else:
            show(console, heard)
        if save is not None:
            _keep(save, heard)

    return tell


def _keep(save: Path, heard: Heard) -> None:
    try:
        keep(save, heard)
    except OSError as error:
        Console(stderr=True, highlight=False).print(Text(f"not kept: {error}", style="red"))
