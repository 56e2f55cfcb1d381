"""`tandem rekey`: another key for what is secret in the store.

A switch that runs meanwhile reads it when it first needs it.  The key before stays in the file, on the second line: it
opens backups from before, and can be taken away.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from gateway.cli.administering import JsonOption, administer
from gateway.cli.options import ConfigOption, DataOption, read_config

if TYPE_CHECKING:
    from gateway.store import Store

__all__ = ["rekey"]


def rekey(config: ConfigOption = None, data: DataOption = None, as_json: JsonOption = False) -> None:
    """Draw another key, and seal the secrets of applications and users with it."""
    from gateway.store import key_file  # takes long to import

    async def work(store: Store) -> None:
        await store.administration.rekey()

    administer(config, data, work)
    path = str(key_file(read_config(config, data, lan=False, sip=None, http=None)))
    print(json.dumps({"key_file": path}) if as_json else f"Secrets are sealed with the first key in {path}.")
