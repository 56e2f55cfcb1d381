"""What a client may ask for when it begins a call: the bodies of `POST callouts`, read as tolerantly as documents.

`{"method": M, M: {...}}`, where M is `ttsCallout`, `conferenceCallout` or `customCallout`.  What comes out is the
neutral `gateway.switch.steering.Callout`, which knows no wire.  The documents that a custom callout may carry are read
here too, so that a mistake in them is the answer to the request and not a call that fails a minute later; they stay
text, because it is SVAML's affair and not the core's to obey them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Final

from gateway.svaml.compounds import CallerId, Endpoint, Prompts
from gateway.svaml.errors import SvamlError
from gateway.svaml.fields import CONFERENCE_DTMF, CONFERENCE_ID, LOCALE, LONGEST_CALL, MOH, SPOKEN, TONES
from gateway.svaml.kinds import AsItIs, Flag, Text
from gateway.svaml.load import load, members_of
from gateway.svaml.model import DEFAULT_LOCALE, ConferenceDtmf, Moh, Moment
from gateway.svaml.names import likely, normal
from gateway.svaml.parse import parse
from gateway.svaml.place import Place, shown
from gateway.svaml.prompts import split_prompts
from gateway.svaml.shapes import Field, Shape
from gateway.switch.records import Identity, IdentityType
from gateway.switch.steering import (
    Callout,
    CalloutKind,
    ConferenceWish,
    DigitMode,
    DigitRule,
    Pairs,
    Prompt,
)

__all__ = ["CALLOUTS", "ConferenceCallout", "CustomCallout", "TtsCallout", "read_callout"]

_METHOD: Final = "method"
_IGNORED: Final = ConferenceDtmf()
_URL: Final = ("http://", "https://")


@dataclass(frozen=True, slots=True, kw_only=True)
class TtsCallout:
    """Call somebody and say something."""

    destination: Identity
    cli: str = ""
    dtmf: str = ""
    custom: str = ""
    locale: str = DEFAULT_LOCALE
    enable_ace: bool = False
    enable_dice: bool = False
    enable_pie: bool = False
    text: str = ""
    prompts: str = ""
    """Said where both are given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConferenceCallout:
    """Call somebody into a conference."""

    destination: Identity
    conference_id: str
    cli: str = ""
    dtmf: str = ""
    custom: str = ""
    max_duration_s: int | None = None
    locale: str = DEFAULT_LOCALE
    enable_ace: bool = False
    enable_dice: bool = False
    enable_pie: bool = False
    conference_dtmf: ConferenceDtmf = _IGNORED
    greeting: str = ""
    moh: Moh | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomCallout:
    """Call as documents say; each of the four is a URL, a document, or empty for the usual URL."""

    destination: Identity | None = None
    cli: str = ""
    dtmf: str = ""
    custom: str = ""
    max_duration_s: int | None = None
    locale: str = DEFAULT_LOCALE
    ice: str = ""
    ace: str = ""
    pie: str = ""
    dice: str = ""


@dataclass(frozen=True, slots=True)
class _Script(AsItIs):
    """A URL, or a document for one moment: as text or as the object itself."""

    moment: Moment

    @property
    def said(self) -> str:
        return "URL, or SVAML as text"

    def read(self, value: object, place: Place) -> str | None:
        if isinstance(value, Mapping):
            value = _written(value, place)
        if not isinstance(value, str):
            raise place.wrong(f"{shown(value)} is neither a URL nor SVAML")
        text = value.strip()
        if text.lower().startswith(_URL):
            return Text(2048).read(text, place)
        if not text:
            return None
        if not text.startswith("{"):
            raise place.wrong(f"{shown(text)} is neither a URL nor SVAML", cure="write https://... or {...}")
        try:
            parse(text, moment=self.moment)
        except SvamlError as error:
            reason = f"the document in it is wrong: {error}"
            raise place.wrong(reason, cure=error.cure) from None
        return text


def _written(value: Mapping[object, object], place: Place) -> str:
    try:
        return json.dumps(value)
    except (TypeError, ValueError, RecursionError):
        raise place.wrong("is no JSON object") from None


_TO: Final = Endpoint((IdentityType.NUMBER, IdentityType.USERNAME, IdentityType.SIP, IdentityType.DID))
_CUSTOM: Final = Text(4096, lines=True)
_COMMON: Final = (
    Field("cli", "cli", CallerId()),
    Field("dtmf", "dtmf", TONES),
    Field("custom", "custom", _CUSTOM),
    Field("locale", "locale", LOCALE),
)
_EVENTS: Final = (
    Field("enableAce", "enable_ace", Flag()),
    Field("enableDice", "enable_dice", Flag()),
    Field("enablePie", "enable_pie", Flag()),
)
_DESTINATION: Final = Field("destination", "destination", _TO, required=True)
_MAX_DURATION: Final = Field("maxDuration", "max_duration_s", LONGEST_CALL)


def _check_speech(callout: TtsCallout, place: Place) -> None:
    """Something is said, unless the answer to the ACE may say it."""
    if not (callout.text or callout.prompts or callout.enable_ace):
        raise place.wrong("text is missing", cure="give text or prompts", missing=True)


CALLOUTS: Final[tuple[Shape[Any], ...]] = (  # each builds a class of its own
    Shape(
        "ttsCallout",
        TtsCallout,
        (
            *_COMMON,
            _DESTINATION,
            *_EVENTS,
            Field("text", "text", SPOKEN),
            Field("prompts", "prompts", Prompts()),
        ),
        unheeded=("domain", "maxDuration"),
        check=_check_speech,
    ),
    Shape(
        "conferenceCallout",
        ConferenceCallout,
        (
            *_COMMON,
            _DESTINATION,
            _MAX_DURATION,
            *_EVENTS,
            Field("conferenceId", "conference_id", CONFERENCE_ID, required=True),
            Field("conferenceDtmfOptions", "conference_dtmf", CONFERENCE_DTMF),
            Field("greeting", "greeting", SPOKEN),
            Field("mohClass", "moh", MOH, aliases=("moh",)),
        ),
        unheeded=("domain", "conference"),
    ),
    Shape(
        "customCallout",
        CustomCallout,
        (
            *_COMMON,
            Field("destination", "destination", _TO),
            _MAX_DURATION,
            Field("ice", "ice", _Script(Moment.ICE)),
            Field("ace", "ace", _Script(Moment.ACE)),
            Field("pie", "pie", _Script(Moment.PIE)),
            Field("dice", "dice", _Script(Moment.DICE)),
        ),
        unheeded=("domain", "enableAce", "enableDice", "enablePie", "amd"),
    ),
)


def read_callout(
    data: bytes | str | Mapping[str, object], *, application: str, forwarded: Pairs = ()
) -> Callout:
    """Return the call that a request asks for.

    application: key of the one who asks.
    forwarded: `X-CB-*` headers of the request.

    Raises:
        SvamlError: the request cannot be understood; `missing` tells the wire's 40002 from its 40001.
    """
    place = Place()
    members = members_of(load(data) if isinstance(data, bytes | str) else data, place)
    shape = _method(members, place)
    if normal(shape.wire) not in members:
        raise place.wrong(f"{shape.wire} is missing", missing=True)
    key, value = members[normal(shape.wire)]
    match shape.read(value, place.at(key)):
        case TtsCallout() as speech:
            return _speech(speech, application, forwarded)
        case ConferenceCallout() as conference:
            return _conference(conference, application, forwarded)
        case CustomCallout() as custom:
            return _custom(custom, application, forwarded)
        case other:
            raise AssertionError(other)  # CALLOUTS builds these three


def _method(members: Mapping[str, tuple[str, object]], place: Place) -> Shape[Any]:
    names = [shape.wire for shape in CALLOUTS]
    if _METHOD not in members:
        raise place.wrong("method is missing", cure=f"write one of {', '.join(names)}", missing=True)
    key, method = members[_METHOD]
    for shape in CALLOUTS:
        if isinstance(method, str) and normal(method.strip()) == normal(shape.wire):
            return shape
    raise place.at(key).wrong(f"{shown(method)} is no method", cure=likely(str(method), names))


def _speech(callout: TtsCallout, application: str, forwarded: Pairs) -> Callout:
    if callout.prompts:
        said = tuple(Prompt(item, locale=callout.locale) for item in split_prompts(callout.prompts))
    else:
        said = _spoken(callout.text, callout.locale)
    begun = _begun(callout, CalloutKind.SPEECH, application, forwarded)
    return replace(begun, prompts=said, tells=_tells(callout))


def _conference(callout: ConferenceCallout, application: str, forwarded: Pairs) -> Callout:
    dtmf = callout.conference_dtmf
    digits = DigitRule(DigitMode(dtmf.mode.value), dtmf.max_digits, dtmf.timeout_ms / 1000)
    return replace(
        _begun(callout, CalloutKind.CONFERENCE, application, forwarded),
        max_duration_s=callout.max_duration_s,
        prompts=_spoken(callout.greeting, callout.locale),
        conference=ConferenceWish(callout.conference_id, callout.moh, digits),
        tells=_tells(callout),
    )


def _custom(callout: CustomCallout, application: str, forwarded: Pairs) -> Callout:
    scripts = {event: getattr(callout, event) for event in ("ice", "ace", "pie", "dice")}
    return replace(
        _begun(callout, CalloutKind.CUSTOM, application, forwarded),
        max_duration_s=callout.max_duration_s,
        scripts=MappingProxyType({event: script for event, script in scripts.items() if script}),
    )


def _begun(
    callout: TtsCallout | ConferenceCallout | CustomCallout,
    kind: CalloutKind,
    application: str,
    forwarded: Pairs,
) -> Callout:
    """Return what callouts of every kind say."""
    return Callout(
        application=application,
        kind=kind,
        to=callout.destination,
        cli=callout.cli,
        digits=callout.dtmf,
        custom=callout.custom,
        locale=callout.locale,
        forwarded=forwarded,
    )


def _spoken(text: str, locale: str) -> tuple[Prompt, ...]:
    return (Prompt(text, spoken=True, locale=locale),) if text else ()


def _tells(callout: TtsCallout | ConferenceCallout) -> frozenset[str]:
    wanted = {"ace": callout.enable_ace, "dice": callout.enable_dice, "pie": callout.enable_pie}
    return frozenset(event for event, enabled in wanted.items() if enabled)
