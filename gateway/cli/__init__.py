"""The command `tandem`.

A subcommand's module is imported when it is asked for: `tandem serve` need not know what the test phone needs, and
a mistake typed at the prompt is answered at once.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from typing import Annotated, Final

import typer

__all__ = ["application", "main"]

COMMANDS: Final[Mapping[str, str]] = {
    "serve": "gateway.cli.serve",
    "check": "gateway.cli.check",
    "call": "gateway.cli.call",
    "answer": "gateway.cli.answer",
    "transcode": "gateway.cli.transcode",
    "mix": "gateway.cli.mix",
    "bench": "gateway.cli.bench",
    "replay": "gateway.cli.replay",
    "trace": "gateway.cli.trace",
    "app": "gateway.cli.app",
    "number": "gateway.cli.number",
    "user": "gateway.cli.user",
    "rate": "gateway.cli.rate",
    "rekey": "gateway.cli.rekey",
    "prompt": "gateway.cli.prompt",
    "svaml": "gateway.cli.svaml",
    "listen": "gateway.cli.listen",
}
"""Subcommand -> the module that has it under the same name: a function, or a typer app with commands of its own."""


def main() -> None:
    """Run the command line."""
    application(sys.argv[1:])()


def application(arguments: Sequence[str]) -> typer.Typer:
    """Return the app with the subcommand that `arguments` begin with, or with all of them."""
    app = typer.Typer(
        name="tandem",
        help="A self-hosted voice switch.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_tandem)
    wanted = [name for name in arguments[:1] if name in COMMANDS] or list(COMMANDS)
    for name in wanted:
        command = getattr(importlib.import_module(COMMANDS[name]), name)
        if isinstance(command, typer.Typer):
            app.add_typer(command, name=name)
        else:
            app.command(name)(command)
    return app


def _print_version(asked: bool) -> None:
    if asked:
        print(f"tandem {version('tandem-voice')}")
        raise typer.Exit


def _tandem(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """A self-hosted voice switch."""
