"""Secrets that nobody chose: drawn at the first start, kept in the data directory, the same ever after.

The file is TOML, mode 0600, and is linked into place whole: two processes that start together agree on one
set, and a crash leaves all of it or nothing.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
import tempfile
import tomllib
import uuid
from dataclasses import dataclass
from pathlib import Path

from gateway.errors import ConfigError

__all__ = ["MADE_USERS", "SECRETS_FILE", "Made", "read_or_make"]

SECRETS_FILE = "secrets.toml"
MADE_USERS = ("alice", "bob")


@dataclass(frozen=True, slots=True)
class Made:
    """The application and the users of a switch that was told nothing."""

    application_key: str
    """A GUID."""
    application_secret: str
    """16 random bytes in base64."""
    alice: str
    bob: str


def read_or_make(data_dir: Path) -> Made:
    """Return the secrets of `data_dir`; make the directory (0700) and the file (0600) if they are not there.

    Raises ConfigError if the directory cannot be written or the file is not what we wrote.
    """
    path = data_dir / SECRETS_FILE
    try:
        if not path.exists():
            data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            _write(path, _draw())
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(str(path), str(error)) from error
    try:
        return Made(**{name: str(table[name]) for name in Made.__slots__})
    except KeyError as error:
        raise ConfigError(str(path), f"{error} is missing; remove the file and new ones are made") from None


def _draw() -> Made:
    return Made(
        application_key=str(uuid.uuid4()),
        application_secret=base64.b64encode(secrets.token_bytes(16)).decode(),
        alice=secrets.token_hex(8),
        bob=secrets.token_hex(8),
    )


def _write(path: Path, made: Made) -> None:
    """Put the whole file in place at once; whoever comes second leaves the first one's file alone."""
    lines = ["# Made by Tandem at its first start. Whoever reads this can place calls."]
    lines += [f"{name} = {json.dumps(getattr(made, name))}" for name in Made.__slots__]
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=".secrets-")  # mode 0600
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        os.unlink(draft)
