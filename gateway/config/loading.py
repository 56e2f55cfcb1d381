"""From a file, the environment and the command line to one complete `Config`.

Everything is optional.  A key is taken from the first of: the command line, the environment, the file, the
default. In the environment it is `TANDEM_SECTION__KEY`:
`TANDEM_SIP__LISTEN="udp:127.0.0.1:5070,tcp:127.0.0.1:5070"`; lists are written with commas or as JSON,
lists of tables (`TANDEM_USERS`) as JSON.

With no file at all there is one application and two users, alice and bob, whose secrets are drawn once
(`gateway.config.made`).

A mistake is a `ConfigError` whose path is the key, `sip.listen[0]`; a key that does not exist is answered
with the nearest one that does.  Further mistakes are notes on the error (PEP 678), so that one run shows
them all.
"""

from __future__ import annotations

import difflib
import ipaddress
import os
import socket
import tomllib
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from gateway.config.lan_certificate import LAN_CERTIFICATE, keep_certificate
from gateway.config.made import MADE_USERS, SECRETS_FILE, Made, read_or_make
from gateway.config.models import Application, Config, Number, Sections, Trunk, User
from gateway.config.values import STREAMS, Address, Listen
from gateway.errors import ConfigError

__all__ = ["default_data_dir", "inherited", "lan_address", "load"]

PREFIX = "TANDEM_"
LAN_HTTPS_PORT = 8443
LAN_WSS_PORT = 5067
NOT_YET_MADE = Made(**dict.fromkeys(Made.__slots__, "made at the first start"))
"""Stands for the secrets where a configuration is only looked at."""
TABLES: Mapping[str, type[BaseModel]] = {
    "applications": Application,
    "users": User,
    "numbers": Number,
    "trunks": Trunk,
}
"""What the lists of tables hold."""
Owned = TypeVar("Owned", User, Number)


def default_data_dir() -> Path:
    """Return `$TANDEM_DATA`, else `tandem` in the XDG data directory."""
    if named := os.environ.get("TANDEM_DATA"):
        return Path(named)
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "tandem"


def inherited() -> Config:
    """Return the configuration that the supervisor passes to a child process in its environment."""
    path = os.environ.get("TANDEM_CONFIG")
    return load(Path(path) if path else None, default_data_dir())


def load(
    path: Path | None,
    data_dir: Path,
    lan: bool = False,
    *,
    overrides: Mapping[str, Mapping[str, object]] | None = None,
    make_secrets: bool = True,
) -> Config:
    """Read everything and return it complete.

    Args:
        path: the TOML file; None = no file.
        data_dir: where secrets (and the store) live; made if it is not there.
        lan: listen on and advertise this machine's LAN address instead of loopback.
        overrides: what the command line says, `{"http": {"listen": "127.0.0.1:8081"}}`.
        make_secrets: False = only look; secrets that nobody chose are not drawn.

    Raises:
        ConfigError: a key is wrong, the file is not TOML, or the data directory cannot be used.
    """
    table = _read_table(path) if path else {}
    _refuse_unknown_variables()
    try:
        sections = _sources(overrides or {}, table)()
    except ValidationError as error:
        raise _config_error(error) from None
    except SettingsError as error:
        raise ConfigError("environment", f"{error}: write JSON") from None
    fields = {name: getattr(sections, name) for name in Sections.model_fields}
    users_left_out = "users" not in sections.model_fields_set
    if users_left_out or not sections.applications:
        made = read_or_make(data_dir) if make_secrets else _peek(data_dir)
        fields = _with_made(fields, made, users=users_left_out)
    config = _resolved(Config(**fields, data_dir=data_dir.absolute()))
    if lan:
        config = _on_the_lan(config, lan_address())
    if lan and make_secrets and config.sip.certificate == data_dir.absolute() / LAN_CERTIFICATE:
        keep_certificate(config.sip.certificate, lan_address())
    if config.http.phone and not (config.sip.certificate and config.sip.key):
        raise ConfigError("http.phone", "needs sip.certificate and sip.key (PEM files)")
    _refuse_clashes(config)
    return config


def lan_address() -> str:
    """Return the address that this machine speaks to the network from.

    A UDP connect asks the routing table and sends nothing; 192.0.2.1 is documentation space (RFC 5737),
    nobody's. Raises ConfigError without a route.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
            return str(probe.getsockname()[0])
        except OSError as error:
            raise ConfigError("--lan", f"this machine has no route to a network: {error.strerror}") from None


def _read_table(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(str(path), error.strerror or str(error)) from None
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        raise ConfigError(str(path), f"not UTF-8 text (at line {line})") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(str(path), f"not TOML: {error}") from None


def _sources(overrides: Mapping[str, object], table: Mapping[str, object]) -> type[Sections]:
    """Return sections that fill themselves; first wins: `overrides`, environment, `table`, defaults."""

    class Sources(Sections, BaseSettings):
        model_config = SettingsConfigDict(env_prefix=PREFIX, env_nested_delimiter="__")

        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,
            file_secret_settings: PydanticBaseSettingsSource,
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            told = InitSettingsSource(settings_cls, dict(overrides))
            return told, env_settings, InitSettingsSource(settings_cls, dict(table))

    return Sources


def _refuse_unknown_variables() -> None:
    """Catch `TANDEM_SPI__LISTEN`: a section that does not exist would silently count for nothing."""
    for name in sorted(os.environ):
        section, separator, _ = name.removeprefix(PREFIX).lower().partition("__")
        if name.startswith(PREFIX) and separator and section not in Sections.model_fields:
            raise ConfigError(name, f"no such section{_nearest(section, Sections)}")


def _nearest(name: str, model: type[BaseModel]) -> str:
    keys = [field.alias or key for key, field in model.model_fields.items()]
    close = difflib.get_close_matches(name, keys, n=1, cutoff=0.5)
    return f"; did you mean `{close[0]}`?" if close else f"; there are {', '.join(keys)}"


def _config_error(error: ValidationError) -> ConfigError:
    """Turn pydantic's list into one error for the first mistake with a note for each other one."""
    records = error.errors(include_url=False, include_input=False)
    records.sort(
        key=lambda record: record["type"] != "extra_forbidden"
    )  # a misspelt key is why one is missing
    told = [_told(record["loc"], record["type"], record["msg"]) for record in records]
    first = ConfigError(*told[0])
    for path, message in told[1:]:
        first.add_note(f"{path}: {message}")
    return first


def _told(location: tuple[str | int, ...], kind: str, message: str) -> tuple[str, str]:
    """Return (key path, what is wrong in words) for one of pydantic's error records."""
    if kind == "extra_forbidden":
        message = f"no such key{_nearest(str(location[-1]), _model_at(location[:-1]))}"
    elif kind == "missing":
        message = "is missing"
    message = message.removeprefix("Value error, ").removeprefix("Input ")
    return _written(location), message + _whence(location)


def _written(location: tuple[str | int, ...]) -> str:
    """Write `("sip", "listen", 0)` as `sip.listen[0]`."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location).lstrip(".")


def _whence(location: tuple[str | int, ...]) -> str:
    """Name the environment variable that set the key, if one did."""
    present = {name.upper() for name in os.environ}
    for depth in (2, 1):
        name = PREFIX + "__".join(str(part) for part in location[:depth]).upper()
        if name in present:
            return f" (from {name})"
    return ""


def _model_at(location: tuple[str | int, ...]) -> type[BaseModel]:
    """Return the model whose keys stand at `location`."""
    if not location:
        return Sections
    section = str(location[0])
    return TABLES.get(section) or type(Sections.model_fields[section].default)


def _peek(data_dir: Path) -> Made:
    try:
        return read_or_make(data_dir) if (data_dir / SECRETS_FILE).exists() else NOT_YET_MADE
    except OSError as error:
        raise ConfigError(str(data_dir), error.strerror or str(error)) from None


def _with_made(fields: dict[str, Any], made: Made, *, users: bool) -> dict[str, Any]:
    if not fields["applications"]:
        fields["applications"] = (Application(key=made.application_key, secret=made.application_secret),)
    if users:
        fields["users"] = tuple(User(name=name, password=getattr(made, name)) for name in MADE_USERS)
    return fields


def _resolved(config: Config) -> Config:
    """Name the application of every user and number; refuse one that does not exist, and twins."""
    keys = [application.key for application in config.applications]
    _refuse_twins("applications", keys)
    _refuse_twins("users", [user.name for user in config.users])
    _refuse_twins("numbers", [number.number for number in config.numbers])
    _refuse_twins("trunks", [trunk.name for trunk in config.trunks])
    _check_trunk_keys(config, keys)
    users = tuple(_owned(user, f"users[{at}]", keys) for at, user in enumerate(config.users))
    numbers = tuple(_owned(number, f"numbers[{at}]", keys) for at, number in enumerate(config.numbers))
    return config.model_copy(update={"users": users, "numbers": numbers})


def _refuse_twins(table: str, names: list[str]) -> None:
    if twins := [name for name, times in Counter(names).items() if times > 1]:
        raise ConfigError(table, f"{twins[0]!r} stands there twice")


def _check_trunk_keys(config: Config, keys: list[str]) -> None:
    """Refuse keys that miss another one, and digests of no application, of another trunk, or of a user."""
    taken = {user.name: "a user" for user in config.users}
    for at, trunk in enumerate(config.trunks):
        for key, wrong, message in _trunk_mistakes(trunk):
            if wrong:
                raise ConfigError(f"trunks[{at}].{key}", message)
        if not trunk.application:
            continue
        path = f"trunks[{at}].application"
        if trunk.application not in keys:
            raise ConfigError(path, f"no application has the key {trunk.application!r}")
        if (holder := taken.get(trunk.application)) is not None:
            raise ConfigError(path, f"{trunk.application!r} is already the name by which {holder} is known")
        taken[trunk.application] = f"trunk {trunk.name!r}"


def _trunk_mistakes(trunk: Trunk) -> tuple[tuple[str, bool, str], ...]:
    """Return the keys of a trunk that need others, whether those are missing, and what is wrong in words."""
    named, secret = trunk.username is not None, trunk.password is not None
    both = trunk.demand == "both"
    return (
        ("register", trunk.registers and not (named and secret), "needs username and password"),
        ("username", named and not secret, "needs password"),
        ("password", secret and not named, "needs username"),
        ("numbers", trunk.numbers == "national" and not trunk.country, '"national" needs country'),
        (
            "demand",
            both and not (trunk.sources and trunk.application),
            '"both" needs sources and application',
        ),
    )


def _owned(row: Owned, path: str, keys: list[str]) -> Owned:
    """Return `row` with its application named: the first one unless it says another."""
    if row.application and row.application not in keys:
        raise ConfigError(f"{path}.application", f"no application has the key {row.application!r}")
    return row.model_copy(update={"application": row.application or keys[0]})


def _on_the_lan(config: Config, address: str) -> Config:
    """Move SIP and RTP from loopback to `address`.  HTTP stays: its API is not meant for the whole house.

    The web phone alone is served there by HTTPS, with a certificate of our own making where there is none.
    """

    def moved(host: str) -> str:
        return address if ipaddress.ip_address(host).is_loopback else host

    listen = tuple(type(one)(one.transport, moved(one.host), one.port) for one in config.sip.listen)
    sip = config.sip.model_copy(update={"listen": listen, "advertised": config.sip.advertised or address})
    advertised = config.media.advertised or address
    media = config.media.model_copy(update={"address": moved(config.media.address), "advertised": advertised})
    config = config.model_copy(update={"sip": sip, "media": media})
    return config if sip.certificate else _with_own_https(config, address)


def _with_own_https(config: Config, address: str) -> Config:
    """Serve the web phone, and the WebSocket that it needs, with a certificate of our own making."""
    pem = config.data_dir / LAN_CERTIFICATE
    listen = (*config.sip.listen, Listen("wss", address, LAN_WSS_PORT))
    sip = config.sip.model_copy(update={"listen": listen, "certificate": pem, "key": pem})
    http = config.http.model_copy(update={"phone": config.http.phone or Address(address, LAN_HTTPS_PORT)})
    return config.model_copy(update={"sip": sip, "http": http})


def _refuse_clashes(config: Config) -> None:
    """Refuse two listeners on one port: ws: and tcp: are both TCP, and so is HTTP."""
    wanted = [("http.listen", "tcp", config.http.listen)]
    if config.http.phone:
        wanted.append(("http.phone", "tcp", config.http.phone))
    for at, one in enumerate(config.sip.listen):
        wanted.append((f"sip.listen[{at}]", "tcp" if one.transport in STREAMS else "udp", one.address))
    taken: dict[tuple[str, object], str] = {}
    for key, protocol, address in wanted:
        holder = taken.setdefault((protocol, address), key)
        if holder != key and address.port:
            raise ConfigError(key, f"{protocol} {address} is already that of {holder}")
