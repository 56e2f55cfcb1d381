"""How SVAML asks an application what a call shall do: the port of blocking callbacks.

An ICE, ACE or PIE holds the call up until the application has answered (section 6 of the wire format).  What that takes
(signing, five seconds, the fallback URL, which addresses may be connected to) is `gateway.callbacks`' affair; the
interpreter sees one question and either the bytes of one good answer or one of two errors.  DiCE and Notify do not hold
anything up and never come this way: they are written to the outbox with the record that they tell of.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Protocol

from gateway.errors import GatewayError

if TYPE_CHECKING:
    from gateway.switch.records import Application

__all__ = ["Accept", "Backend", "CallbackFailed", "Headers", "NoCallback"]

Headers = tuple[tuple[str, str], ...]
"""HTTP headers, in order; a name may come twice."""

Accept = Callable[[bytes], object]
"""Judges the body of an answer: raises GatewayError if the answer is none.  What it returns is not looked at."""


class NoCallback(GatewayError):
    """The application has no callback URL and the question named none: section 6 says what the event does then."""


class CallbackFailed(GatewayError):
    """Every attempt failed, the fallback's too.

    `refusal` is what `accept` raised when the last answer arrived but was not valid (a `callingerror` 40001 tells of
    it), and None when nothing usable arrived at all.
    """

    def __init__(self, reason: str, *, refusal: GatewayError | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.refusal = refusal


class Backend(Protocol):
    """The server of the application's owner."""

    async def ask(
        self,
        application: Application,
        event: str,
        body: Mapping[str, object],
        *,
        call: str,
        url: str | None = None,
        forwarded: Headers = (),
        accept: Accept | None = None,
    ) -> bytes:
        """Deliver one blocking callback, to the fallback too if need be, and return the body of the answer.

        event: "ice", "ace", "pie" or "notify"; for logs and metrics, the body says it itself.
        body: the JSON document of section 6.1, sent in its own key order.
        call: the callId; every attempt at one question carries the same `ce-id`.
        url: where a customCallout wants this event; None = the application's callback and fallback.
        forwarded: `X-CB-*` headers of the request that began the call; anything else is left out.
        accept: judges the answer; an answer that it refuses is a failed delivery, as a status other than 2xx is.

        Returns b"" for an empty answer.  Takes 5 s for each URL at most.  Raises NoCallback, CallbackFailed.
        """
        ...
