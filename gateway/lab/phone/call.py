"""A call as the phone sees it: what was agreed, what is heard and said, and when what happened."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

from gateway.lab.phone.keys import KeySeen
from gateway.lab.phone.media import Media
from gateway.lab.phone.negotiation import Negotiation
from gateway.lab.phone.sources import Source
from gateway.lab.phone.wire import MediaWire
from gateway.sdp.negotiation import NegotiatedMedia
from gateway.sip.events import EndCause, SessionId

__all__ = ["PhoneCall", "SourceMaker"]

SourceMaker: TypeAlias = Callable[[Media], Source]
"""Makes what a call says; it is given the call's media because an echo says what it hears."""


@dataclass(slots=True, eq=False)
class PhoneCall:
    """One call, made or taken.  All times are monotonic seconds."""

    peer: str
    """The other end's URI."""
    media: Media
    negotiation: Negotiation
    wire: MediaWire
    started_s: float
    """When the INVITE was sent or came."""
    session: SessionId | None = None
    ringing_s: float | None = None
    answered_s: float | None = None
    ended_s: float | None = None
    cause: EndCause | None = None
    keys: list[KeySeen] = field(default_factory=list)
    """The keys that the other end pressed."""
    decided: asyncio.Event = field(default_factory=asyncio.Event)
    """Answered, or ended without."""
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    def talk(self, agreed: NegotiatedMedia, now: float) -> None:
        """Speak and listen as agreed from now on."""
        self.media.set(agreed, now)
        self.wire.drain()

    def answer(self, now: float) -> None:
        """Note that the call is up."""
        if self.answered_s is None:
            self.answered_s = now
            self.decided.set()

    def press(self, keys: str) -> None:
        """Press keys on the phone.  Raise LocalError for what is no key."""
        self.media.speaker.keys.press(keys)

    def end(self, cause: EndCause, now: float) -> None:
        """Note the end and close the media."""
        self.cause, self.ended_s = cause, now
        self.wire.close()
        self.decided.set()
        self.ended.set()
