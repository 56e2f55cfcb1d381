"""What every call is given: its ports to the world, the settings, and what may happen to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from gateway.clock import Clock
from gateway.errors import GatewayError
from gateway.ids import IdSource
from gateway.media.events import MediaEvent
from gateway.sip.events import Event
from gateway.switch.causes import Ending
from gateway.switch.encryption import Encryption
from gateway.switch.ports import EventLog, MediaPort, SignallingPort
from gateway.switch.routing import RoutingTable

__all__ = ["CallOver", "EndWanted", "Happening", "Settings", "World"]


@dataclass(frozen=True, slots=True)
class Settings:
    """What the switch may do, and how long it waits."""

    table: RoutingTable = field(default_factory=RoutingTable)
    trunk_sources: Mapping[str, str] = field(default_factory=dict)
    """IP address of a trusted source to the name of its trunk."""
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


@dataclass(frozen=True, slots=True)
class EndWanted:
    """Somebody outside (the API, a shutdown) wants the call to end."""

    ending: Ending


Happening: TypeAlias = Event | MediaEvent | EndWanted


class CallOver(GatewayError):
    """The story of a call is at its end, and `ending` says why."""

    def __init__(self, ending: Ending) -> None:
        super().__init__(ending.text)
        self.ending = ending
