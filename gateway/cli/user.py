"""`tandem user`: SIP phones and app clients of an application."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Annotated, Final

import typer

from gateway.cli.administering import AppOption, JsonOption, administer, owner, print_list, validated
from gateway.cli.options import ConfigOption, DataOption
from gateway.config import User as UserSection
from gateway.switch.records import User

if TYPE_CHECKING:
    from gateway.store import Store

__all__ = ["user"]

user: Final = typer.Typer(help="Users: phones and app clients.", no_args_is_help=True)
_PASSWORD_BYTES: Final = 8


@user.callback()
def _user() -> None:
    """Users: phones and app clients."""


@user.command()
def add(
    name: Annotated[str, typer.Argument(help="What it registers as.", metavar="NAME")],
    app: AppOption = None,
    password: Annotated[str | None, typer.Option(help="Without it, one is drawn.")] = None,
    config: ConfigOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Add a user, or give one another password, and print it."""
    checked = validated(UserSection, name=name, password=password or secrets.token_hex(_PASSWORD_BYTES))

    async def work(store: Store) -> User:
        made = User(owner(store, app), checked.name, checked.password, checked.srtp)
        await store.administration.add_user(made)
        return made

    made = administer(config, data, work)
    print_list(
        [{"name": made.name, "password": made.password, "application": made.application}], as_json=as_json
    )


@user.command("list")
def list_(
    app: AppOption = None, config: ConfigOption = None, data: DataOption = None, as_json: JsonOption = False
) -> None:
    """List the users of an application, or all; passwords are not shown."""

    async def work(store: Store) -> list[dict[str, object]]:
        key = None if app is None else owner(store, app)
        return [
            {"name": each.name, "application": each.application, "srtp": each.srtp}
            for each in store.directory.users(key)
        ]

    print_list(administer(config, data, work), as_json=as_json)
