"""The files of `static/`, read once: a few dozen kilobytes that never change while the process runs."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from types import MappingProxyType
from typing import Final

__all__ = ["PAGES", "Page"]

_MEDIA_TYPES: Final = MappingProxyType(
    {
        "html": "text/html; charset=utf-8",
        "css": "text/css; charset=utf-8",
        "js": "text/javascript; charset=utf-8",
        "ts": "text/plain; charset=utf-8",
        "svg": "image/svg+xml",
    }
)


@dataclass(frozen=True, slots=True)
class Page:
    """A file as it is served."""

    body: bytes
    media_type: str
    etag: str
    """Tells a browser whether it has this very file already (RFC 9110 section 8.8.3)."""


def _read() -> dict[str, Page]:
    files = (resources.files("gateway.console") / "static").iterdir()
    return {file.name: _page(file.name, file.read_bytes()) for file in files if file.is_file()}


def _page(name: str, body: bytes) -> Page:
    return Page(body, _MEDIA_TYPES[name.rpartition(".")[2]], f'"{hashlib.sha256(body).hexdigest()[:20]}"')


PAGES: Final[Mapping[str, Page]] = MappingProxyType(_read())
"""By file name."""
