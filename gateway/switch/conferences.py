"""The conferences of applications: who is in which, what each one hears, and what managers do to them.

A conference is a room of the plane under a name that only its application knows: two applications that both say
`standup` have two rooms.  It is there from the first member to the last.  Everything about a member is a state of its
rows, so a command is told to the plane at once and takes effect in its next tick.

What a member hears is decided in one place (`settle`): the music of a hold, else what was chosen for whoever is alone,
else the room.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final

from gateway.errors import GatewayError
from gateway.ids import CallId, RoomId
from gateway.switch.causes import ENDINGS
from gateway.switch.legs import Leg
from gateway.switch.prompts import moh_source
from gateway.switch.recordings import Recordings, RecordingWish, RoomTape
from gateway.switch.records import CallRecord
from gateway.switch.steering import (
    ConferenceWish,
    Participant,
    ParticipantCommand,
    UnknownConference,
)
from gateway.switch.world import EndWanted

__all__ = ["Conference", "Conferences", "Member"]


@dataclass(slots=True, eq=False)
class Member:
    """One call in a conference, with all of its parties."""

    call: CallId
    cli: str
    legs: tuple[Leg, ...]
    wish: ConferenceWish
    joined_at: float
    """Monotonic seconds."""
    tell: Callable[[EndWanted], None]
    """The call's inbox."""
    muted: bool = False
    held: str | None = None
    """The source that it hears while a manager holds it."""


@dataclass(slots=True, eq=False)
class Conference:
    """One room and its members."""

    name: str
    room: RoomId
    members: dict[CallId, Member] = field(default_factory=dict)
    tape: RoomTape | None = None
    """What records everybody."""

    def others(self, call: CallId) -> list[Leg]:
        """Return the legs of everybody but one call."""
        return [leg for member in self.members.values() if member.call != call for leg in member.legs]

    def enter(self, member: Member) -> None:
        """Let a member in."""
        self.members[member.call] = member
        for leg in member.legs:
            leg.place(self.room)
        self.settle()

    def leave(self, member: Member) -> None:
        """Let a member go; its rows are alone and as they were before it came."""
        del self.members[member.call]
        for leg in member.legs:
            leg.mute(False)
            leg.listen(None)
            leg.place(None)
        self.settle()

    def obey(self, member: Member, command: ParticipantCommand, *, moh: str | None) -> None:
        """Do to a member what a manager wants."""
        match command:
            case ParticipantCommand.MUTE | ParticipantCommand.UNMUTE:
                member.muted = command is ParticipantCommand.MUTE
                for leg in member.legs:
                    leg.mute(member.muted)
            case ParticipantCommand.HOLD:
                member.held = moh_source(moh)
            case ParticipantCommand.RESUME:
                member.held = None
        self.settle()

    def record(self, recordings: Recordings | None, wish: RecordingWish, asked_by: CallRecord) -> None:
        """Record everybody until the last one has left, if that is not done already."""
        if recordings is None or self.tape is not None:
            return
        media = next(leg.media for member in self.members.values() for leg in member.legs)
        try:
            recording = recordings.begin_room(asked_by, wish, self.name)
        except GatewayError as error:
            recordings.log.warning("recording.failed", call=asked_by.call, recording="", reason=str(error))
        else:
            self.tape = RoomTape(recordings, recording, media, self.room)

    def stop_recording(self) -> None:
        """End the recording of everybody, if there is one."""
        if self.tape is not None:
            self.tape.stop()
            self.tape = None

    def hears(self, member: Member) -> str | None:
        """Return the source that a member hears in place of the room; None = the room."""
        if member.held is not None:
            return member.held
        if len(self.members) == 1 and member.wish.moh is not None:
            return moh_source(member.wish.moh)
        return None

    def settle(self) -> None:
        """Let every member hear what it should."""
        for member in self.members.values():
            for leg in member.legs:
                leg.listen(self.hears(member))


class Conferences:
    """All conferences of one process."""

    def __init__(self, now: Callable[[], float], recordings: Recordings | None = None) -> None:
        """`now` returns monotonic seconds."""
        self._now: Final = now
        self._recordings: Final = recordings
        self._conferences: dict[tuple[str, str], Conference] = {}

    def __len__(self) -> int:
        return len(self._conferences)

    def __iter__(self) -> Iterator[Conference]:
        return iter(self._conferences.values())

    def join(
        self,
        application: str,
        wish: ConferenceWish,
        *,
        call: CallId,
        cli: str,
        legs: tuple[Leg, ...],
        tell: Callable[[EndWanted], None],
        record: CallRecord | None = None,
    ) -> tuple[Conference, Member]:
        """Bring a call's parties into a conference, which is made if there is none of that name.

        `record` is the call's; without one its wish to record is not heeded.
        """
        conference = self._made(application, wish.conference)
        member = Member(call, cli, legs, wish, self._now(), tell)
        conference.enter(member)
        if wish.recording is not None and record is not None and legs:
            conference.record(self._recordings, wish.recording, record)
        return conference, member

    def resume(
        self,
        application: str,
        wish: ConferenceWish,
        *,
        call: CallId,
        cli: str,
        legs: tuple[Leg, ...],
        tell: Callable[[EndWanted], None],
        muted: bool,
        held: str | None,
    ) -> tuple[Conference, Member]:
        """Count a call in whose parties are in the conference already and hear what they should."""
        conference = self._made(application, wish.conference)
        member = Member(call, cli, legs, wish, self._now(), tell, muted, held)
        conference.members[call] = member
        return conference, member

    def _made(self, application: str, name: str) -> Conference:
        key = application.lower(), name
        if (conference := self._conferences.get(key)) is None:
            conference = self._conferences[key] = Conference(name, RoomId("/".join(key)))
        return conference

    def leave(self, conference: Conference, member: Member) -> None:
        """Take a member out; with the last one the conference is gone."""
        conference.leave(member)
        if not conference.members:
            conference.stop_recording()
            self._conferences = {key: one for key, one in self._conferences.items() if one is not conference}

    def participants(self, application: str, name: str) -> tuple[Participant, ...]:
        """Return who is in a conference.

        Raises:
            UnknownConference: there is none of that name.
        """
        members = self._conference(application, name).members.values()
        return tuple(
            Participant(
                call=member.call,
                cli=member.cli,
                duration_s=int(self._now() - member.joined_at),
                muted=member.muted,
                on_hold=member.held is not None,
            )
            for member in members
        )

    def command(
        self,
        application: str,
        name: str,
        call: CallId,
        command: ParticipantCommand,
        *,
        moh: str | None = None,
    ) -> None:
        """Do something to one member.

        Raises:
            UnknownConference: no such conference or member.
        """
        conference = self._conference(application, name)
        conference.obey(_member(conference, call), command, moh=moh)

    def kick(self, application: str, name: str, call: CallId | None = None) -> None:
        """End the call of one member, or of all.

        Raises:
            UnknownConference: no such conference or member.
        """
        conference = self._conference(application, name)
        members = list(conference.members.values()) if call is None else [_member(conference, call)]
        for member in members:
            member.tell(EndWanted(ENDINGS["managed"]))

    def _conference(self, application: str, name: str) -> Conference:
        try:
            return self._conferences[application.lower(), name]
        except KeyError:
            raise UnknownConference(f"there is no conference {name!r}") from None


def _member(conference: Conference, call: CallId) -> Member:
    try:
        return conference.members[call]
    except KeyError:
        raise UnknownConference(f"{call} is not in conference {conference.name!r}") from None
