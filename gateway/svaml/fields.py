"""Every field of every instruction and action of SVAML v1, one row each.

This is the one place that knows the wire: its names, what kind of value each field has, its limits, the spellings and
detours of older clients.  Reading, writing, the checker and the page `docs/svaml.md` all go by it.  Case and
underscores of names do not matter, so `callheaders` needs no alias of `callHeaders`.

The documented defaults are the dataclasses' (`gateway.svaml.model`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from gateway.svaml.compounds import CallerId, Endpoint, Ids, KeyValues, Prompts, Target, Via
from gateway.svaml.kinds import Among, Choice, Country, Flag, Keys, Text, Whole
from gateway.svaml.model import (
    Action,
    Amd,
    Answer,
    CallStatus,
    ConferenceDtmf,
    ConferenceDtmfMode,
    ConnectConf,
    ConnectMxp,
    ConnectPstn,
    ConnectSip,
    ConnectStream,
    Continue,
    Hangup,
    Instruction,
    Menu,
    MenuGoTo,
    MenuOption,
    Moh,
    Park,
    PlayFiles,
    RecordingOptions,
    ReportCallStatus,
    RunMenu,
    Say,
    SendDtmf,
    SetCookie,
    SipTransport,
    StartRecording,
    StopRecording,
    StreamingOptions,
    TranscriptionOptions,
)
from gateway.svaml.place import Place
from gateway.svaml.prompts import MOST_SPOKEN
from gateway.svaml.shapes import Also, Family, Field, Many, Shape
from gateway.switch.records import Identity, IdentityType

__all__ = [
    "ACTIONS",
    "AMD",
    "CALLER_ID",
    "CALL_HEADERS",
    "CONFERENCE_DTMF",
    "CONFERENCE_ID",
    "INSTRUCTIONS",
    "LOCALE",
    "LONGEST_CALL",
    "MENU",
    "MENU_OPTION",
    "MOH",
    "RECORDING",
    "SPOKEN",
    "STREAMING",
    "TONES",
    "TRANSCRIPTION",
]

LONGEST_CALL: Final = Whole(1, 14_400, "s")
LOCALE: Final = Text(64)
SPOKEN: Final = Text(MOST_SPOKEN, lines=True)
TONES: Final = Keys(256, pauses=True)
CONFERENCE_ID: Final = Text(128)
"""64 characters by the documentation, but an old client allows 128."""
MOH: Final = Choice.of(Moh, lenient=True)
CALL_HEADERS: Final = KeyValues(most_bytes=1024)
_MOST_COOKIES: Final = 1024
_TAGS: Final = KeyValues(each=Text(32, cut=True, empty=True, ascii=True), last_wins=True)
_SIP_HEADERS: Final = KeyValues(most_bytes=1024, private=True)
_RING_TIME: Final = Whole(1, 600, "s")
_PATIENCE: Final = Whole(1, 600_000, "ms")
_MENU_ID: Final = Text(64)
CALLER_ID: Final = CallerId()

TRANSCRIPTION: Final = Shape(
    "transcriptionOptions",
    TranscriptionOptions,
    (Field("enabled", "enabled", Flag()), Field("locale", "locale", LOCALE)),
)
RECORDING: Final = Shape(
    "recordingOptions",
    RecordingOptions,
    (
        Field("destinationUrl", "destination_url", Text(2048), aliases=("destination",)),
        Field("credentials", "credentials", Text(2048)),
        Field("format", "format", Text(16)),
        Field("notificationEvents", "notification_events", Flag()),
        Field("transcriptionOptions", "transcription", TRANSCRIPTION),
    ),
)
AMD: Final = Shape("amd", Amd, (Field("enabled", "enabled", Flag()), Field("async", "asynchronous", Flag())))
CONFERENCE_DTMF: Final = Shape(
    "conferenceDtmfOptions",
    ConferenceDtmf,
    (
        Field("mode", "mode", Choice.of(ConferenceDtmfMode)),
        Field("maxDigits", "max_digits", Whole(1, 256)),
        Field("timeoutMills", "timeout_ms", _PATIENCE),
    ),
)
STREAMING: Final = Shape(
    "streamingOptions",
    StreamingOptions,
    (
        Field("version", "version", Whole(1, 1)),
        Field("sampleRate", "sample_rate_hz", Among((8000, 16000, 24000, 44100, 48000, 96000))),
    ),
)
MENU_OPTION: Final = Shape(
    "options",
    MenuOption,
    (
        Field("dtmf", "dtmf", Keys(1)),
        Field("action", "action", Target(), required=True),
        Field("input", "input", Text(64)),
        Field("add", "context", KeyValues(most_bytes=1024)),
    ),
)
MENU: Final = Shape(
    "menus",
    Menu,
    (
        Field("id", "id", _MENU_ID, required=True),
        Field("mainPrompt", "main_prompt", Prompts()),
        Field("repeatPrompt", "repeat_prompt", Prompts()),
        Field("mainText", "main_text", SPOKEN),
        Field("repeatText", "repeat_text", SPOKEN),
        Field("repeats", "repeats", Whole(0, 100)),
        Field("maxDigits", "max_digits", Whole(1, 256)),
        Field("timeoutMills", "timeout_ms", _PATIENCE),
        Field("maxTimeoutMills", "max_timeout_ms", _PATIENCE),
        Field("options", "options", Many(MENU_OPTION, 64)),
    ),
)


def _check_cookie(cookie: SetCookie, place: Place) -> None:
    """A cookie alone may not be more than all cookies of a call together."""
    size = len(cookie.key.encode()) + len(cookie.value.encode())
    if size > _MOST_COOKIES:
        raise place.wrong(f"key and value have {size} bytes, {_MOST_COOKIES} is the most")


def _check_menus(run: RunMenu, place: Place) -> None:
    """There is a first menu, no two have one id, and every option leads somewhere."""
    menus, ids = place.at("menus"), [menu.id for menu in run.menus]
    _check_menu_id(run.main_menu, ids, menus)
    for index, menu in enumerate(run.menus):
        if menu.id in ids[:index]:
            raise menus.at(index).at("id").wrong(f"another menu has the id {menu.id}")
        for n, option in enumerate(menu.options):
            if isinstance(option.action, MenuGoTo):
                _check_menu_id(option.action.menu, ids, menus.at(index).at("options").at(n).at("action"))


def _check_menu_id(wanted: str, ids: Sequence[str], place: Place) -> None:
    if wanted not in ids:
        cure = f"there are {', '.join(ids)}" if ids else "there are none"
        raise place.wrong(f"no menu has the id {wanted}", cure=cure)


INSTRUCTIONS: Final[Family[Instruction]] = Family(
    "instruction",
    (
        Shape(
            "playFiles",
            PlayFiles,
            (Field("ids", "ids", Ids(), required=True), Field("locale", "locale", LOCALE)),
        ),
        Shape("say", Say, (Field("text", "text", SPOKEN, required=True), Field("locale", "locale", LOCALE))),
        Shape("sendDtmf", SendDtmf, (Field("value", "value", TONES, required=True),)),
        Shape(
            "setCookie",
            SetCookie,
            (
                Field("key", "key", Text(1024), required=True),
                Field("value", "value", Text(1024, empty=True), required=True),
            ),
            check=_check_cookie,
        ),
        Shape("answer", Answer),
        Shape(
            "startRecording",
            StartRecording,
            (Field("options", "options", RECORDING, aliases=("recordingOptions",)),),
        ),
        Shape("stopRecording", StopRecording),
        Shape(
            "reportCallStatus",
            ReportCallStatus,
            (
                Field("value", "value", Choice.of(CallStatus), required=True),
                Field("details", "details", Text(64, cut=True)),
            ),
        ),
    ),
)

_RECORD: Final = (Field("record", "record", Flag()), Field("recordingOptions", "recording", RECORDING))


def _endpoint(identity: Identity) -> str:
    return identity.endpoint


ACTIONS: Final[Family[Action]] = Family(
    "action",
    (
        Shape(
            "hangup",
            Hangup,
            (
                Field("hangupCause", "cause", Among((0, 1, 2), lenient=True)),
                Field("barge", "barge", Flag()),
            ),
        ),
        Shape("continue", Continue, _RECORD),
        Shape(
            "connectPstn",
            ConnectPstn,
            (
                Field("number", "number", Text(64)),
                Field("locale", "locale", LOCALE),
                Field("maxDuration", "max_duration_s", LONGEST_CALL),
                Field("dialTimeout", "dial_timeout_s", _RING_TIME),
                Field("cli", "cli", CALLER_ID),
                Field("suppressCallbacks", "suppress_callbacks", Flag()),
                Field("dtmf", "dtmf", TONES),
                Field("indications", "indications", Country()),
                Field("amd", "amd", AMD),
                *_RECORD,
                Field("tags", "tags", _TAGS),
            ),
            also=(
                Also(
                    "destination", "number", Via(Endpoint((IdentityType.NUMBER, IdentityType.DID)), _endpoint)
                ),
            ),
            unheeded=("suppressErrorPrompts", "altLocale", "account", "reference", "_internal"),
        ),
        Shape(
            "connectMxp",
            ConnectMxp,
            (
                Field("destination", "destination", Endpoint((IdentityType.USERNAME, IdentityType.EMAIL))),
                Field("callHeaders", "call_headers", CALL_HEADERS),
                *_RECORD,
                Field("cli", "cli", CALLER_ID),
                Field("locale", "locale", LOCALE),
            ),
        ),
        Shape(
            "connectConf",
            ConnectConf,
            (
                Field("conferenceId", "conference_id", CONFERENCE_ID, required=True),
                Field("conferenceDtmfOptions", "dtmf", CONFERENCE_DTMF),
                Field("moh", "moh", MOH, aliases=("mohClass",)),
                *_RECORD,
                Field("tags", "tags", _TAGS),
                Field("cli", "cli", CALLER_ID),
                Field("enterLeaveSound", "enter_leave_sound", Flag()),
                Field("locale", "locale", LOCALE),
                Field("suppressCallbacks", "suppress_callbacks", Flag()),
            ),
            also=(Also("dtmfMode", "dtmf", Via(Choice.of(ConferenceDtmfMode), ConferenceDtmf)),),
            unheeded=("conferenceType",),
        ),
        Shape(
            "connectSip",
            ConnectSip,
            (
                Field("destination", "destination", Endpoint((IdentityType.SIP,)), required=True),
                Field("maxDuration", "max_duration_s", LONGEST_CALL),
                Field("cli", "cli", CALLER_ID),
                Field("transport", "transport", Choice.of(SipTransport)),
                Field("suppressCallbacks", "suppress_callbacks", Flag()),
                Field("callHeaders", "call_headers", _SIP_HEADERS),
                Field("moh", "moh", MOH),
                Field("account", "account", Text(128)),
                Field("indications", "indications", Country()),
                *_RECORD,
                Field("tags", "tags", _TAGS),
                Field("locale", "locale", LOCALE),
            ),
        ),
        Shape(
            "connectStream",
            ConnectStream,
            (
                Field("destination", "destination", Endpoint((IdentityType.WEBSOCKET,)), required=True),
                Field("streamingOptions", "streaming", STREAMING),
                Field("maxDuration", "max_duration_s", LONGEST_CALL),
                Field("callHeaders", "call_headers", CALL_HEADERS),
            ),
        ),
        Shape(
            "runMenu",
            RunMenu,
            (
                Field("menus", "menus", Many(MENU, 64), required=True),
                Field("mainMenu", "main_menu", _MENU_ID),
                Field("barge", "barge", Flag()),
                Field("locale", "locale", LOCALE),
                Field("enableVoice", "enable_voice", Flag()),
            ),
            check=_check_menus,
        ),
        Shape(
            "park",
            Park,
            (
                Field("introPrompt", "intro_prompt", Prompts()),
                Field("holdPrompt", "hold_prompt", Prompts()),
                Field("maxDuration", "max_duration_s", Whole(1, 600, "s"), aliases=("dialTimeout",)),
                Field("locale", "locale", LOCALE),
            ),
        ),
    ),
)
