"""`tandem number`: numbers that we own, and whose they are."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Final

import typer

from gateway.cli.administering import AppOption, JsonOption, administer, owner, print_list, validated
from gateway.cli.options import ConfigOption, DataOption
from gateway.config import Number as NumberSection
from gateway.switch.records import Application, Number

if TYPE_CHECKING:
    from gateway.store import Store

__all__ = ["number"]

_SHOWN_ONLY: Final = "verified"
"""What such a number is good for: the callers of others see it."""
number: Final = typer.Typer(help="Numbers: calls to them go to an application.", no_args_is_help=True)


@number.callback()
def _number() -> None:
    """Numbers: calls to them go to an application."""


@number.command()
def add(
    number: Annotated[str, typer.Argument(help="With its plus, e.g. +46700000001.", metavar="NUMBER")],
    app: AppOption = None,
    forward: Annotated[
        str | None,
        typer.Option(help="Where calls go when the application has no callback.", metavar="DESTINATION"),
    ] = None,
    config: ConfigOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take a number into possession, or give it to another application."""
    checked = validated(NumberSection, number=number)

    async def work(store: Store) -> Number:
        mine = Number(checked.number, owner(store, app), forward=forward)
        await store.administration.add_number(mine)
        return mine

    print_list([_row(administer(config, data, work))], as_json=as_json)


@number.command()
def verify(
    number: Annotated[str, typer.Argument(help="With its plus, e.g. +46700000001.", metavar="NUMBER")],
    app: AppOption = None,
    revoke: Annotated[bool, typer.Option("--revoke", help="It may show it no more.")] = False,
    config: ConfigOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Let an application show a number that is not ours; you have seen that it is the application's own."""
    checked = validated(NumberSection, number=number)

    async def work(store: Store) -> Application:
        before = store.directory.application(owner(store, app))
        assert before is not None  # `owner` has just found it
        others = tuple(each for each in before.verified if each != checked.number)
        after = replace(before, verified=others if revoke else (*others, checked.number))
        await store.administration.update_application(after)
        return after

    print_list(_verified_rows(administer(config, data, work)), as_json=as_json)


@number.command("list")
def list_(
    app: AppOption = None, config: ConfigOption = None, data: DataOption = None, as_json: JsonOption = False
) -> None:
    """List the numbers of an application, or all; those that it may only show are `verified`."""

    async def work(store: Store) -> list[dict[str, object]]:
        key = None if app is None else owner(store, app)
        theirs = [each for each in store.directory.applications() if key in (None, each.key)]
        verified = [row for each in theirs for row in _verified_rows(each)]
        return [_row(each) for each in store.directory.numbers(key)] + verified

    print_list(administer(config, data, work), as_json=as_json)


def _row(number: Number) -> dict[str, object]:
    return {
        "number": number.number,
        "application": number.application,
        "capability": number.capability,
        "forward": number.forward,
    }


def _verified_rows(application: Application) -> list[dict[str, object]]:
    return [_row(Number(number, application.key, capability=_SHOWN_ONLY)) for number in application.verified]
