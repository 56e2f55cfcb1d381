"""What one callback is on the wire: its body, and the headers that sign it and name it (sections 2.4 and 6).

    POST /calls HTTP/1.1
    Content-Type: application/json
    x-timestamp: 2014-09-24T10:59:41.000Z
    Authorization: application KEY:SIGNATURE
    ce-id: 1f0c...                              the same at every attempt: a repetition is known by it
    X-CB-Trace: 7                               as the callout had it

The signature covers the path of the URL, and the time of the attempt: an attempt of tomorrow is signed tomorrow.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from multidict import CIMultiDict
from yarl import URL

from gateway.signing import Signable, authorization, timestamp
from gateway.svaml.forwarded import forwardable
from gateway.svaml.ports import Headers
from gateway.switch.records import Application, Notification

__all__ = ["CONTENT_TYPE", "Letter", "envelope", "letter_of", "written"]

CONTENT_TYPE: Final = "application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A callback that is to be delivered, to whichever URL."""

    id: str
    """Its `ce-id`."""
    event: str
    """`ice`, `ace`, `pie`, `dice` or `notify`."""
    call: str
    body: bytes
    forwarded: Headers = ()


def letter_of(notification: Notification) -> Letter:
    """Return what an item of the outbox is on the wire."""
    return Letter(
        id=notification.id,
        event=notification.event,
        call=notification.call,
        body=notification.body,
        forwarded=notification.headers,
    )


def written(document: Mapping[str, object]) -> bytes:
    """Write a callback's body: compact, in its own order, in ASCII so that no text can be unwritable."""
    return json.dumps(document, separators=(",", ":"), default=_number).encode("ascii")


def envelope(letter: Letter, application: Application, target: URL, *, wall: float) -> CIMultiDict[str]:
    """Return the headers of an attempt at `target` at `wall` (Unix seconds)."""
    request = Signable(
        method="POST",
        path=target.raw_path,
        content_type=CONTENT_TYPE,
        timestamp=timestamp(wall),
        body=letter.body,
    )
    # The Python, Java and Node clients take the scheme in any case, the .NET one in lower case only.
    signed = authorization(application.key, application.secret, request, scheme="application")
    return CIMultiDict(
        [
            *forwardable(letter.forwarded),
            ("Content-Type", CONTENT_TYPE),
            ("x-timestamp", request.timestamp),
            ("Authorization", signed),
            ("ce-id", letter.id),
            ("Accept", "application/json"),
            ("Accept-Encoding", "identity"),
            ("User-Agent", "tandem"),
        ]
    )


def _number(value: object) -> float:
    """Write an exact amount as JSON's number."""
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError(f"{type(value).__name__} has no place in a callback")
