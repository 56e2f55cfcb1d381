"""Sounds that lie elsewhere: a GET with the limits of the platform.

    Content-Type   must be there, and be one of a sound that is played (`gateway.speech.audio.KINDS`)
    redirects      are an error
    size           at most 1 MB, whatever Content-Length says
    time           ten seconds for everything
    amount         50 downloads and 50 MB an hour, for each application
    kept           for the max-age of Cache-Control from the download on, but never less than 24 h;
                   without one, for 24 h since it was last asked for

Where connections may go is not judged here: the sessions are an argument (`Sessions`), and whoever makes them hands in
connectors that refuse forbidden addresses when they connect.  What is kept lies in memory, within a bound.
"""

from __future__ import annotations

import asyncio
import re
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Protocol

import aiohttp
from yarl import URL

from gateway.speech.audio import KINDS
from gateway.speech.port import SpeechError

__all__ = ["Fetched", "Fetcher", "NotFetched", "Refusal", "Sessions"]

MOST_BYTES: Final = 1_000_000
_HOUR_S: Final = 3600.0
_DAY_S: Final = 24 * _HOUR_S
_DOWNLOADS_AN_HOUR: Final = 50
_BYTES_AN_HOUR: Final = 50_000_000
_PATIENCE_S: Final = 10.0
_KEPT_BYTES: Final = 64 << 20


class Refusal(StrEnum):
    """Why a URL gave nothing; the label of its metric."""

    BAD_URL = "bad_url"
    UNREACHABLE = "unreachable"
    """No such name, nobody listens, a certificate that is not trusted, or an address that nobody allowed."""
    LATE = "late"
    STATUS = "status"
    """Another status than 200, or a redirect."""
    TYPE = "type"
    """No Content-Type, or one of something else than sound."""
    TOO_LONG = "too_long"
    TOO_OFTEN = "too_often"
    """The application has fetched enough for this hour."""
    BROKEN = "broken"
    """What came was not HTTP, or ended too early."""


class NotFetched(SpeechError):
    """A URL gave nothing."""

    def __init__(self, refusal: Refusal, reason: str) -> None:
        super().__init__(reason)
        self.refusal = refusal


class Sessions(Protocol):
    """Whoever knows where connections may go."""

    def session(self, url: URL) -> aiohttp.ClientSession:
        """Return the session to ask `url` by: guarded, without cookies and without a timeout of its own."""
        ...


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file and its kind, a value of `gateway.speech.audio.KINDS`."""

    data: bytes
    kind: str


@dataclass(slots=True)
class _Kept:
    file: Fetched
    until: float
    since_use: bool
    """`until` moves whenever it is asked for."""


@dataclass(slots=True)
class _Account:
    """What an application has fetched within the last hour."""

    begun: deque[float] = field(default_factory=deque)
    """When each download began; those that failed count."""
    bytes: deque[tuple[float, int]] = field(default_factory=deque)

    def begin(self, now: float) -> None:
        """Count one more download.  Raises NotFetched if there were enough."""
        while self.begun and self.begun[0] <= now - _HOUR_S:
            self.begun.popleft()
        while self.bytes and self.bytes[0][0] <= now - _HOUR_S:
            self.bytes.popleft()
        if len(self.begun) >= _DOWNLOADS_AN_HOUR:
            raise NotFetched(Refusal.TOO_OFTEN, f"{_DOWNLOADS_AN_HOUR} downloads in an hour are the most")
        if sum(size for _, size in self.bytes) >= _BYTES_AN_HOUR:
            raise NotFetched(Refusal.TOO_OFTEN, "50 MB in an hour are the most")
        self.begun.append(now)


class Fetcher:
    """Fetches and keeps."""

    def __init__(
        self,
        sessions: Sessions,
        now: Callable[[], float],
        *,
        patience_s: float = _PATIENCE_S,
        kept_bytes: int = _KEPT_BYTES,
    ) -> None:
        """`now` is monotonic, in seconds."""
        self._sessions: Final = sessions
        self._now: Final = now
        self._patience_s: Final = patience_s
        self._kept: Final[OrderedDict[str, _Kept]] = OrderedDict()
        self._room = kept_bytes
        self._locks: Final[dict[str, asyncio.Lock]] = {}
        self._accounts: Final[dict[str, _Account]] = {}

    async def fetch(self, url: str, owner: str) -> Fetched:
        """Return the file at `url` for the application `owner`; many who ask at once cause one download.

        Raises:
            NotFetched: with the reason in words and as a `Refusal`.
        """
        lock = self._locks.setdefault(url, asyncio.Lock())
        try:
            async with lock:
                return self._known(url) or await self._download(url, owner)
        finally:
            if not lock.locked():
                self._locks.pop(url, None)

    def _known(self, url: str) -> Fetched | None:
        kept = self._kept.get(url)
        if kept is None:
            return None
        now = self._now()
        if kept.until <= now:
            self._forget(url)
            return None
        if kept.since_use:
            kept.until = now + _DAY_S
        self._kept.move_to_end(url)
        return kept.file

    async def _download(self, url: str, owner: str) -> Fetched:
        account = self._accounts.setdefault(owner, _Account())
        target = _target(url)
        account.begin(self._now())
        file, max_age_s = await self._get(target)
        account.bytes.append((self._now(), len(file.data)))
        self._keep(url, file, max_age_s)
        return file

    async def _get(self, target: URL) -> tuple[Fetched, float | None]:
        """Return the file and the max-age that its server gives it."""
        try:
            async with asyncio.timeout(self._patience_s):
                async with self._sessions.session(target).get(target, allow_redirects=False) as response:
                    kind = _kind_of(response)
                    return Fetched(await _body(response), kind), _max_age_s(response)
        except TimeoutError:
            raise NotFetched(Refusal.LATE, f"not there in {self._patience_s:g} s") from None
        except aiohttp.ClientConnectorError as error:
            raise NotFetched(Refusal.UNREACHABLE, str(error.os_error) or "nobody there") from None
        except ValueError:
            raise NotFetched(Refusal.BAD_URL, "the URL cannot be read") from None
        except (aiohttp.ClientError, OSError) as error:
            raise NotFetched(Refusal.BROKEN, str(error) or type(error).__name__) from None

    def _keep(self, url: str, file: Fetched, max_age_s: float | None) -> None:
        self._forget(url)
        lasts_s = max(max_age_s or 0.0, _DAY_S)
        self._kept[url] = _Kept(file, self._now() + lasts_s, since_use=max_age_s is None)
        self._room -= len(file.data)
        while self._room < 0:
            self._forget(next(iter(self._kept)))

    def _forget(self, url: str) -> None:
        if kept := self._kept.pop(url, None):
            self._room += len(kept.file.data)


def _target(url: str) -> URL:
    try:
        target = URL(url)
    except ValueError:
        raise NotFetched(Refusal.BAD_URL, "the URL cannot be read") from None
    if target.scheme not in ("http", "https") or not target.host:
        raise NotFetched(Refusal.BAD_URL, "the URL has no host, or is neither http nor https")
    return target.with_fragment(None)


def _kind_of(response: aiohttp.ClientResponse) -> str:
    """Return the kind of sound that a good answer says it has."""
    if 300 <= response.status < 400:
        raise NotFetched(Refusal.STATUS, f"status {response.status}: redirects are not followed")
    if response.status != 200:
        raise NotFetched(Refusal.STATUS, f"status {response.status}")
    if "Content-Type" not in response.headers:
        raise NotFetched(Refusal.TYPE, "the answer has no Content-Type")
    if response.content_type not in KINDS:
        raise NotFetched(Refusal.TYPE, f"{response.content_type} is no sound that is played")
    if (response.content_length or 0) > MOST_BYTES:
        raise NotFetched(Refusal.TOO_LONG, f"{response.content_length} bytes: {MOST_BYTES} are the most")
    return KINDS[response.content_type]


async def _body(response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for piece in response.content.iter_any():
        body += piece
        if len(body) > MOST_BYTES:
            raise NotFetched(Refusal.TOO_LONG, f"longer than {MOST_BYTES} bytes")
    return bytes(body)


def _max_age_s(response: aiohttp.ClientResponse) -> float | None:
    found = re.search(
        r"\bmax-age\s*=\s*\"?(\d{1,9})", response.headers.get("Cache-Control", ""), re.IGNORECASE
    )
    return float(found[1]) if found else None
