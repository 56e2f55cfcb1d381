"""Make a development server an application's callback for a while, by the REST API, as its owner would.

    async with callback_of(api, owner, "http://127.0.0.1:3000/"):
        ...                                                        # callbacks come here

Afterwards the application has the URLs that it had before, unless somebody gave it others meanwhile.
"""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Final
from urllib.parse import quote

import aiohttp
from yarl import URL

from gateway.errors import LocalError
from gateway.signing import Holder, Signable, authorization, timestamp

__all__ = ["callback_of"]

_PATIENCE_S: Final = 10.0
_PATH: Final = "/v1/configuration/callbacks/applications/"
_JSON: Final = "application/json"


@asynccontextmanager
async def callback_of(api: str, owner: Holder, url: str) -> AsyncIterator[None]:
    """Have the application's callbacks come to `url` while inside.

    api: base URL of the switch's REST API.

    Raises LocalError if the switch does not answer, or refuses.
    """
    timeout = aiohttp.ClientTimeout(total=_PATIENCE_S)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        configuration = _Configuration(session, api, owner)
        before = await configuration.read()
        await configuration.write({"primary": url, "fallback": None})
        try:
            yield
        finally:
            if (await configuration.read()).get("primary") == url:
                await configuration.write(before)


class _Configuration:
    """The callback URLs of one application, over HTTP."""

    def __init__(self, session: aiohttp.ClientSession, api: str, owner: Holder) -> None:
        self._session = session
        self._owner = owner
        self._url = URL(api.rstrip("/") + _PATH + quote(owner.key, safe=""), encoded=True)

    async def read(self) -> Mapping[str, object]:
        """Return `primary` and `fallback`, as far as there are any."""
        urls = json.loads(await self._ask("GET", b"")).get("url")
        return urls if isinstance(urls, dict) else {}

    async def write(self, urls: Mapping[str, object]) -> None:
        """Set both URLs; one that is missing or None is removed."""
        named = {"primary": urls.get("primary"), "fallback": urls.get("fallback")}
        await self._ask("POST", json.dumps({"url": named}).encode())

    async def _ask(self, method: str, body: bytes) -> bytes:
        request = Signable(
            method=method,
            path=self._url.raw_path,
            content_type=_JSON,
            timestamp=timestamp(time.time()),
            body=body,
        )
        headers = {
            "Authorization": authorization(self._owner.key, self._owner.secret, request),
            "x-timestamp": request.timestamp,
            "Content-Type": _JSON,
        }
        try:
            async with self._session.request(
                method, self._url, data=body or None, headers=headers
            ) as response:
                answered = await response.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise LocalError(
                f"no switch answers at {self._url.origin()}: {error or 'it is silent'}"
            ) from error
        if response.status != 200:
            raise LocalError(
                f"the switch refuses: {response.status} {answered.decode(errors='replace')[:300]}"
            )
        return answered
