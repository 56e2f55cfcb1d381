"""What the configuration allows an application to have us connect to: for callbacks, prompts and streams alike."""

from __future__ import annotations

import ipaddress
from typing import Final

from gateway.callbacks.guard import LOOPBACK, Guard
from gateway.config import Config

__all__ = ["guard_of", "is_loopback"]

_DECLARED: Final = ("callback", "fallback")


def guard_of(config: Config) -> Guard:
    """Allow what the configuration names; and loopback where nobody but this machine can reach the API."""
    urls = [getattr(each, name) or "" for each in config.applications for name in _DECLARED]
    named = tuple(ipaddress.ip_network(each) for each in config.callbacks.allow)
    return Guard.allowing(urls, (*named, *(LOOPBACK if is_loopback(config.http.listen.host) else ())))


def is_loopback(host: str) -> bool:
    """Tell whether nobody but this machine reaches a host of the configuration."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
