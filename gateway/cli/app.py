"""`tandem app`: applications, for people who prefer a shell to TOML and the API."""

from __future__ import annotations

import base64
import json
import secrets
import uuid
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from rich.console import Console
from rich.table import Table

from gateway.cli.administering import JsonOption, administer, money_of, owner, print_list
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


@app.command("set")
def set_(
    key: Annotated[str, typer.Argument(help="Its key.", metavar="KEY")],
    name: Annotated[str | None, typer.Option(help="What people call it.")] = None,
    callback: Annotated[str | None, typer.Option(help="URL of its callback server.", metavar="URL")] = None,
    fallback: Annotated[
        str | None, typer.Option(help="URL to ask when that does not answer.", metavar="URL")
    ] = None,
    balance: Annotated[str | None, typer.Option(help="What it has left.", metavar="'10 USD'")] = None,
    spend_cap: Annotated[
        str | None, typer.Option(help="Most that its calls may cost in all.", metavar="'100 USD'")
    ] = None,
    calls_per_s: Annotated[
        float | None, typer.Option(help="New calls a second; 0 = no limit.", min=0)
    ] = None,
    destination: Annotated[
        list[str] | None, typer.Option(help="It may call numbers that begin so; may repeat.", metavar="+46")
    ] = None,
    basic: Annotated[
        bool | None, typer.Option("--basic/--signed-only", help="May it show its secret instead of signing?")
    ] = None,
    config: ConfigOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Change what is given of an application, and leave the rest; an empty URL is none."""
    wanted = {
        "name": name,
        "callback": callback,
        "fallback": fallback,
        "balance": money_of(balance),
        "spend_cap": money_of(spend_cap),
        "calls_per_s": calls_per_s,
        "destinations": tuple(destination) if destination else None,
        "basic": basic,
    }
    changes: dict[str, Any] = {field: value or None for field, value in wanted.items() if value is not None}
    changes |= {field: wanted[field] for field in ("name", "basic") if wanted[field] is not None}

    async def work(store: Store) -> list[dict[str, object]]:
        before = store.directory.application(owner(store, key))
        assert before is not None  # `owner` has just found it
        await store.administration.update_application(replace(before, **changes))
        after = store.directory.application(key)
        return [] if after is None else [_row(store, after)]

    print_list(administer(config, data, work), as_json=as_json)


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
