"""A server that speaks like Amazon's S3 (moto), with one bucket, and what it holds.

with s3_server() as s3:
    ...                      # somebody puts s3://calls/a.wav at s3.url
    s3.held("a.wav")
"""

from __future__ import annotations

import re
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

import obstore
from obstore.store import S3Store

from gateway.testing.processes import Command

__all__ = ["BUCKET", "S3", "s3_server"]

BUCKET: Final = "calls"
_URL: Final = re.compile(r"http://[0-9.]+:[0-9]+")


@dataclass(frozen=True, slots=True)
class S3:
    """A running server."""

    url: str

    def held(self, key: str) -> bytes:
        """Return an object of the bucket.  Raises FileNotFoundError."""
        store = S3Store(
            BUCKET,
            config={"access_key_id": "any", "secret_access_key": "any", "endpoint": self.url},
            client_options={"allow_http": True},
        )
        return bytes(obstore.get(store, key).bytes())


@contextmanager
def s3_server() -> Iterator[S3]:
    """Run one on a port of its own while the block runs."""
    with Command((sys.executable, "-u", "-m", "moto.server", "-H", "127.0.0.1", "-p", "0")) as server:
        found = _URL.search(server.wait_for_line("Running on http://"))
        assert found is not None  # the line was waited for
        making = urllib.request.Request(f"{found.group()}/{BUCKET}", method="PUT")
        urllib.request.urlopen(making, timeout=10).close()
        yield S3(found.group())
