"""What an application may have a call do, and what it is told: the words that every dialect shares.

A call that belongs to an application is lived by a `Steering`, a coroutine that says what happens next with the
verbs of a `SteeredCall`.  SVAML is one such front end; nothing here knows its wire.  The other way in is `Calls`:
what an API may ask for from outside, by the id of a call or the name of a conference.

All of it is of one process.  What must survive is written by the core into the `CallBook`: a callout before its
id is given away, the record of a call together with its last notification.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final, NoReturn, Protocol, TypeAlias, TypeVar

from gateway.errors import GatewayError
from gateway.ids import CallId
from gateway.media.events import AnswerJudged, BeepHeard
from gateway.switch.recordings import CallTape, RecordingWish
from gateway.switch.records import Application, CallRecord, Identity, Notification

__all__ = [
    "LONGEST_CALL_S",
    "Callout",
    "CalloutKind",
    "Calls",
    "ConferenceWish",
    "Dial",
    "DigitMode",
    "DigitRule",
    "Digits",
    "Ear",
    "Forbidden",
    "HangupCause",
    "NoCredit",
    "NotManageable",
    "Order",
    "Pairs",
    "Participant",
    "ParticipantCommand",
    "Prompt",
    "SteeredCall",
    "Steering",
    "UnknownCall",
    "UnknownConference",
    "Wish",
]

T = TypeVar("T")
Pairs: TypeAlias = tuple[tuple[str, str], ...]
"""Keys and values in their order."""
LONGEST_CALL_S: Final = 14_400
"""No application may let a call be longer."""


class UnknownCall(GatewayError):
    """There is no such call of this application."""


class UnknownConference(GatewayError):
    """There is no such conference of this application, or nobody of that id in it."""


class NotManageable(GatewayError):
    """The call is there, and cannot do this now; the text says why."""


class NoCredit(GatewayError):
    """The application's balance or spend cap does not allow another call."""


class Forbidden(GatewayError):
    """The application may not call that destination."""


class Ear(StrEnum):
    """Who hears what is played."""

    CALLER = "caller"
    CALLEE = "callee"
    BOTH = "both"


class HangupCause(StrEnum):
    """What a caller who was not answered is told."""

    NORMAL = "normal"
    BUSY = "busy"
    CONGESTION = "congestion"


class DigitMode(StrEnum):
    """What becomes of the keys that a member of a conference presses."""

    IGNORE = "ignore"
    FORWARD = "forward"
    """All others in the room get them."""
    DETECT = "detect"
    """They are told to the application."""


@dataclass(frozen=True, slots=True)
class DigitRule:
    """How keys are read in a conference."""

    mode: DigitMode = DigitMode.IGNORE
    max_digits: int = 1
    timeout_s: float = 3.0
    """With more than one digit: so long after the last one, what there is counts."""


@dataclass(frozen=True, slots=True)
class ConferenceWish:
    """Into which conference, and how."""

    conference: str
    moh: str | None = None
    """What is heard by whoever is alone: `ring`, `music1`, `music2`, `music3`; None = silence."""
    digits: DigitRule = DigitRule()
    recording: RecordingWish | None = None
    """Record the conference so, unless it is recorded already."""


@dataclass(frozen=True, slots=True)
class Dial:
    """Whom to call, on what terms."""

    to: Identity
    """Of type `number`, `username` or `sip`."""
    cli: str | None = None
    """An E.164 number, `private`, or `incoming`; None = who calls, as far as that may be shown."""
    timeout_s: float | None = None
    """How long it may ring; None = as long as the switch lets any call ring."""
    max_duration_s: int | None = None
    """Seconds from the answer; never more than `LONGEST_CALL_S`."""
    headers: Pairs = ()
    """SIP headers for the called party."""
    transport: str | None = None
    """`udp`, `tcp` or `tls`, for a SIP address that names none."""
    moh: str | None = None
    """What the caller hears while the called party holds the call."""
    ringing: str | None = None
    """What the caller hears while it rings, if the called side says nothing: a source of the plane."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """Something to be heard; who speaks it, and in what voice, is the `Prompter`'s affair."""

    text: str
    """A name of a prompt (`ids`) or words (`say`)."""
    spoken: bool = False
    """The text is words."""
    locale: str | None = None


@dataclass(frozen=True, slots=True)
class Digits:
    """Keys that were pressed and that the application wants to know."""

    digits: str
    conference: str | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """What an API asked of a call under way: a document that its own `Steering` has read."""

    document: object
    ear: Ear = Ear.CALLER


Wish: TypeAlias = Digits | Order
"""What interrupts a conversation and concerns its application."""


class SteeredCall(Protocol):
    """A call, as whoever steers it sees it.

    Every verb that waits may raise `CallOver`: a party left, time is up, a manager wants the end.  Let it pass.
    """

    @property
    def record(self) -> CallRecord:
        """What is known of the call by now; frozen, ask again after each verb."""
        ...

    @property
    def application(self) -> Application:
        """Whose call it is, as the directory has it now."""
        ...

    @property
    def callout(self) -> Callout | None:
        """What was asked for, if an application began it; None = somebody called."""
        ...

    @property
    def dialled(self) -> Identity:
        """Where the call would go if nobody steered it."""
        ...

    @property
    def diverted_by(self) -> str:
        """Who had forwarded the call to us; "" if nobody."""
        ...

    @property
    def connected(self) -> bool:
        """Whether somebody was answered, or has answered."""
        ...

    @property
    def parked(self) -> bool:
        """Whether it waits for an order that says what an answer to its first question could have said."""
        ...

    @property
    def conferring(self) -> bool:
        """Whether it is in a conference."""
        ...

    @property
    def tape(self) -> CallTape:
        """What records it, or its conference."""
        ...

    # What is known of it.

    def silence(self) -> None:
        """Send the application no further callbacks about this call."""
        ...

    def keep_cookies(self, cookies: Pairs) -> None:
        """Replace the call's cookies."""
        ...

    def add_tags(self, tags: Pairs) -> None:
        """Add tags; a later one of the same key wins."""
        ...

    def carry_headers(self, headers: Pairs) -> None:
        """Replace the headers that go with the call."""
        ...

    # What it does.

    async def meanwhile(self, work: Coroutine[object, object, T]) -> T:
        """Do something that takes its time while the call goes on, and return what came of it."""
        ...

    async def answer(self) -> None:
        """Pick up the caller's leg now, if nobody has; once is enough."""
        ...

    async def dial(self, dial: Dial) -> None:
        """Call somebody; return when that one has answered and is heard by nobody yet.

        Raises:
            CallOver: nobody answered, or the caller gave up.
        """
        ...

    async def who_answered(self) -> AnswerJudged:
        """Return whether the one who has just answered is a person or a machine; takes four seconds at most."""
        ...

    def watch_answerer(self, tell: Callable[[AnswerJudged | BeepHeard], Awaitable[None]]) -> None:
        """Tell meanwhile whether the one who has just answered is a machine, and when it has beeped."""
        ...

    async def connect(self) -> None:
        """Let caller and called party hear each other."""
        ...

    async def join(self, wish: ConferenceWish) -> None:
        """Bring the call's party into a conference, which is made if it is not there."""
        ...

    async def play(self, prompts: Sequence[Prompt], *, to: Ear = Ear.CALLER) -> None:
        """Play prompts one after another; return when the last one is over."""
        ...

    async def send_digits(self, digits: str, *, to: Ear = Ear.CALLER) -> None:
        """Send tones: `0-9 * #`, and `w` for half a second of silence."""
        ...

    async def collect(self, *, max_digits: int, timeout_s: float, barge: Sequence[Prompt] = ()) -> str:
        """Return the keys pressed: at most so many, none after `#` or after `timeout_s` without another one.

        A first key cuts the prompts `barge` short, after which the time begins.
        """
        ...

    async def park(self, hold: Sequence[Prompt], *, max_duration_s: float) -> Order | None:
        """Wait for an order while prompts are repeated; None when the time is over."""
        ...

    async def next(self) -> Wish:
        """Talk on until something concerns the application; most conversations end first."""
        ...

    def hang_up(self, cause: HangupCause = HangupCause.NORMAL) -> NoReturn:
        """End the call."""
        ...

    def fail(self, reason: str) -> NoReturn:
        """End the call for a reason of `gateway.switch.causes.ENDINGS`, e.g. `callback_failed`."""
        ...


class Steering(Protocol):
    """Whoever says what calls of applications do."""

    async def steer(self, call: SteeredCall) -> None:
        """Live a call; returning hangs up, and so does whatever is raised."""
        ...

    async def resume(self, call: SteeredCall) -> None:
        """Live a call on whose parties talk, and which another process has lived until now."""
        ...

    def read_order(self, call: SteeredCall, document: bytes) -> object:
        """Understand what an API asks of a call under way; None = nothing but its end, which comes at once.

        Raises:
            GatewayError: it cannot be understood or is not allowed now; the text says where and why.
        """
        ...

    def last_words(self, record: CallRecord, callout: Callout | None) -> Sequence[Notification]:
        """Return what the application is told of a call that is over; kept with the record in one go.

        callout: what was asked for, if an application began the call and that is still known.
        """
        ...


class CalloutKind(StrEnum):
    """What a call is begun for."""

    SPEECH = "speech"
    """To say something."""
    CONFERENCE = "conference"
    """To bring somebody into a conference."""
    CUSTOM = "custom"
    """To do what documents say."""


@dataclass(frozen=True, slots=True)
class Callout:
    """A call that an application begins."""

    application: str
    """Key."""
    kind: CalloutKind
    to: Identity | None = None
    """None = the application says, when it is asked (custom callouts only)."""
    cli: str = ""
    digits: str = ""
    """Tones for the called party after the answer."""
    custom: str = ""
    locale: str = "en-US"
    max_duration_s: int | None = None
    prompts: tuple[Prompt, ...] = ()
    """What is said: all of a speech, the greeting of a conference."""
    conference: ConferenceWish | None = None
    tells: frozenset[str] = frozenset()
    """Of `ace`, `pie`, `dice`: what the application wants to be told of a speech or conference callout."""
    scripts: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    """Of a custom callout, by event (`ice`, `ace`, `pie`, `dice`): a URL or a document; none = the usual URL."""
    forwarded: Pairs = ()
    """Headers (`X-CB-*`) that go with every callback about this call."""


class ParticipantCommand(StrEnum):
    """What may be done to a member of a conference."""

    MUTE = "mute"
    UNMUTE = "unmute"
    HOLD = "onhold"
    RESUME = "resume"


@dataclass(frozen=True, slots=True)
class Participant:
    """One member of a conference."""

    call: CallId
    cli: str
    """Number, name, or what the call was told to show."""
    duration_s: int
    """In the room."""
    muted: bool
    on_hold: bool


class Calls(Protocol):
    """What an API may ask for.  `application` is always the key of whoever asks: nobody reaches others' calls."""

    async def callout(self, request: Callout) -> CallId:
        """Begin a call; its record is durable when this returns.

        Raises:
            NoCredit, Forbidden: the application may not.
            Overload: more calls a second than it may begin, or more than the switch can carry.
            LocalError: the destination is none.
        """
        ...

    async def abandon(self, application: str, call: CallId) -> None:
        """Stop a callout whose client went away before it got the id; one that is over is no error."""
        ...

    async def find(self, application: str, call: CallId) -> CallRecord:
        """Return a call that is up, or was.

        Raises:
            UnknownCall: there was none.
        """
        ...

    async def manage(self, application: str, call: CallId, document: bytes, *, ear: Ear = Ear.CALLER) -> None:
        """Give a call under way something to do; returns when it has been understood.

        Raises:
            UnknownCall: it is not up.
            NotManageable: it cannot be managed now.
            GatewayError: the document is wrong; of the dialect's own kind.
        """
        ...

    def conference(self, application: str, conference: str) -> tuple[Participant, ...]:
        """Return who is in a conference.

        Raises:
            UnknownConference: there is none.
        """
        ...

    def command(
        self,
        application: str,
        conference: str,
        call: CallId,
        command: ParticipantCommand,
        *,
        moh: str | None = None,
    ) -> None:
        """Do something to a member; it has taken effect in the next tick of the plane.

        Raises:
            UnknownConference: no such conference or member.
        """
        ...

    def kick(self, application: str, conference: str, call: CallId) -> None:
        """Remove a member, whose call ends.

        Raises:
            UnknownConference: no such conference or member.
        """
        ...

    def kick_all(self, application: str, conference: str) -> None:
        """Remove everybody.

        Raises:
            UnknownConference: there is none.
        """
        ...

    def ongoing(self, application: str | None = None) -> Sequence[CallRecord]:
        """Return the calls that are up, of one application or of all."""
        ...

    def counters(self) -> Mapping[str, int]:
        """Return what has been counted since the start: calls, callouts, refusals, conferences."""
        ...
