"""What `tandem app`, `tandem number` and `tandem user` share: the store, opened beside a switch that may be running.

The switch sees a change within a second.  A store that no switch has used yet is seeded from the configuration here,
as the first start would.  Exit codes: 0 done, 1 not possible, 2 the configuration or the command is wrong.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Sequence
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, TypeVar

import typer
from pydantic import BaseModel, ValidationError
from rich.console import Console
from rich.table import Table
from rich.text import Text

from gateway.cli.options import complain, read_config
from gateway.config import Config
from gateway.errors import ConfigError, GatewayError, LocalError
from gateway.switch.records import Money

if TYPE_CHECKING:
    from gateway.store import Store

__all__ = ["AppOption", "JsonOption", "administer", "money_of", "owner", "print_list", "validated"]

_WHOLE: Final = ("key", "number", "name", "password", "prefix")
"""Columns that are copied: never broken."""

T = TypeVar("T")
Model = TypeVar("Model", bound=BaseModel)

AppOption = Annotated[
    str | None,
    typer.Option("--app", help="Key of the application; without it, the first one.", metavar="KEY"),
]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]


def administer(config: Path | None, data: Path | None, work: Callable[[Store], Awaitable[T]]) -> T:
    """Return what `work` returned with the store; if it is not possible, say so and exit."""
    try:
        settings = read_config(config, data, lan=False, sip=None, http=None)
        return asyncio.run(_with_store(settings, work))
    except ConfigError as error:
        complain(error)
        raise typer.Exit(2) from None
    except GatewayError as error:
        Console(stderr=True, soft_wrap=True).print(Text(str(error), "red"))
        raise typer.Exit(1) from None


async def _with_store(settings: Config, work: Callable[[Store], Awaitable[T]]) -> T:
    from gateway.store import open_store  # takes longer to import than a mistake at the prompt is to wait

    async with open_store(settings, _Quiet(), serving=False) as store:
        return await work(store)


def owner(store: Store, key: str | None) -> str:
    """Return the key of the application that is meant, as it is written.

    Raises:
        LocalError: there is none.
    """
    known = store.directory.applications()
    meant = store.directory.application(key) if key is not None else next(iter(known), None)
    if meant is None:
        raise LocalError(f"there is no application {key}" if key else "there is no application yet")
    return meant.key


def validated(model: type[Model], **fields: object) -> Model:
    """Return what the configuration file could say, too; what it could not is a usage error."""
    try:
        return model.model_validate(fields)
    except ValidationError as error:
        raise typer.BadParameter(error.errors()[0]["msg"].removeprefix("Value error, ")) from None


def money_of(text: str | None) -> Money | None:
    """Read `10.50 USD`; anything else is a usage error."""
    if text is None:
        return None
    amount, _, currency = text.strip().partition(" ")
    if not re.fullmatch("[A-Z]{3}", currency):
        raise typer.BadParameter(f"{text!r} is not an amount such as '10.50 USD'")
    try:
        return Money(Decimal(amount), currency)
    except InvalidOperation:
        raise typer.BadParameter(f"{amount!r} is not a number") from None


def print_list(rows: Sequence[dict[str, object]], *, as_json: bool) -> None:
    """Print rows of the same columns, as JSON or as a table of those that hold something."""
    if as_json:
        print(json.dumps(rows))
        return
    table = Table(box=None, padding=(0, 2, 0, 0))
    filled = [name for name in (rows[0] if rows else ()) if any(row[name] not in (None, "") for row in rows)]
    for name in filled:
        table.add_column(name, overflow="fold", no_wrap=name in _WHOLE)
    for row in rows:
        table.add_row(*(Text("" if row[name] is None else str(row[name])) for name in filled))
    Console(highlight=False).print(table)


class _Quiet:
    """A log that only speaks when something is wrong: the command prints what came of it."""

    def info(self, event: str, /, **facts: object) -> None:
        """Say nothing."""

    def warning(self, event: str, /, **facts: object) -> None:
        Console(stderr=True, soft_wrap=True).print(Text(f"{event} {facts}", "yellow"))

    def exception(self, event: str, /, **facts: object) -> None:
        self.warning(event, **facts)
