"""What is noted of a call while it is up, so that another process can take it up: values, in msgpack.

A note is written when somebody was called, answered or changed, once for all that happens in one turn of the loop,
and erased when everybody has been told that the call is over.  That somebody calls is noted a little later, mostly
together with whom we call for it: until something was said to a caller, the INVITE is sent again, to whichever process
is there.  So a call that is answered at once and ended costs two notes.

A note has no clock of its own: monotonic seconds mean the same to every process of a machine until it is started anew,
and the notes do not live longer than that.

Another version of this program may read them: what it does not know is ignored, what it misses makes the call one that
cannot be taken up.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, is_dataclass
from typing import TYPE_CHECKING, Any, Final

import msgpack
from pydantic import TypeAdapter, ValidationError

from gateway.errors import LocalError
from gateway.ids import CallId, LegId, RoomId
from gateway.media.commands import WebRtcPath
from gateway.sdp.description import parse_sdp_untrusted
from gateway.sdp.negotiation import LocalMedia, NegotiatedMedia
from gateway.sip.identity import CallerId
from gateway.sip.session_snapshot import SessionSnapshot
from gateway.switch.legs import Leg, Side
from gateway.switch.records import Identity
from gateway.switch.steering import Callout, ConferenceWish
from gateway.switch.trunk_load import Permit
from gateway.switch.world import World

if TYPE_CHECKING:
    from gateway.switch.calls import Call

__all__ = ["Keeping", "KeptCall", "KeptLeg", "KeptStory", "leg_of", "packed", "unpacked"]

_GENERATIONS: Final = 1000
"""More changes than a row can have seen after the note was written."""
_UNHEARD_S: Final = 0.05
"""For how long it goes unnoted that somebody calls; 100 is said later than that."""


@dataclass(frozen=True, slots=True)
class KeptLeg:
    """A `Leg`, and its session."""

    id: LegId
    side: Side
    peer: str
    local: LocalMedia
    started: float
    session: SessionSnapshot | None
    trunk: bool
    permit: bool
    """It has a place on the trunk that `peer` names."""
    user: str | None
    identity: CallerId | None
    leaving: bool
    music: str | None
    muted: bool
    answered_at: float | None
    force_tick: bool
    negotiated: NegotiatedMedia | None
    room: RoomId | None
    source: str | None
    said: bytes | None
    generation: int
    path: WebRtcPath | None = None
    """What a browser's checks and handshake have led to."""

    @property
    def can_be_heard(self) -> bool:
        """Whether another process can go on with it: with a browser, only when the handshake is done."""
        browser = self.negotiated is not None and self.negotiated.webrtc is not None
        return not browser or self.path is not None

    @property
    def talks(self) -> bool:
        """Whether it is somebody who is there."""
        return self.answered_at is not None and self.negotiated is not None and not self.leaving


@dataclass(frozen=True, slots=True)
class KeptStory:
    """What the story of an application's call knows beside its record."""

    dialled: Identity
    origin: CallerId | None
    callout: Callout | None
    reached: bool = True
    talking: bool = False
    """It is in a conversation, from which it can go on; else it obeys a document, of which the rest is lost."""
    answered_at: float | None = None
    """Unix seconds; the record in the book may not have it yet."""
    ends_at: float = 0.0
    """Monotonic seconds."""
    music: str = "music"
    caller: LegId | None = None
    callee: LegId | None = None
    wish: ConferenceWish | None = None
    """It is in this conference."""
    muted: bool = False
    held: str | None = None


@dataclass(frozen=True, slots=True)
class KeptCall:
    """A `Call`."""

    id: CallId
    started: float
    answered: bool
    facts: dict[str, str | None]
    legs: tuple[KeptLeg, ...]
    caller: SessionSnapshot | None
    """The session of a caller who has no leg yet."""
    story: KeptStory | None

    @property
    def sessions(self) -> tuple[SessionSnapshot, ...]:
        """Return every session of it."""
        every = (self.caller, *(leg.session for leg in self.legs))
        return tuple(each for each in every if each is not None)


_READER: Final[TypeAdapter[KeptCall]] = TypeAdapter(KeptCall)


def packed(call: KeptCall) -> bytes:
    """Return what `unpacked` reads."""
    note: bytes = msgpack.packb(call, default=_plain)
    return note


def unpacked(note: bytes) -> KeptCall | None:
    """Read a note; None if it is not what this version would need."""
    try:
        return _READER.validate_python(msgpack.unpackb(note, strict_map_key=False))
    except (ValueError, msgpack.exceptions.UnpackException, ValidationError):
        return None


def _plain(value: object) -> Any:
    if is_dataclass(value):
        return {name: getattr(value, name) for name in value.__dataclass_fields__}
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, frozenset):
        return sorted(value)
    raise TypeError(f"a {type(value).__name__} cannot be noted")


class Keeping:
    """Notes one call."""

    def __init__(self, call: Call, story: Callable[[], KeptStory | None]) -> None:
        self._call: Final = call
        self._story: Final = story
        self._handle: asyncio.Handle | None = None
        self._over = call.world.memory is None

    def soon(self) -> None:
        """Note the call when what happens now has happened."""
        if isinstance(self._handle, asyncio.TimerHandle):
            self._handle.cancel()
            self._handle = None
        if self._handle is None and not self._over:
            self._handle = asyncio.get_running_loop().call_soon(self._note)

    def in_time(self) -> None:
        """Note that somebody calls before anything is said to them, unless more is to be noted by then."""
        if self._handle is None and not self._over:
            self._handle = asyncio.get_running_loop().call_later(_UNHEARD_S, self._note)

    def forget(self) -> None:
        """Erase the note: there is nobody left whom another process would have to tell anything."""
        self._over = True
        if self._handle is not None:
            self._handle.cancel()
        if self._call.world.memory is not None:
            self._call.world.memory.forget(self._call.id)

    def _note(self) -> None:
        self._handle = None
        call = self._call
        memory = call.world.memory
        assert memory is not None  # or nothing would have been scheduled
        try:
            memory.keep(call.id, packed(self._kept()))
        except LocalError:
            memory.forget(call.id)  # a header that cannot be written: it will not be taken up

    def _kept(self) -> KeptCall:
        call = self._call
        caller, legs = call.arrival, tuple(dict.fromkeys(call.legs.values()))
        alone = caller is not None and all(leg.session != caller.session for leg in legs)
        return KeptCall(
            id=call.id,
            started=call.started,
            answered=call.answered,
            facts={name: None if fact is None else str(fact) for name, fact in call.facts.items()},
            legs=tuple(_kept_leg(leg, call.world) for leg in legs if leg.ended is None),
            caller=call.world.signalling.snapshot(caller.session) if alone and caller is not None else None,
            story=self._story(),
        )


def _kept_leg(leg: Leg, world: World) -> KeptLeg:
    return KeptLeg(
        id=leg.id,
        side=leg.side,
        peer=leg.peer,
        local=leg.local,
        started=leg.started,
        session=None if leg.session is None else world.signalling.snapshot(leg.session),
        trunk=leg.trunk,
        permit=leg.permit is not None,
        user=leg.user,
        identity=leg.identity,
        leaving=leg.leaving,
        music=leg.music,
        muted=leg.muted,
        answered_at=leg.answered_at,
        force_tick=leg.force_tick,
        negotiated=leg.negotiated,
        room=leg.room,
        source=leg.source,
        said=leg.said if leg.described else None,
        generation=leg.generation,
        path=world.media.path(leg.id),
    )


def leg_of(kept: KeptLeg, world: World) -> Leg:
    """Return a leg that goes on from a note."""
    leg = Leg(
        id=kept.id,
        side=kept.side,
        peer=kept.peer,
        media=world.media,
        local=kept.local,
        started=kept.started,
        session=None if kept.session is None else kept.session.id,
        trunk=kept.trunk,
        permit=_permit_of(kept, world),
        user=kept.user,
        identity=kept.identity,
        leaving=kept.leaving,
        music=kept.music,
        muted=kept.muted,
        answered_at=kept.answered_at,
        force_tick=kept.force_tick,
        negotiated=kept.negotiated,
        room=kept.room,
        source=kept.source,
    )
    described = None if kept.said is None else parse_sdp_untrusted(kept.said)
    leg.resume(described, kept.generation + _GENERATIONS)
    return leg


def _permit_of(kept: KeptLeg, world: World) -> Permit | None:
    trunks = (trunk for trunk in world.settings.table.trunks if kept.permit and trunk.name == kept.peer)
    return next((world.trunks.resume(trunk) for trunk in trunks), None)
