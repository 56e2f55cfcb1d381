"""`tandem rate`: what a minute to numbers of a prefix costs."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from gateway.cli.administering import JsonOption, administer, money_of, print_list
from gateway.cli.options import ConfigOption, DataOption
from gateway.switch.records import Rate

if TYPE_CHECKING:
    from gateway.store import Store

__all__ = ["rate"]

rate: Final = typer.Typer(help="Rates: what a minute costs.", no_args_is_help=True)
_COLUMNS: Final = 5


@rate.callback()
def _rate() -> None:
    """Rates: what a minute costs."""


@rate.command()
def load(
    file: Annotated[Path, typer.Argument(help="Lines such as `+4670;SE;Mobile;0.02;EUR`.", exists=True)],
    config: ConfigOption = None,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Replace the table of rates by that of a file."""
    rates = _read(file)

    async def work(store: Store) -> list[dict[str, object]]:
        await store.administration.set_rates(rates)
        return [_row(each) for each in store.directory.snapshot.rates]

    print_list(administer(config, data, work), as_json=as_json)


@rate.command("list")
def list_(config: ConfigOption = None, data: DataOption = None, as_json: JsonOption = False) -> None:
    """List all rates."""

    async def work(store: Store) -> list[dict[str, object]]:
        return [_row(each) for each in store.directory.snapshot.rates]

    print_list(administer(config, data, work), as_json=as_json)


def _read(file: Path) -> list[Rate]:
    """Read the lines; a line that is none, or a prefix that stands there twice, is a usage error."""
    found: dict[str, Rate] = {}
    with file.open(encoding="utf-8", newline="") as lines:
        for at, line in enumerate(csv.reader(lines, delimiter=";"), 1):
            if not line:
                continue
            if len(line) != _COLUMNS or not line[0].startswith("+") or line[0] in found:
                raise typer.BadParameter(
                    f"{file}:{at}: write prefix;country;type;amount;currency, each prefix once"
                )
            prefix, country, kind, amount, currency = (part.strip() for part in line)
            price = money_of(f"{amount} {currency}")
            assert price is not None  # there was a text
            found[prefix] = Rate(prefix, country, kind, price)
    return list(found.values())


def _row(rate: Rate) -> dict[str, object]:
    return {
        "prefix": rate.prefix,
        "country": rate.country,
        "type": rate.number_type,
        "per_minute": f"{rate.per_minute.amount:f}",
        "currency": rate.per_minute.currency,
    }
