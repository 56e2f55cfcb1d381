"""Who is it?  Digest authentication as a server and as a client of SIP (RFC 3261 section 22).

*Server.*  `Authenticator.identify` gives the user's name or the refusal to send.  An unknown user and a
wrong password get the same answer after the same work.  After five failures within a minute from one
address for one name that pair is refused with 403 unheard, for a minute that doubles with each further
round; the owner of the name at another address is not touched.  An address that fails with many names is
refused as a whole.  A stale nonce is not a failure.

*Client.*  `ClientAuthentication` answers 401 and 407, each request once and once more if the server says
that only the nonce was stale.  It exists only for requests that we began and were given credentials for,
and answers only the realm that the credentials name, if they name one: a hostile callee that challenges
learns nothing.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from gateway.errors import BadMessage
from gateway.ids import IdSource
from gateway.sip.digest import (
    Answer,
    Challenge,
    Nonces,
    NonceState,
    digest_response,
    parse_answer_untrusted,
    parse_challenge_untrusted,
)
from gateway.sip.flow import Flow
from gateway.sip.message import Request, Response
from gateway.sip.uri import parse_uri_untrusted

__all__ = ["Authenticator", "ClientAuthentication", "Credentials", "Identity", "Refusal"]

_FAILURES: Final = 5
_FAILURES_OF_SOURCE: Final = 30
"""Failures within a minute after which an address is refused whatever name it uses."""
_WITHIN_S: Final = 60.0
_LONGEST_BLOCK_S: Final = 3600.0
_MAX_SUSPECTS: Final = 10_000
_MAX_REALMS: Final = 4


@dataclass(frozen=True, slots=True)
class Credentials:
    """A name and password for a server that we register or call through."""

    username: str
    password: str = field(repr=False)
    realm: str | None = None
    """Answer no challenge but this realm's; None answers any."""


@dataclass(frozen=True, slots=True)
class Identity:
    """The sender proved to be this user."""

    user: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """The response to send instead."""

    status: int
    headers: tuple[tuple[str, str], ...]


@dataclass(slots=True)
class _Suspect:
    """Failures of one name from one address."""

    failures: list[float] = field(default_factory=list)
    blocked_until: float = 0.0
    block_s: float = _WITHIN_S


class Authenticator:
    """The server's half."""

    def __init__(
        self,
        *,
        realm: str,
        users: Mapping[str, str],
        algorithms: Sequence[str],
        ids: IdSource,
        bind_nonces: bool = False,
        user_of: Callable[[str], str] = str,
    ) -> None:
        """`bind_nonces`: a nonce is good for the address that it was given to, which roaming phones pay for.

        `user_of`: told the name whose password was proved, says which user that is.
        """
        self._bind_nonces = bind_nonces
        self._user_of = user_of
        self._realm = realm
        self._users = users
        self._algorithms = tuple(algorithms)
        self._nonces = Nonces(ids)
        self._suspects: dict[tuple[str, str | None], _Suspect] = {}
        """By address and name; None stands for every name."""
        self._nobody = ids.token(16)
        """A password for users who do not exist, so that they cost the same time."""

    def identify(self, request: Request, flow: Flow, now: float) -> Identity | Refusal:
        """Say who sent `request`, or how to refuse it: 401 with a challenge, 403 after many failures."""
        answer = self._answer_to_us(request)
        if answer is None:
            return self._challenge(flow, now)
        blocked_s = max(self._blocked_s(flow.remote[0], name, now) for name in (answer.username, None))
        if blocked_s > 0.0:
            return Refusal(403, (("Retry-After", str(int(blocked_s) + 1)),))
        state = self._nonces.judge(answer.nonce, self._scope(flow), now)
        if not self._proves_password(answer, request):
            # With a nonce of the asker's own making as well, or guessing by such nonces would cost nothing.
            self._count_failure((flow.remote[0], answer.username), now, _FAILURES)
            self._count_failure((flow.remote[0], None), now, _FAILURES_OF_SOURCE)
            return self._challenge(flow, now)
        # A right answer to another nonce is no failure: it is old, or of an earlier run of ours.
        if state is not NonceState.GOOD or not self._nonces.use(answer.nonce, answer.nc, now):
            return self._challenge(flow, now, stale=True)
        self._suspects.pop((flow.remote[0], answer.username), None)
        return Identity(self._user_of(answer.username))

    def challenge(self, flow: Flow, now: float) -> tuple[tuple[str, str], ...]:
        """Return the headers of a 401 to somebody who has shown nothing yet."""
        return self._challenge(flow, now).headers

    def _scope(self, flow: Flow) -> str:
        """Return what our nonces are good for: the realm, and with the strict option one address only."""
        return f"{self._realm}\0{flow.remote[0]}" if self._bind_nonces else self._realm

    def _blocked_s(self, address: str, name: str | None, now: float) -> float:
        suspect = self._suspects.get((address, name))
        return 0.0 if suspect is None else suspect.blocked_until - now

    def _answer_to_us(self, request: Request) -> Answer | None:
        for text in request.headers.all("Authorization"):
            try:
                answer = parse_answer_untrusted(text)
            except BadMessage:
                continue
            if answer.realm == self._realm and answer.algorithm in self._algorithms:
                return answer
        return None

    def _proves_password(self, answer: Answer, request: Request) -> bool:
        expected = digest_response(
            algorithm=answer.algorithm,
            username=answer.username,
            realm=self._realm,
            password=self._users.get(answer.username, self._nobody),
            method=request.method,
            uri=answer.uri,
            nonce=answer.nonce,
            cnonce=answer.cnonce,
            nc=answer.nc,
        )
        given = answer.response.encode("utf-8", "surrogateescape")
        proven = hmac.compare_digest(given, expected.encode())
        return proven and answer.username in self._users and _names_request(answer.uri, request)

    def _challenge(self, flow: Flow, now: float, *, stale: bool = False) -> Refusal:
        """One header for each algorithm, in the configured order, each with a nonce of its own (RFC 8760)."""
        challenges = [
            Challenge(self._realm, self._nonces.make(self._scope(flow), now), algorithm, stale=stale)
            for algorithm in self._algorithms
        ]
        return Refusal(401, tuple(("WWW-Authenticate", str(challenge)) for challenge in challenges))

    def _count_failure(self, key: tuple[str, str | None], now: float, limit: int) -> None:
        suspect = self._suspects.pop(key, None) or _Suspect()
        self._suspects[key] = suspect
        suspect.failures = [*(at for at in suspect.failures if now - at < _WITHIN_S), now]
        if len(suspect.failures) >= limit:
            suspect.failures.clear()
            suspect.blocked_until = now + suspect.block_s
            suspect.block_s = min(2 * suspect.block_s, _LONGEST_BLOCK_S)
        while len(self._suspects) > _MAX_SUSPECTS:
            del self._suspects[next(iter(self._suspects))]


@dataclass(slots=True)
class _Known:
    """A challenge we were given, and how often its nonce was used."""

    challenge: Challenge
    count: int = 0


class ClientAuthentication:
    """The client's half, for one session or registration; known challenges are answered unasked."""

    def __init__(self, credentials: Credentials, ids: IdSource) -> None:
        self._credentials = credentials
        self._ids = ids
        self._known: dict[tuple[str, str], _Known] = {}

    @property
    def proven(self) -> Credentials:
        """Return the credentials with the realm that has asked for them: nobody else may ask later in the call."""
        realms = [realm for _, realm in self._known]
        return replace(self._credentials, realm=self._credentials.realm or next(iter(realms), None))

    def authorize(self, request: Request) -> Request:
        """Return `request` with an answer to every challenge that is known so far."""
        headers = request.headers.without("Authorization").without("Proxy-Authorization")
        for (header, _), known in self._known.items():
            headers = headers.plus(header, str(self._answer(request, known)))
        return Request(request.method, request.uri, headers, request.body)

    def learn(self, response: Response, attempt: int, *, in_dialog: bool = False) -> bool:
        """Take in the challenges of a 401 or 407; True if it is worth sending the request again.

        `attempt` counts the challenges that this request has answered already.  `in_dialog`: the other end
        of a call may be anybody, so only realms that challenged us before it was up are answered there.
        """
        learnt = [
            *self._learn(response, "WWW-Authenticate", "Authorization", in_dialog=in_dialog),
            *self._learn(response, "Proxy-Authenticate", "Proxy-Authorization", in_dialog=in_dialog),
        ]
        if not learnt:
            return False
        return attempt == 0 or (attempt == 1 and all(challenge.stale for challenge in learnt))

    def _learn(self, response: Response, question: str, header: str, *, in_dialog: bool) -> list[Challenge]:
        learnt: dict[str, Challenge] = {}
        for text in response.headers.all(question):
            try:
                challenge = parse_challenge_untrusted(text)
            except BadMessage:
                continue
            wanted, known = self._credentials.realm, (header, challenge.realm) in self._known
            if challenge.realm == wanted or (wanted is None and (known or not in_dialog)):
                # The first that we can answer is the one the server likes best (RFC 8760 section 2.4).
                learnt.setdefault(challenge.realm, challenge)
        for realm, challenge in list(learnt.items())[:_MAX_REALMS]:
            self._known[(header, realm)] = _Known(challenge)
        return list(learnt.values())

    def _answer(self, request: Request, known: _Known) -> Answer:
        challenge = known.challenge
        known.count += 1
        nc = known.count if challenge.qop else None
        cnonce = self._ids.token(8) if challenge.qop else ""
        uri = str(request.uri)
        response = digest_response(
            algorithm=challenge.algorithm,
            username=self._credentials.username,
            realm=challenge.realm,
            password=self._credentials.password,
            method=request.method,
            uri=uri,
            nonce=challenge.nonce,
            cnonce=cnonce,
            nc=nc,
        )
        return Answer(
            username=self._credentials.username,
            realm=challenge.realm,
            nonce=challenge.nonce,
            uri=uri,
            response=response,
            algorithm=challenge.algorithm,
            cnonce=cnonce,
            nc=nc,
            opaque=challenge.opaque,
        )


def _names_request(uri: str, request: Request) -> bool:
    """Tell whether the credentials mean this request.

    A proxy may have changed its host (22.4), and some clients sign the address of the server alone (SIPp does).
    """
    if uri == str(request.uri):
        return True
    try:
        return parse_uri_untrusted(uri).user in (request.uri.user, None)
    except BadMessage:
        return False
