"""`tandem app`: applications, for people who prefer a shell to TOML and the API."""

from __future__ import annotations

import base64
import json
import secrets
import uuid
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.console import Console
from rich.table import Table

from gateway.cli.administering import JsonOption, administer, owner, print_list
from gateway.cli.options import ConfigOption, DataOption
from gateway.switch.records import Application, Money

if TYPE_CHECKING:
    from gateway.store import Store

__all__ = ["app"]

app: Final = typer.Typer(help="Applications: who steers calls.", no_args_is_help=True)
_SECRET_BYTES: Final = 16


@app.callback()
def _app() -> None:
    """Applications: who steers calls."""


@app.command()
def new(
    name: Annotated[str, typer.Option(help="What people call it.")] = "",
    callback: Annotated[str | None, typer.Option(help="URL of its callback server.", metavar="URL")] = None,
    fallback: Annotated[
        str | None, typer.Option(help="URL to ask when that does not answer.", metavar="URL")
    ] = None,
    config: ConfigOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make an application, and print its key and secret."""
    made = Application(str(uuid.uuid4()), _new_secret(), name, callback, fallback)

    async def work(store: Store) -> Application:
        await store.administration.create_application(made)
        return made

    _show_credentials(administer(config, data, work), as_json=as_json)


@app.command("list")
def list_(config: ConfigOption = None, data: DataOption = None, as_json: JsonOption = False) -> None:
    """List applications; their secrets are not shown."""

    async def work(store: Store) -> list[dict[str, object]]:
        return [_row(store, each) for each in store.directory.applications()]

    print_list(administer(config, data, work), as_json=as_json)


@app.command()
def rotate(
    key: Annotated[str, typer.Argument(help="Its key.", metavar="KEY")],
    config: ConfigOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Give an application another secret, and print it; the old one counts no more."""

    async def work(store: Store) -> Application:
        return await store.administration.rotate(owner(store, key), _new_secret())

    _show_credentials(administer(config, data, work), as_json=as_json)


def _new_secret() -> str:
    return base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode("ascii")


def _show_credentials(application: Application, *, as_json: bool) -> None:
    shown = {"key": application.key, "secret": application.secret}
    if as_json:
        print(json.dumps(shown))
        return
    table = Table.grid(padding=(0, 2))
    for name, value in shown.items():
        table.add_row(name, value)
    Console(highlight=False, soft_wrap=True).print(table)


def _row(store: Store, application: Application) -> dict[str, object]:
    return {
        "key": application.key,
        "name": application.name,
        "callback": application.callback,
        "fallback": application.fallback,
        "numbers": len(store.directory.numbers(application.key)),
        "users": len(store.directory.users(application.key)),
        "balance": _written(application.balance),
    }


def _written(money: Money | None) -> str | None:
    return None if money is None else f"{money.amount:f} {money.currency}"
