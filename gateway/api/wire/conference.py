"""Conferences: who is in one, and what may be done to them."""

from __future__ import annotations

from typing import Annotated, Literal

from gateway.api.wire.base import AnyCase, Asked, Said
from gateway.switch.steering import Participant

__all__ = ["ConferenceResponse", "ParticipantRequest", "ParticipantResponse"]


class ParticipantResponse(Said):
    """A member.  Exactly these five keys: the old Python client knows no other and needs each."""

    cli: str
    id: str
    """The callId of its leg."""
    duration: int
    """Seconds in the room."""
    muted: bool
    onhold: bool

    @classmethod
    def of(cls, member: Participant) -> ParticipantResponse:
        """Return what the switch says."""
        return cls(
            cli=member.cli,
            id=member.call,
            duration=member.duration_s,
            muted=member.muted,
            onhold=member.on_hold,
        )


class ConferenceResponse(Said):
    """Who is in a conference."""

    participants: list[ParticipantResponse]


class ParticipantRequest(Asked):
    """What to do to a member."""

    command: Annotated[Literal["mute", "unmute", "onhold", "resume"], AnyCase]
    moh: Annotated[Literal["ring", "music1", "music2", "music3"] | None, AnyCase] = None
    """What a member on hold hears; only with `onhold`."""
