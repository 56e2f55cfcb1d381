"""What the media plane tells the switch.  Values, never callbacks; each thing is told once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, TypeAlias

from gateway.ids import LegId, RoomId
from gateway.media.answering_machine import Beep, Sign, Verdict, Who
from gateway.media.statistics import LegStatistics, statistics_as_map, statistics_from_map

__all__ = [
    "ActiveSpeaker",
    "AddressLatched",
    "AnswerJudged",
    "BeepHeard",
    "DigitHeard",
    "LegEvent",
    "MediaEvent",
    "RoomEvent",
    "RoomLevels",
    "RowClosed",
    "RtpTimedOut",
    "SourceEnded",
    "WorkerLost",
    "WorkerReady",
    "answers_of",
    "event_as_map",
    "event_from_map",
]


@dataclass(frozen=True, slots=True)
class DigitHeard:
    """A DTMF digit ended: told once, however many packets carried it (RFC 4733)."""

    leg: LegId
    digit: str
    """One of `0-9 * # A-D`, or `!` for flash."""
    duration_ms: int
    in_band: bool = False
    """It came as tones (ITU-T Q.23), which whoever hears the leg heard too."""


@dataclass(frozen=True, slots=True)
class AddressLatched:
    """The leg's audio comes from this address, so ours goes there."""

    leg: LegId
    address: tuple[str, int]


@dataclass(frozen=True, slots=True)
class RtpTimedOut:
    """A leg that should be heard has been silent on the wire for too long; it is not held."""

    leg: LegId
    reason: str = ""
    """Why it will not be heard again, if that is known."""


@dataclass(frozen=True, slots=True)
class SourceEnded:
    """A clip that the leg heard is over: its last samples are on their way."""

    leg: LegId
    source: str
    """`clip:RING:GENERATION`, as its state said it."""


@dataclass(frozen=True, slots=True)
class AnswerJudged:
    """Who has answered, which `RowState.answering` asked for."""

    leg: LegId
    who: Who
    sign: Sign
    after_ms: int
    """Media time since it was asked."""


@dataclass(frozen=True, slots=True)
class BeepHeard:
    """A machine has beeped, and the beep is over: who speaks now is recorded."""

    leg: LegId
    after_ms: int | None
    """Media time since it was asked; None = it has not beeped for a minute, and is not listened to any more."""


@dataclass(frozen=True, slots=True)
class RowClosed:
    """The row is gone and its port rests; the last word on its statistics."""

    leg: LegId
    statistics: LegStatistics = field(default_factory=LegStatistics)


@dataclass(frozen=True, slots=True)
class ActiveSpeaker:
    """Somebody else speaks in a room that tells (`RoomState.tell_speaker`), or nobody has for two seconds."""

    room: RoomId
    leg: LegId | None


@dataclass(frozen=True, slots=True)
class RoomLevels:
    """How loud everybody in a room is, which `RoomState.tell_levels` asked for."""

    room: RoomId
    levels: Mapping[LegId, int]
    """dBov, 0 to -90; -127 is silence.  Of what a leg says, whether it is muted or not."""


@dataclass(frozen=True, slots=True)
class WorkerLost:
    """The media process went away; rows are silent until it is back."""


@dataclass(frozen=True, slots=True)
class WorkerReady:
    """A media process is there, and knows all rows again."""


LegEvent: TypeAlias = (
    DigitHeard | AddressLatched | RtpTimedOut | SourceEnded | AnswerJudged | BeepHeard | RowClosed
)
RoomEvent: TypeAlias = ActiveSpeaker | RoomLevels
MediaEvent: TypeAlias = LegEvent | RoomEvent | WorkerLost | WorkerReady


def answers_of(news: Iterable[Verdict | Beep], leg_of: Mapping[int, LegId]) -> list[MediaEvent]:
    """Return what was found out of rows as events of their legs."""
    return [
        AnswerJudged(leg_of[each.row], each.who, each.sign, each.after_ms)
        if isinstance(each, Verdict)
        else BeepHeard(leg_of[each.row], each.after_ms)
        for each in news
        if each.row in leg_of
    ]


def event_as_map(event: LegEvent | RoomEvent) -> dict[str, Any]:
    """Return the event as the map that travels: `{"event": name, ...}`."""
    if isinstance(event, RowClosed):
        return {"event": "RowClosed", "leg": event.leg, "statistics": statistics_as_map(event.statistics)}
    return {"event": type(event).__name__} | asdict(event)


def event_from_map(message: Mapping[str, Any]) -> MediaEvent | None:
    """Return the event that a map tells; None when a newer peer tells something unknown.

    Raises:
        KeyError: a field is missing.
    """
    match message["event"]:
        case "DigitHeard":
            in_band = message.get("in_band", False)
            return DigitHeard(LegId(message["leg"]), message["digit"], message["duration_ms"], in_band)
        case "AddressLatched":
            host, port = message["address"]
            return AddressLatched(LegId(message["leg"]), (host, port))
        case "RtpTimedOut":
            return RtpTimedOut(LegId(message["leg"]), message.get("reason", ""))
        case "SourceEnded":
            return SourceEnded(LegId(message["leg"]), message["source"])
        case "AnswerJudged":
            who, sign = Who(message["who"]), Sign(message["sign"])
            return AnswerJudged(LegId(message["leg"]), who, sign, message["after_ms"])
        case "BeepHeard":
            return BeepHeard(LegId(message["leg"]), message["after_ms"])
        case "RowClosed":
            return RowClosed(LegId(message["leg"]), statistics_from_map(message["statistics"]))
        case "ActiveSpeaker":
            leg = message["leg"]
            return ActiveSpeaker(RoomId(message["room"]), None if leg is None else LegId(leg))
        case "RoomLevels":
            levels = {LegId(leg): level for leg, level in message["levels"].items()}
            return RoomLevels(RoomId(message["room"]), levels)
        case _:
            return None
