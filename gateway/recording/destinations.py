"""Files on their way out: to S3 and whatever speaks like it, and to Azure's blobs.

The one place that knows obstore, a client library in Rust for both, which is an extra (`pip install
tandem-voice[recording]`): it signs, retries and sends large files in parts.  Everything here blocks; the recorder's
process calls it in a thread.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gateway.errors import GatewayError
from gateway.recording.naming import Destination

if TYPE_CHECKING:
    from obstore.store import AzureConfig, AzureStore, ClientConfig, RetryConfig, S3Config, S3Store

__all__ = ["Endpoints", "Undelivered", "deliver"]

_USUAL_REGION: Final = "us-east-1"
_PATIENCE: Final = timedelta(minutes=2)


class Undelivered(GatewayError):
    """The file is not where it was to go; the text says why."""


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Servers to be used in place of Amazon's and Microsoft's; "" = theirs."""

    s3: str = ""
    azure: str = ""


def deliver(path: Path, destination: Destination, credentials: str, endpoints: Endpoints) -> str:
    """Bring a file where it is to go, in place of one that is there; return its URL.

    Raises:
        Undelivered: it could not be brought there.
    """
    try:
        import obstore  # an extra, and only this needs it
        from obstore.exceptions import BaseError
    except ImportError:
        raise Undelivered("the extra `recording` (obstore) is not installed") from None
    try:
        store = _store(destination, credentials, endpoints)
        obstore.put(store, destination.key, path)
    except (BaseError, OSError, ValueError) as error:
        raise Undelivered(_words(error, credentials)) from None
    return destination.url


def _store(destination: Destination, credentials: str, endpoints: Endpoints) -> S3Store | AzureStore:
    from obstore.store import AzureStore, S3Store

    retries: RetryConfig = {"max_retries": 5, "retry_timeout": _PATIENCE}
    if destination.scheme == "azure":
        azure: AzureConfig = {"account_name": destination.account, "account_key": credentials}
        azure["endpoint"] = endpoints.azure or f"https://{destination.account}.blob.core.windows.net"
        client = _client(endpoints.azure)
        return AzureStore(destination.container, config=azure, client_options=client, retry_config=retries)
    key, secret, region = _s3_keys(credentials)
    s3: S3Config = {"access_key_id": key, "secret_access_key": secret, "region": region}
    if endpoints.s3:
        s3["endpoint"] = endpoints.s3
    client = _client(endpoints.s3)
    return S3Store(destination.container, config=s3, client_options=client, retry_config=retries)


def _client(endpoint: str) -> ClientConfig:
    return {"allow_http": endpoint.startswith("http://"), "timeout": _PATIENCE}


def _s3_keys(credentials: str) -> tuple[str, str, str]:
    """Read `AccessKey:SecretKey:Region`.

    Raises:
        Undelivered: it is not of that form.
    """
    parts = credentials.split(":")
    if len(parts) not in (2, 3) or not all(parts[:2]):
        raise Undelivered("credentials of S3 are AccessKey:SecretKey:Region")
    return parts[0], parts[1], (parts[2:] or [""])[0] or _USUAL_REGION


def _words(error: Exception, credentials: str) -> str:
    """Return the first line of an error; no part of the credentials is in it."""
    text = (str(error).splitlines() or [type(error).__name__])[0]
    for secret in credentials.split(":"):
        text = text.replace(secret, "***") if secret else text
    return text[:300]
