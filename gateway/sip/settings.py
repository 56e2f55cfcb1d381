"""What a user-agent engine is told once: who it is, whom it knows, and its limits."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, field

from gateway.sip.flow import Flow
from gateway.sip.registrar import RegistrarLimits
from gateway.sip.uri import Uri

__all__ = ["EndpointConfig", "EndpointLimits"]


@dataclass(frozen=True, slots=True)
class EndpointLimits:
    """How long and how many."""

    ring_timeout_s: float = 181.0
    """How long our INVITE may ring; each 101-199 starts it anew (Timer C, RFC 3261 section 16.6: > 180 s)."""
    answer_timeout_s: float = 240.0
    """How long an INVITE may wait for our own user."""
    sessions: int = 10_000
    """Beyond it INVITEs get 503 with a Retry-After."""
    sessions_per_source: int = 1_000
    """How many calls one address may have up that the configuration does not trust; beyond it 503."""
    transactions: int = 20_000
    """Beyond it requests outside dialogs get 503 with a Retry-After."""
    strangers_per_s: float = 100.0
    """How many requests a second one address may begin without having shown a password."""
    strangers_burst: int = 200
    """How many at once."""
    queue_delay_s: float = 0.05
    """How long messages may wait on average before new work is refused with 503 (`gateway.sip.admission`)."""
    registrar: RegistrarLimits = field(default_factory=RegistrarLimits)


@dataclass(frozen=True, slots=True)
class EndpointConfig:
    """The settings of one `Endpoint`."""

    realm: str = "tandem"
    users: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Passwords by name: who may register and call."""
    user_of: Callable[[str], str] = str
    """Whose name it is that somebody has just proved the password of; the same, unless names stand for users."""
    trusted_sources: Container[str] = frozenset()
    """IP addresses that may send INVITE without a password: trunks, and the registrar of a phone."""
    trust_everyone: bool = False
    """Take INVITE from anybody: for a phone, whose calls cost nothing; never for a switch."""
    contact_user: str = "tandem"
    user_agent: str = "Tandem"
    advertised_host: str | None = None
    """What Via and Contact say instead of the socket's own address, for a host behind a one-to-one NAT."""
    session_expires_s: int = 1800
    """The session interval that we ask for and grant (RFC 4028); 0 asks for none."""
    min_session_expires_s: int = 90
    """The shortest that we take from others."""
    digest_algorithms: tuple[str, ...] = ("MD5",)
    """One challenge each, in this order.  ("SHA-256", "MD5") is the one list that most phones survive."""
    bind_nonces: bool = False
    """A nonce is good only for the address that it was given to: safer, and phones that roam ask twice."""
    limits: EndpointLimits = field(default_factory=EndpointLimits)

    def trusts(self, flow: Flow) -> bool:
        """Tell whether an INVITE that came by `flow` needs no password."""
        return self.trust_everyone or flow.remote[0] in self.trusted_sources

    def contact(self, flow: Flow) -> Uri:
        """Return the URI at which we can be reached over `flow` (RFC 3261 section 8.1.1.8, RFC 7118)."""
        host, port = self.host_port(flow)
        transport = "ws" if flow.transport == "wss" else flow.transport
        parameters = () if transport == "udp" else (("transport", transport),)
        return Uri("sip", self.contact_user, host, port, parameters)

    def host_port(self, flow: Flow) -> tuple[str, int]:
        """Return the address that Via and Contact name on `flow`."""
        return self.advertised_host or flow.local[0], flow.local[1]
