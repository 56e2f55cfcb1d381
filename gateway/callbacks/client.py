"""The one HTTP client of callbacks: a POST, and the body of a good answer within five seconds.

Whoever answers is a stranger.  The five seconds are for everything from the name's lookup to the last byte, a body may
be 64 KiB, a redirect is no answer, cookies are not kept, compression is neither asked for nor undone, and the addresses
are guarded (`gateway.callbacks.guard`).  Connections are kept for the next request.

A kept connection may be closed by its server in the moment in which we write to it.  That is nobody's failure, so the
request is sent again on another one; the receiver knows a repetition by its `ce-id`.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
from types import SimpleNamespace
from typing import Final

import aiohttp
from aiohttp.abc import AbstractResolver
from yarl import URL

from gateway.callbacks.guard import Forbidden, Guard, Names
from gateway.errors import GatewayError

__all__ = [
    "ANSWER_BYTES",
    "PATIENCE_S",
    "Client",
    "Failure",
    "NotDelivered",
    "open_client",
    "shown",
    "target_of",
]

ANSWER_BYTES: Final = 64 * 1024
"""The longest answer."""
PATIENCE_S: Final = 5.0
"""What one attempt may take."""


class Failure(StrEnum):
    """Why an attempt came to nothing; the label of its metric."""

    BAD_URL = "bad_url"
    """The URL is none, or neither http nor https."""
    FORBIDDEN = "forbidden"
    """The operator did not allow the address."""
    UNREACHABLE = "unreachable"
    """No such name, nobody listens, or its certificate is not trusted."""
    LATE = "late"
    """No whole answer in time."""
    STATUS = "status"
    """Another status than 2xx."""
    BROKEN = "broken"
    """What came was not HTTP, or ended too early."""
    TOO_LONG = "too_long"
    INVALID = "invalid"
    """The answer is whole, and makes no sense for the event."""


class NotDelivered(GatewayError):
    """One attempt failed; `refusal` is what was raised about an answer that is INVALID."""

    def __init__(self, failure: Failure, reason: str, *, refusal: GatewayError | None = None) -> None:
        super().__init__(reason)
        self.failure = failure
        self.reason = reason
        self.refusal = refusal


def target_of(url: str) -> URL:
    """Return what to connect to and ask for.  Raises NotDelivered.

    A user and password in the URL are left out, since the Authorization header is the signature's.
    """
    try:
        target = URL(url)
        if target.scheme not in ("http", "https") or not target.host:
            raise NotDelivered(Failure.BAD_URL, "the URL has no host, or is neither http nor https")
        return target.with_user(None).with_fragment(None)
    except ValueError:
        raise NotDelivered(Failure.BAD_URL, "the URL cannot be read") from None


def shown(url: str) -> str:
    """Return the URL as logs may show it: without user, password and query."""
    try:
        return str(URL(url).with_user(None).with_query(None).with_fragment(None))
    except ValueError:
        return "not a URL"


@asynccontextmanager
async def open_client(
    guard: Guard,
    *,
    patience_s: float = PATIENCE_S,
    tls: ssl.SSLContext | None = None,
    names: AbstractResolver | None = None,
) -> AsyncIterator[Client]:
    """Give a client whose connections are closed at the end.

    patience_s: what one attempt may take.  tls: whose certificates are trusted; None = the machine's.
    names: who knows addresses, closed by its owner; None = the system.
    """
    async with AsyncExitStack() as open_things:
        known = names or Names()
        if names is None:
            open_things.push_async_callback(known.close)
        guarded, trusted = [
            await open_things.enter_async_context(_session(guard.connector(known, trusted=trusted, tls=tls)))
            for trusted in (False, True)
        ]
        yield Client(guard, guarded=guarded, trusted=trusted, patience_s=patience_s)


class Client:
    """Posts; made by `open_client`."""

    def __init__(
        self,
        guard: Guard,
        *,
        guarded: aiohttp.ClientSession,
        trusted: aiohttp.ClientSession,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._guard = guard
        self._guarded = guarded
        self._trusted = trusted
        self._patience_s = patience_s

    async def post(self, target: URL, *, body: bytes, headers: Mapping[str, str]) -> bytes:
        """Post to what `target_of` returned, and return the body of the answer.  Raises NotDelivered."""
        try:
            async with asyncio.timeout(self._patience_s):
                return await self._post_on_any_connection(target, body, headers)
        except TimeoutError:
            raise NotDelivered(Failure.LATE, f"no answer in {self._patience_s:g} s") from None
        except aiohttp.ClientConnectorError as error:
            raise _unreachable(error) from error
        except ValueError as error:  # aiohttp's InvalidURL, and what the codec of domain names raises
            raise NotDelivered(Failure.BAD_URL, "the URL's host cannot be read") from error
        except (aiohttp.ClientError, OSError) as error:
            raise NotDelivered(Failure.BROKEN, f"no whole answer: {_words(error)}") from error

    def session(self, url: URL) -> aiohttp.ClientSession:
        """Return the session to ask `url` by: it connects to nothing that the guard forbids, and has no timeout."""
        return self._trusted if self._guard.trusts(url) else self._guarded

    async def _post_on_any_connection(self, target: URL, body: bytes, headers: Mapping[str, str]) -> bytes:
        """Post, and once more for each kept connection that turns out to be closed."""
        while True:
            connection = _Connection()
            try:
                return await self._post_once(target, body, headers, connection)
            except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError, ConnectionError):
                if not connection.kept:
                    raise

    async def _post_once(
        self, target: URL, body: bytes, headers: Mapping[str, str], connection: _Connection
    ) -> bytes:
        async with self.session(target).post(
            target, data=body, headers=headers, allow_redirects=False, trace_request_ctx=connection
        ) as response:
            if not 200 <= response.status < 300:
                redirect = ", and redirects are not followed" if 300 <= response.status < 400 else ""
                raise NotDelivered(Failure.STATUS, f"the answer's status is {response.status}{redirect}")
            return await _body(response)


@dataclass(slots=True)
class _Connection:
    """What is known of the connection that an attempt got."""

    kept: bool = False
    """It was there before."""


def _session(connector: aiohttp.TCPConnector) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=connector,
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None),  # `post` has one for all that it does
        auto_decompress=False,
        trace_configs=[_noticing_reuse()],
    )


def _noticing_reuse() -> aiohttp.TraceConfig:
    async def notice(_session: aiohttp.ClientSession, context: SimpleNamespace, _params: object) -> None:
        if context.trace_request_ctx is not None:  # only a post wants to know
            context.trace_request_ctx.kept = True

    tracing = aiohttp.TraceConfig()
    tracing.on_connection_reuseconn.append(notice)
    return tracing


async def _body(response: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for piece in response.content.iter_any():
        body += piece
        if len(body) > ANSWER_BYTES:
            raise NotDelivered(Failure.TOO_LONG, f"the answer is longer than {ANSWER_BYTES} bytes")
    return bytes(body)


def _unreachable(error: aiohttp.ClientConnectorError) -> NotDelivered:
    cause = error.os_error
    kind = Failure.FORBIDDEN if isinstance(cause, Forbidden) else Failure.UNREACHABLE
    return NotDelivered(kind, _words(cause))


def _words(error: BaseException) -> str:
    """Say what an error of a library means; of some, only the name does."""
    return str(error) or type(error).__name__
