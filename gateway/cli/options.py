"""What `tandem serve` and `tandem check` share: their options, and the configuration read with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from gateway.config import STREAMS, Config, default_data_dir, load
from gateway.errors import ConfigError
from gateway.supervisor.probe import why_not_free

__all__ = [
    "ConfigOption",
    "DataOption",
    "HttpOption",
    "LanOption",
    "Listener",
    "SipOption",
    "TraceOption",
    "complain",
    "listeners",
    "read_config",
]

ConfigOption = Annotated[
    Path | None, typer.Option("--config", envvar="TANDEM_CONFIG", help="TOML file.", metavar="FILE")
]
DataOption = Annotated[
    Path | None,
    typer.Option(
        "--data",
        help="Where secrets and the store live.",
        metavar="DIR",
        show_default="~/.local/share/tandem",
    ),
]
LanOption = Annotated[bool, typer.Option("--lan", help="Be reachable for phones in the local network.")]
SipOption = Annotated[
    list[str] | None,
    typer.Option("--sip", help="Listen here for SIP; may repeat.", metavar="udp:127.0.0.1:5060"),
]
HttpOption = Annotated[
    str | None, typer.Option("--http", help="Listen here for HTTP.", metavar="127.0.0.1:8080")
]
TraceOption = Annotated[
    Path | None,
    typer.Option("--trace", help="Append SIP, RTP and RTCP to this capture file (pcap).", metavar="FILE"),
]


@dataclass(frozen=True, slots=True)
class Listener:
    """A port that the switch will listen on."""

    key: str
    """The configuration key that names it."""
    flag: str
    """The option that names it."""
    written: str
    problem: str | None
    """Why it cannot be had now; None = it can."""

    @property
    def cure(self) -> str:
        """Say how another port is chosen."""
        return f"choose another with {self.flag} or the key {self.key}"


def read_config(
    config: Path | None,
    data: Path | None,
    *,
    lan: bool,
    sip: Sequence[str] | None,
    http: str | None,
    trace: Path | None = None,
    make_secrets: bool = True,
) -> Config:
    """Return what files, environment and options say together.  Raises ConfigError."""
    overrides: dict[str, dict[str, object]] = {}
    if sip:
        overrides["sip"] = {"listen": list(sip)}
    if http:
        overrides["http"] = {"listen": http}
    if trace:
        overrides["trace"] = {"pcap": trace}
    return load(config, data or default_data_dir(), lan, overrides=overrides, make_secrets=make_secrets)


def listeners(config: Config) -> list[Listener]:
    """Return every port that will be listened on, each tried just now."""
    http = config.http.listen
    found = [
        Listener("http.listen", "--http", f"http://{http}", why_not_free("tcp", http.host, http.port)),
    ]
    if phone := config.http.phone:
        problem = why_not_free("tcp", phone.host, phone.port)
        found.append(Listener("http.phone", "TANDEM_HTTP__PHONE", f"https://{phone}", problem))
    for at, one in enumerate(config.sip.listen):
        problem = why_not_free("tcp" if one.transport in STREAMS else "udp", one.host, one.port)
        found.append(Listener(f"sip.listen[{at}]", "--sip", str(one), problem))
    return found


def complain(error: ConfigError) -> None:
    """Say on stderr what is wrong with the configuration, all of it."""
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    for message in (str(error), *getattr(error, "__notes__", ())):
        console.print(Text.assemble(("configuration  ", "bold red"), message))
