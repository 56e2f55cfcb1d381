"""The door: strangers are slowed down and asked for a password before anything is remembered of them.

A request that begins something, from a source that the configuration does not trust and without any
credentials, can only be answered 401.  That answer is given here, without a transaction (RFC 3261 section
8.2.7): the To-tag is derived from the request, so a repetition gets the same one, the ACK that follows an
INVITE matches nothing, and a flood leaves nothing behind.

How often one address may knock is limited by a bucket of tokens.  A user who then proves who it is gets them
back, so a full house behind one NAT does not notice; beyond the limit the answer is silence, because a 401 to
a forged source address is an attack on somebody else.  Our own host is not counted.
"""

from __future__ import annotations

import hmac
from collections import Counter
from typing import Final

from gateway.ids import IdSource
from gateway.sip.authentication import Authenticator
from gateway.sip.flow import Datagram, Flow
from gateway.sip.message import Request, respond
from gateway.sip.settings import EndpointConfig
from gateway.sip.transaction_messages import with_source

__all__ = ["Doorman", "Knocks"]

_ASKED: Final = frozenset({"INVITE", "REGISTER", "REFER"})
"""Methods that nobody gets through with unless a password or an address says who it is."""
_MAX_SOURCES: Final = 10_000
_PAID_BACK: Final = 2
"""The tokens of the request that was challenged, and of the one that brought the answer."""


class Knocks:
    """A bucket of tokens for each address; the addresses heard last are kept."""

    def __init__(self, rate_per_s: float, burst: int) -> None:
        self._rate_per_s = rate_per_s
        self._burst = burst
        self._buckets: dict[str, tuple[float, float]] = {}

    def take(self, address: str, now: float) -> bool:
        """Take one token of `address`; False if it has none left."""
        tokens, at = self._buckets.pop(address, (float(self._burst), now))
        tokens = min(self._burst, tokens + (now - at) * self._rate_per_s)
        self._buckets[address] = (max(tokens - 1.0, 0.0) if tokens >= 1.0 else tokens, now)
        if len(self._buckets) > _MAX_SOURCES:
            del self._buckets[next(iter(self._buckets))]
        return tokens >= 1.0

    def give_back(self, address: str) -> None:
        """Return the tokens of somebody who turned out to be known."""
        if address in self._buckets:
            tokens, at = self._buckets[address]
            self._buckets[address] = (min(self._burst, tokens + _PAID_BACK), at)

    def __len__(self) -> int:
        return len(self._buckets)


class Doorman:
    """Stands before the transaction layer."""

    def __init__(
        self, config: EndpointConfig, ids: IdSource, authenticator: Authenticator, counters: Counter[str]
    ) -> None:
        self._config = config
        self._authenticator = authenticator
        self._counters = counters
        self._secret = bytes.fromhex(ids.token(16))
        self.knocks = Knocks(config.limits.strangers_per_s, config.limits.strangers_burst)

    def turns_away(self, request: Request, flow: Flow, now: float) -> list[Datagram] | None:
        """Return what to send instead of letting `request` in: nothing, or a 401; None lets it in."""
        if request.to.tag is not None or request.method in ("ACK", "CANCEL") or self._knows(request, flow):
            return None
        address = flow.remote[0]
        if not _is_own_host(address) and not self.knocks.take(address, now):
            self._counters["stranger_too_often"] += 1
            return []
        if request.method not in _ASKED or "Authorization" in request.headers:
            return None
        self._counters["refused_401"] += 1
        headers = self._authenticator.challenge(flow, now)
        request = with_source(request, flow)
        response = respond(request, 401, to_tag=self._tag(request), headers=headers)
        return [Datagram(response.to_bytes(), flow)]

    def _knows(self, request: Request, flow: Flow) -> bool:
        """Tell whether the source needs no password for this; under a name of our users it does."""
        proves_itself = request.method == "REGISTER" or request.from_.uri.user in self._config.users
        return self._config.trusts(flow) and not proves_itself

    def _tag(self, request: Request) -> str:
        named = f"{request.call_id}\0{request.from_.tag}\0{request.cseq}\0{request.via.branch}"
        return hmac.digest(self._secret, named.encode("utf-8", "surrogateescape"), "sha256")[:8].hex()


def _is_own_host(address: str) -> bool:
    return address.startswith("127.") or address == "::1"
