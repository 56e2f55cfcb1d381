"""What an application can tell a call to do: SVAML v1 as values.

A document is zero or more instructions, obeyed in order, and then exactly one action.  Here is one frozen dataclass for
each of them, named as on the wire, with snake_case fields whose names carry their units.  Nothing here reads or writes
JSON: `gateway.svaml.fields` is the one table that says how each field looks on the wire, `gateway.svaml.parse` reads
and `gateway.svaml.write` writes by it, and whoever lives a call (`gateway.svaml.interpreter`) sees only these values.

A value is complete: what the wire leaves out has its documented default here, so nobody who obeys a document needs to
know what was written and what was not.  `None` is left where absence itself is the meaning ("the number that was
dialled", "the caller's own id").
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias

from gateway.switch.records import Identity

__all__ = [
    "DEFAULT_LOCALE",
    "INCOMING",
    "PRIVATE",
    "Action",
    "Amd",
    "Answer",
    "CallStatus",
    "ConferenceDtmf",
    "ConferenceDtmfMode",
    "ConnectConf",
    "ConnectMxp",
    "ConnectPstn",
    "ConnectSip",
    "ConnectStream",
    "Continue",
    "Document",
    "Hangup",
    "Instruction",
    "Menu",
    "MenuGoTo",
    "MenuOption",
    "MenuReturn",
    "MenuTarget",
    "Moh",
    "Moment",
    "Pairs",
    "Park",
    "PlayFiles",
    "RecordingOptions",
    "ReportCallStatus",
    "RunMenu",
    "Say",
    "SendDtmf",
    "SetCookie",
    "SipTransport",
    "StartRecording",
    "StopRecording",
    "StreamingOptions",
    "TranscriptionOptions",
]

DEFAULT_LOCALE: Final = "en-US"
PRIVATE: Final = "private"
"""A caller id that is withheld."""
INCOMING: Final = "incoming"
"""A caller id that is kept as it came in."""

Pairs: TypeAlias = tuple[tuple[str, str], ...]
"""Keys and values in their order: call headers, tags, context of a menu."""


class Moment(StrEnum):
    """When a document arrives; it decides what the document may say (`gateway.svaml.allowed`)."""

    ICE = "ice"
    """The answer to an incoming call event."""
    ACE = "ace"
    """The answer to an answered call event."""
    PIE = "pie"
    """The answer to a prompt input event."""
    MANAGE = "manage"
    """A request about a call that goes on."""
    MANAGE_PARKED = "manage_parked"
    """A request about a parked call: it says what the answer to its incoming call event could have said."""
    MANAGE_CONFERENCE = "manage_conference"
    """A request about a call that is in a conference."""
    DICE = "dice"
    """The answer to a disconnected call event."""


class Moh(StrEnum):
    """What somebody hears while alone or on hold."""

    RING = "ring"
    MUSIC1 = "music1"
    MUSIC2 = "music2"
    MUSIC3 = "music3"


class ConferenceDtmfMode(StrEnum):
    """What becomes of the keys that a participant presses."""

    IGNORE = "ignore"
    FORWARD = "forward"
    DETECT = "detect"


class SipTransport(StrEnum):
    """How a SIP peer is reached."""

    UDP = "UDP"
    TCP = "TCP"
    TLS = "TLS"


class CallStatus(StrEnum):
    """How a call went by the customer's own judgement."""

    SUCCESS = "success"
    FAILURE = "failure"


@dataclass(frozen=True, slots=True)
class TranscriptionOptions:
    """Whether a recording is also written down."""

    enabled: bool = False
    locale: str = DEFAULT_LOCALE


@dataclass(frozen=True, slots=True)
class RecordingOptions:
    """Where a recording goes, and as what."""

    destination_url: str | None = None
    """`s3://bucket/...`, `azure://account/container/...`; None is the operator's own place."""
    credentials: str | None = None
    format: str = "mp3"
    notification_events: bool = True
    transcription: TranscriptionOptions = TranscriptionOptions()


@dataclass(frozen=True, slots=True)
class Amd:
    """Whether to tell machines from people at the answer."""

    enabled: bool = False
    asynchronous: bool = False
    """The answered call event does not wait for the verdict, which follows as a notification."""


@dataclass(frozen=True, slots=True)
class ConferenceDtmf:
    """What the keys of one participant do; `max_digits` and `timeout_ms` matter to `DETECT` alone."""

    mode: ConferenceDtmfMode = ConferenceDtmfMode.IGNORE
    max_digits: int = 1
    timeout_ms: int = 3000


@dataclass(frozen=True, slots=True)
class StreamingOptions:
    """How audio travels in a websocket."""

    version: int = 1
    sample_rate_hz: int = 8000


@dataclass(frozen=True, slots=True)
class PlayFiles:
    """Play prompts (`gateway.svaml.prompts` reads each) one after the other, with no gaps."""

    ids: tuple[str, ...]
    locale: str = DEFAULT_LOCALE


@dataclass(frozen=True, slots=True)
class Say:
    """Speak a text."""

    text: str
    locale: str = DEFAULT_LOCALE


@dataclass(frozen=True, slots=True)
class SendDtmf:
    """Send tones: `0-9 * #`, and `w` for a pause of 500 ms."""

    value: str


@dataclass(frozen=True, slots=True)
class SetCookie:
    """Keep a value for the rest of the call; a key that starts with `X-` becomes a SIP header on `ConnectSip`."""

    key: str
    value: str


@dataclass(frozen=True, slots=True)
class Answer:
    """Answer the incoming leg now, not when the called party does."""


@dataclass(frozen=True, slots=True)
class StartRecording:
    """Begin to record the call at this point of the sequence."""

    options: RecordingOptions = RecordingOptions()


@dataclass(frozen=True, slots=True)
class StopRecording:
    """End the recording of the call."""


@dataclass(frozen=True, slots=True)
class ReportCallStatus:
    """Say how the call went by the customer's judgement; at most 64 characters of `details`."""

    value: CallStatus
    details: str = ""


Instruction: TypeAlias = (
    PlayFiles | Say | SendDtmf | SetCookie | Answer | StartRecording | StopRecording | ReportCallStatus
)


@dataclass(frozen=True, slots=True)
class Hangup:
    """End the call; `cause` 0 is the normal way, 1 busy, 2 congestion."""

    cause: int = 0
    barge: bool = False
    """The party may interrupt the message that is played before the end by a key."""


@dataclass(frozen=True, slots=True)
class Continue:
    """Let the call go on."""

    record: bool = False
    recording: RecordingOptions | None = None


@dataclass(frozen=True, slots=True)
class ConnectPstn:
    """Connect to a phone number."""

    number: str | None = None
    """E.164 as it was written; None is the number that was dialled."""
    locale: str = DEFAULT_LOCALE
    max_duration_s: int | None = None
    dial_timeout_s: int | None = None
    cli: str | None = None
    """E.164, `PRIVATE` or `INCOMING`; None is the caller's own."""
    suppress_callbacks: bool = False
    dtmf: str = ""
    """Tones for the called party after the answer."""
    indications: str | None = None
    """The country whose ring tone is played meanwhile, lower-case ISO 3166 or `uk`."""
    amd: Amd = Amd()
    record: bool = False
    recording: RecordingOptions | None = None
    tags: Pairs = ()


@dataclass(frozen=True, slots=True)
class ConnectMxp:
    """Connect to a user of the application."""

    destination: Identity | None = None
    """None is the user who was dialled."""
    call_headers: Pairs | None = None
    """What the called client is told; None leaves the caller's headers."""
    record: bool = False
    recording: RecordingOptions | None = None
    cli: str | None = None
    locale: str = DEFAULT_LOCALE


@dataclass(frozen=True, slots=True)
class ConnectConf:
    """Join a conference room; it is made when there is none of that name."""

    conference_id: str
    dtmf: ConferenceDtmf = ConferenceDtmf()
    moh: Moh | None = None
    """What the first participant hears alone; None is silence."""
    record: bool = False
    """Record the conference, not the one call."""
    recording: RecordingOptions | None = None
    tags: Pairs = ()
    cli: str | None = None
    enter_leave_sound: bool = False
    locale: str = DEFAULT_LOCALE
    suppress_callbacks: bool = False


@dataclass(frozen=True, slots=True)
class ConnectSip:
    """Connect to a SIP address."""

    destination: Identity
    """`user@host`, perhaps with a port and `;transport=`, never with the scheme `sip:`."""
    max_duration_s: int | None = None
    cli: str | None = None
    transport: SipTransport | None = None
    """None is what the address says, or UDP."""
    suppress_callbacks: bool = False
    call_headers: Pairs = ()
    """Further SIP headers: those named `X-...` go along. No value has a line break."""
    moh: Moh | None = None
    """What is heard while the SIP peer puts the call on hold."""
    account: str | None = None
    indications: str | None = None
    record: bool = False
    recording: RecordingOptions | None = None
    tags: Pairs = ()
    locale: str = DEFAULT_LOCALE


@dataclass(frozen=True, slots=True)
class ConnectStream:
    """Connect to a websocket that carries audio."""

    destination: Identity
    streaming: StreamingOptions = StreamingOptions()
    max_duration_s: int | None = None
    call_headers: Pairs = ()


@dataclass(frozen=True, slots=True)
class MenuGoTo:
    """The key leads to another menu."""

    menu: str


@dataclass(frozen=True, slots=True)
class MenuReturn:
    """The key ends the menu with this value."""

    value: str


MenuTarget: TypeAlias = MenuGoTo | MenuReturn


@dataclass(frozen=True, slots=True)
class MenuOption:
    """What one key, or one spoken word, does."""

    action: MenuTarget
    dtmf: str | None = None
    input: str | None = None
    """The word that is spoken instead."""
    context: Pairs = ()
    """Comes back as `addToContext` of the result."""


@dataclass(frozen=True, slots=True)
class Menu:
    """One menu: prompts, and options or digits to collect."""

    id: str
    main_prompt: str = ""
    """Prompts separated by `;` (`gateway.svaml.prompts`)."""
    repeat_prompt: str = ""
    main_text: str = ""
    """Spoken where there is no `main_prompt`."""
    repeat_text: str = ""
    repeats: int = 3
    max_digits: int | None = None
    """None: no digits are collected, options alone count."""
    timeout_ms: int = 5000
    max_timeout_ms: int = 20000
    """The limit of voice input."""
    options: tuple[MenuOption, ...] = ()


@dataclass(frozen=True, slots=True)
class RunMenu:
    """Ask the caller; the answer goes to the application as a prompt input event."""

    menus: tuple[Menu, ...]
    main_menu: str = "main"
    """Is always the id of one of `menus`."""
    barge: bool = True
    """A key stops the prompt."""
    locale: str = DEFAULT_LOCALE
    enable_voice: bool = False


@dataclass(frozen=True, slots=True)
class Park:
    """Hold the call until a request takes it up again, or the time is over."""

    intro_prompt: str = ""
    hold_prompt: str = ""
    max_duration_s: int = 600
    locale: str = DEFAULT_LOCALE


Action: TypeAlias = (
    Hangup | Continue | ConnectPstn | ConnectMxp | ConnectConf | ConnectSip | ConnectStream | RunMenu | Park
)


@dataclass(frozen=True, slots=True)
class Document:
    """Instructions in their order, then one action."""

    instructions: tuple[Instruction, ...]
    action: Action
