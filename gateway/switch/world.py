"""What every call is given: its ports to the world, the settings, and what may happen to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from gateway.clock import Clock
from gateway.errors import GatewayError
from gateway.ids import IdSource
from gateway.media.answering_machine import AnsweringTerms
from gateway.media.events import MediaEvent
from gateway.sip.events import Event
from gateway.switch.browsers import Browsers
from gateway.switch.causes import Ending
from gateway.switch.doors import Doors
from gateway.switch.encryption import Encryption
from gateway.switch.ports import CallMemory, EventLog, MediaPort, SignallingPort
from gateway.switch.routing import RoutingTable
from gateway.switch.steering import Order
from gateway.switch.trunk_health import HealthState
from gateway.switch.trunks import Trunks

if TYPE_CHECKING:
    from gateway.switch.applications import Applications

__all__ = ["CallOver", "EndWanted", "Happening", "Ordered", "PatienceOver", "Settings", "WorkDone", "World"]


@dataclass(frozen=True, slots=True)
class Settings:
    """What the switch may do, and how long it waits."""

    table: RoutingTable = field(default_factory=RoutingTable)
    doors: Doors = field(default_factory=Doors)
    """How trunks come in."""
    codecs: tuple[str, ...] = ("pcmu", "pcma", "g729", "ilbc")
    """What the plane can decode and encode, in the order to offer it."""
    annexb: bool = False
    """Silence descriptors for G.729, where the peer agrees."""
    encryption: Encryption = field(default_factory=Encryption)
    max_calls: int = 2000
    ring_timeout_s: float = 120.0
    max_call_s: float = 4 * 3600.0
    force_tick: bool = False
    """Never relay: decode and encode every leg."""
    answering: AnsweringTerms = field(default_factory=AnsweringTerms)
    """By what people are told from answering machines."""
    host: str = "tandem"
    """Who warns, in Warning headers (RFC 3261 section 20.43), and whose users call."""


@dataclass(frozen=True, slots=True)
class World:
    """What a call reaches the world through."""

    signalling: SignallingPort
    media: MediaPort
    clock: Clock
    ids: IdSource
    log: EventLog
    settings: Settings
    trunks: Trunks = field(default_factory=Trunks)
    """What has become of the trunks in the routing table."""
    browsers: Browsers = field(default_factory=Browsers)
    """What phones on WebSockets have shown of their media."""
    applications: Applications | None = None
    """Whoever steers calls; None = every call does what was dialled."""

    memory: CallMemory | None = None
    """Where calls are noted for a successor; None = they end with this process."""

    def log_trunks(self) -> None:
        """Log which servers of trunks are in another state than before."""
        for change in self.trunks.changes():
            facts = {"trunk": change.trunk, "server": change.server, "reason": change.reason}
            if change.state is HealthState.UP:
                self.log.info("trunk.recovered", **facts)
            else:
                self.log.warning("trunk.failed", state=str(change.state), **facts)


@dataclass(frozen=True, slots=True)
class EndWanted:
    """Somebody outside (the API, a shutdown) wants the call to end."""

    ending: Ending


@dataclass(frozen=True, slots=True)
class PatienceOver:
    """A server of a trunk was given its time to say something."""


@dataclass(frozen=True, slots=True)
class Ordered:
    """An API wants the call to do something."""

    order: Order


@dataclass(frozen=True, slots=True)
class WorkDone:
    """What was done while the call went on has come to its end."""


Happening: TypeAlias = Event | MediaEvent | EndWanted | PatienceOver | Ordered | WorkDone


class CallOver(GatewayError):
    """The story of a call is at its end, and `ending` says why."""

    def __init__(self, ending: Ending) -> None:
        super().__init__(ending.text)
        self.ending = ending
