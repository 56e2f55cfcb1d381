"""What the REST API is given: the switch and the store behind their Protocols, and the settings that are its own.

Handlers reach the world through this object alone, so a test builds one of fakes and needs neither a phone nor a
database.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from gateway.clock import Clock
from gateway.config.models import Http
from gateway.ids import IdSource
from gateway.recording.shelf import Shelf
from gateway.svaml.load import MOST_BYTES
from gateway.switch.ports import EventLog
from gateway.switch.steering import Calls
from gateway.switch.stores import Administration, CallBook, Directory, Reports

__all__ = ["ApiSettings", "Platform"]


@dataclass(frozen=True, slots=True)
class ApiSettings:
    """How the API behaves where the wire format leaves it open."""

    call_from: bool = True
    """GetCall tells who called; PyPI sinch 1.1.4 dies of that key, so there is a way to leave it out."""
    timestamp_window_s: float = 900.0
    """How far a signed request's timestamp may be from our time, either way."""
    requests_per_s: float = 0.0
    """Requests that one application may make in the long run; 0 = as many as it likes."""
    request_burst: int = 100
    """And at once."""
    body_bytes: int = MOST_BYTES
    """Longest body that is read."""
    url: str = ""
    """Base of the URLs that are handed out, without a slash at its end."""

    @classmethod
    def configured(cls, http: Http) -> Self:
        """Return what the configuration says."""
        return cls(
            call_from=http.call_from,
            timestamp_window_s=http.timestamp_window_s,
            requests_per_s=http.requests_per_s,
            url=http.url,
        )


@dataclass(frozen=True, slots=True)
class Platform:
    """The switch and the store, as the API sees them."""

    calls: Calls
    directory: Directory
    book: CallBook
    administration: Administration
    reports: Reports
    clock: Clock
    ids: IdSource
    log: EventLog
    shelf: Shelf | None = None
    """Where recordings are; None = there are none."""
    settings: ApiSettings = ApiSettings()
