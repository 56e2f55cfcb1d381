"""`tandem prompt`: sounds of the operator's own, which applications name by their ids."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.console import Console
from rich.text import Text

from gateway.cli.administering import JsonOption, print_list
from gateway.cli.options import ConfigOption, DataOption, complain, read_config
from gateway.errors import ConfigError, GatewayError

if TYPE_CHECKING:
    from gateway.speech.library import Library

__all__ = ["prompt"]

prompt: Final = typer.Typer(help="Sounds: applications play them by their ids.", no_args_is_help=True)

_Id = Annotated[str, typer.Argument(help="What applications call it, e.g. welcome.", metavar="ID")]


@prompt.callback()
def _prompt() -> None:
    """Sounds: applications play them by their ids."""


@prompt.command()
def add(
    name: _Id,
    file: Annotated[Path, typer.Argument(help="WAV, MP3, AAC, AIFF, GSM, Ogg or Opus.", metavar="FILE")],
    config: ConfigOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Keep a copy of a sound file under an id."""
    with _library(config, data) as library:
        seconds = library.add(name, file)
        print_list([{**_row(library, name), "seconds": round(seconds, 2)}], as_json=as_json)


@prompt.command("list")
def list_(config: ConfigOption = None, data: DataOption = None, as_json: JsonOption = False) -> None:
    """List the sounds."""
    with _library(config, data) as library:
        print_list([_row(library, each.id) for each in library.all()], as_json=as_json)


@prompt.command()
def remove(name: _Id, config: ConfigOption = None, data: DataOption = None) -> None:
    """Take a sound away."""
    with _library(config, data) as library:
        library.remove(name)


@contextmanager
def _library(config: Path | None, data: Path | None) -> Iterator[Library]:
    """Give the library of the data directory; what is not possible is said, and is exit code 1."""
    from gateway.speech.library import (
        Library,
    )  # takes longer to import than a mistake at the prompt is to wait

    try:
        yield Library(read_config(config, data, lan=False, sip=None, http=None).data_dir / "prompts")
    except ConfigError as error:
        complain(error)
        raise typer.Exit(2) from None
    except GatewayError as error:
        Console(stderr=True, soft_wrap=True).print(Text(str(error), "red"))
        raise typer.Exit(1) from None


def _row(library: Library, name: str) -> dict[str, object]:
    stored = library.find(name)
    return {"id": stored.id, "file": stored.path.name, "bytes": stored.size_bytes}
