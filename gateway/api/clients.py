"""App clients: a user token in, a pass for the SIP registrar out, and where that is (docs/app-clients.md).

    POST /client/v1/registrations      Authorization: Bearer {token}
    GET  /client/v1/servers            where a browser finds SIP over WebSocket, for those who have a password
    GET  /client/v1/users/{userId}     is a user there, and on how many devices: the application asks

The app's own page asks the first two, so they do not want the application's secret: a token is signed by it already,
and serves once.  The page may be of any host (CORS): no browser adds to such a request what would make it more than
what the page has written.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Path, Response
from starlette.requests import Request

from gateway import signing
from gateway.api import faults
from gateway.api.admission import Protected, Visitor, platform_of
from gateway.api.faults import Fault
from gateway.api.replays import Replays
from gateway.api.schema import REFUSALS, UNPROTECTED
from gateway.api.wire.base import Said
from gateway.config.values import Listen
from gateway.errors import LocalError
from gateway.switch.guests import Guests
from gateway.user_tokens import LONGEST_S, TokenRefusal, UserToken, verify_token

__all__ = ["ANY_PAGE", "AppClients", "host_of", "open_router", "router"]

router: Final = APIRouter(
    route_class=Protected, prefix="/client/v1", tags=["app clients"], responses=REFUSALS
)
open_router: Final = APIRouter(prefix="/client/v1", tags=["app clients"], responses=REFUSALS)

_HOST: Final = re.compile(r"[A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\]")
_CHALLENGE: Final = {"WWW-Authenticate": 'Bearer realm="tandem"'}
ANY_PAGE: Final = {"Access-Control-Allow-Origin": "*"}
"""Pages of every host may read the answer."""
_ASKED_FIRST: Final = {
    **ANY_PAGE,
    "Access-Control-Allow-Methods": "POST",
    "Access-Control-Allow-Headers": "Authorization",
    "Access-Control-Max-Age": "600",
}
"""What a browser wants to know before it sends a token."""


@dataclass(frozen=True, slots=True)
class AppClients:
    """What app clients need of the switch."""

    guests: Guests
    realm: str
    listen: tuple[Listen, ...] = ()
    """Where SIP is spoken; of it the WebSockets count."""
    bindings: Callable[[str], Sequence[object]] = lambda _user: ()
    """The devices that a user of that name has registered."""
    nonces: Replays = field(default_factory=lambda: Replays(keep_s=LONGEST_S))
    """Of tokens that were used."""

    def servers(self, host: str, *, secure: bool) -> list[str]:
        """Return the URLs of our WebSockets for a page that has come from `host`; a secure page may use no other."""
        found = [each for each in self.listen if each.transport == ("wss" if secure else "ws")]
        return [f"{each.transport}://{_named(each.host, host)}:{each.port}/" for each in found]


class Servers(Said):
    """Where a browser finds SIP."""

    domain: str
    """Stands behind the @ of every address."""
    realm: str
    servers: Sequence[str]
    """WebSockets of SIP (RFC 7118); any of them."""


class Registration(Servers):
    """A pass, and where to show it."""

    user_id: str
    username: str
    """For digest authentication; not the user's name."""
    password: str
    expires_at: str
    """ISO 8601; bring a new token before."""
    expires_in: int
    """Seconds."""


class Presence(Said):
    """Whether a user can be called just now."""

    user_id: str
    registered: bool
    devices: int


async def _clients(request: Request) -> AppClients:
    clients: AppClients = request.app.state.clients
    return clients


Clients = Annotated[AppClients, Depends(_clients)]


@open_router.get("/servers", operation_id="getServers", openapi_extra=UNPROTECTED)
async def get_servers(request: Request, response: Response, clients: Clients) -> Servers:
    """Say where a browser finds SIP over WebSocket."""
    response.headers.update(ANY_PAGE)
    host = host_of(request)
    servers = clients.servers(host, secure=request.url.scheme == "https")
    return Servers(domain=host, realm=clients.realm, servers=servers)


@open_router.options("/registrations", include_in_schema=False)
async def let_pages_register() -> Response:
    """Tell a browser that a page of another host may bring a token."""
    return Response(status_code=204, headers=_ASKED_FIRST)


@open_router.post("/registrations", operation_id="registerClient", openapi_extra=UNPROTECTED)
async def register_client(request: Request, response: Response, clients: Clients) -> Registration:
    """Exchange a user token for a name and a password with which the user can register for a while."""
    response.headers.update(ANY_PAGE)
    platform = platform_of(request)
    now = platform.clock.wall()
    token = _verified(request, now)
    if not clients.nonces.first_time(f"{token.application}\0{token.nonce}", platform.clock.now()):
        raise _refused(TokenRefusal.SIGNATURE.code, "Invalid Signature: this token was used before")
    application = platform.directory.application(token.application)
    assert application is not None  # the verdict took it from there, and nothing was awaited since
    try:
        given = clients.guests.invite(application, token.user, until=token.expires_at)
    except LocalError as error:
        raise _refused(40300, str(error)) from None
    host = host_of(request)
    return Registration(
        domain=host,
        realm=clients.realm,
        servers=clients.servers(host, secure=request.url.scheme == "https"),
        user_id=token.user,
        username=given.username,
        password=given.password,
        expires_at=signing.timestamp(given.expires_at),
        expires_in=max(0, int(given.expires_at - now)),
    )


@router.get("/users/{userId}", operation_id="getPresence")
async def get_presence(
    user_id: Annotated[str, Path(alias="userId", max_length=255)], visit: Visitor, clients: Clients
) -> Presence:
    """Say whether a user of the application is registered, and on how many devices."""
    if visit.platform.directory.user(visit.key, user_id) is None:
        raise faults.not_found("User")
    devices = len(clients.bindings(user_id))
    return Presence(user_id=user_id, registered=devices > 0, devices=devices)


def host_of(request: Request) -> str:
    """Return the host by which a page knows us, an IPv6 address in brackets; what is no host is not repeated."""
    name = request.headers.get("host", "")
    host = name if name.endswith("]") else name.rpartition(":")[0] or name
    return host if _HOST.fullmatch(host) else "localhost"


def _verified(request: Request, now: float) -> UserToken:
    scheme, _, token = request.headers.get("authorization", "").strip().partition(" ")
    verdict: UserToken | TokenRefusal = TokenRefusal.MALFORMED
    if scheme.lower() == "bearer":
        verdict = verify_token(token.strip(), platform_of(request).directory.application, now=now)
    if isinstance(verdict, TokenRefusal):
        raise _refused(verdict.code, verdict.message)
    return verdict


def _refused(code: int, message: str) -> Fault:
    challenge = _CHALLENGE if code // 100 == HTTPStatus.UNAUTHORIZED else {}
    return Fault(code, message, headers={**ANY_PAGE, **challenge})


def _named(listening: str, host: str) -> str:
    """Return how a page from `host` names a listener: loopback and the wildcard are wherever the page found us."""
    address = ipaddress.ip_address(listening)
    if address.is_loopback or address.is_unspecified:
        return host
    return f"[{listening}]" if address.version == 6 else listening
