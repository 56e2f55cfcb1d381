"""The link to the web phone that `tandem serve` prints: one click, and the page calls the echo.

Where nobody but this machine reaches the page, the link signs its reader in.  What does that stands behind `#`, which
browsers send to no server; it is a user token of the application (`gateway.user_tokens`), so it serves once, for a
day, and needs no way in of its own.  A second one is for the phone in the second tab.
"""

from __future__ import annotations

import ipaddress
import secrets
import time
from typing import Final

from gateway.config import Config
from gateway.config.models import User
from gateway.user_tokens import sign_token

__all__ = ["phone_link", "said_of_the_web_phone"]

_LIFE_S: Final = 86_400


def said_of_the_web_phone(config: Config) -> str:
    """Return what a person is told of the web phone."""
    if not any(each.transport in ("ws", "wss") for each in config.sip.listen):
        return "There is no web phone: sip.listen has no ws: or wss:"
    if not _only_here(config):
        return f"Open the web phone in a browser:\n\n{config.http.url}/phone"
    name = config.users[0].name
    return f"Open the web phone in a browser, signed in as {name}; this link serves once:\n\n{phone_link(config)}"


def phone_link(config: Config) -> str:
    """Return the link that signs in the first user, and in a second tab the second one."""
    signed = [_token(config, user) for user in config.users[:2]]
    told = [f"{name}={token}" for name, token in zip(("token", "peer"), signed, strict=False)]
    return f"{config.http.url}/phone#{'&'.join(told)}"


def _token(config: Config, user: User) -> str:
    application = next(each for each in config.applications if each.key == user.application)
    now = int(time.time())
    return sign_token(
        application.key,
        application.secret,
        user.name,
        nonce=secrets.token_urlsafe(9),
        issued_at=now,
        expires_at=now + _LIFE_S,
    )


def _only_here(config: Config) -> bool:
    return config.http.public_url is None and ipaddress.ip_address(config.http.listen.host).is_loopback
