"""`tandem check`: is the configuration right, are its ports free, and what would `tandem serve` do with it?

Looks only: no secret is made, nothing is written.  Exit codes: 0 it would start, 1 a port is taken, 2 the
configuration is wrong.
"""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from gateway.cli.options import (
    ConfigOption,
    DataOption,
    HttpOption,
    LanOption,
    Listener,
    SipOption,
    complain,
    listeners,
    read_config,
)
from gateway.config import Config
from gateway.errors import ConfigError, Overload
from gateway.observe.plain import Plain
from gateway.observe.redaction import redacted, redacted_text
from gateway.supervisor.broker import RESERVE
from gateway.supervisor.shared import raise_descriptor_limit

__all__ = ["check"]

DESCRIPTORS_A_CALL = 4
"""Two legs with a socket for RTP and one for RTCP each."""


def check(
    config: ConfigOption = None,
    data: DataOption = None,
    lan: LanOption = False,
    sip: SipOption = None,
    http: HttpOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")] = False,
) -> None:
    """Say whether this configuration is right, whether its ports are free, and what it does."""
    try:
        settings = read_config(config, data, lan=lan, sip=sip, http=http, make_secrets=False)
        differing = _differing(settings)
    except ConfigError as error:
        if as_json:
            print(json.dumps({"ok": False, "errors": [str(error), *getattr(error, "__notes__", ())]}))
        else:
            complain(error)
        raise typer.Exit(2) from None
    found = listeners(settings)
    if as_json:
        print(json.dumps(redacted({**_document(settings, found), "differences": [*differing]})))
    else:
        _show(settings, found, differing)
    if any(listener.problem for listener in found):
        raise typer.Exit(1)


def _differing(settings: Config) -> list[str]:
    """Say in what the store, which is right, differs from the configuration.  Raises ConfigError."""
    from gateway.store import differences, peek  # takes longer to import than all else takes to check

    try:
        stored = asyncio.run(peek(settings))
    except Overload as error:
        return [f"What the store holds is not known: {error}."]
    return [] if stored is None else [str(each) for each in differences(settings, stored)]


def _key_file(settings: Config) -> Path:
    from gateway.store import key_file

    return key_file(settings)


def _capacity(settings: Config) -> dict[str, int]:
    """Return how many calls ports and descriptors allow, each by itself."""
    return {
        "ports": len(settings.media.ports.pairs) // 2,
        "descriptors": (raise_descriptor_limit() - RESERVE) // DESCRIPTORS_A_CALL,
    }


def _document(settings: Config, found: list[Listener]) -> dict[str, Plain]:
    """Return everything that can be said, without passwords and secrets."""
    return {
        "ok": not any(listener.problem for listener in found),
        "listen": [
            {
                "address": listener.written,
                "key": listener.key,
                "free": not listener.problem,
                "problem": listener.problem,
            }
            for listener in found
        ],
        "most_calls": {**_capacity(settings)},
        "key_file": str(_key_file(settings)),
        "settings": settings.model_dump(
            mode="json",
            exclude={"users": {"__all__": {"password"}}, "applications": {"__all__": {"secret"}}},
        ),
    }


def _show(settings: Config, found: list[Listener], differing: list[str]) -> None:
    console = Console(highlight=False)
    table = Table.grid(padding=(0, 2))
    for listener in found:
        state = (
            Text(f"{listener.problem}; {listener.cure}", "red") if listener.problem else Text("free", "green")
        )
        table.add_row(listener.written, state)
    calls = _capacity(settings)
    reasons = f"{calls['ports']} by ports, {calls['descriptors']} by descriptors"
    rtp = f"rtp:{settings.media.address}:{settings.media.ports}"
    table.add_row(rtp, f"at most {min(calls.values())} calls ({reasons})")
    console.print(table)
    console.print()
    for sentence in [*_sentences(settings), *differing]:
        console.print(redacted_text(sentence), markup=False, soft_wrap=True)


def _sentences(settings: Config) -> list[str]:
    """Say what calls will do."""
    users = ", ".join(user.name for user in settings.users[:10]) or "nobody"
    said = [
        f"Phones may register as {users}{', ...' if len(settings.users) > 10 else ''}.",
        "They can call each other, and echo, tone, music, silence and conf-NAME.",
    ]
    said += [
        f"Calls to {number.number} go to application {number.application}." for number in settings.numbers
    ]
    said += [
        f"Other numbers with {trunk.prefix} leave through {trunk.name}, {trunk.uri}."
        for trunk in settings.trunks
    ]
    if not settings.trunks:
        said.append("There is no trunk: other phone numbers cannot be called.")
    said.append(f"Data is kept in {settings.data_dir}.")
    key_file = _key_file(settings)
    made = "" if key_file.exists() else ", which is made at the first start"
    said.append(f"Secrets in the store are sealed with the key in {key_file}{made}.")
    return said
