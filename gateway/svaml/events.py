"""What an application is told of a call: the bodies of its callbacks, key for key.

Five events: ICE (a call comes in, or a callout begins), ACE (it was answered), PIE (a menu is done, or keys were
pressed in a conference), DiCE (it is over) and Notify (recordings, verdicts of the machine detection, errors).  Each is
a pure function of the call's record and the few facts that no record holds; the keys stand in the order of the
published samples, and what is not known is left out rather than sent as null.

Two habits of the wire are kept on purpose.  The id of the call is `callid`, all lower case.  And the numbers that are
shown rather than dialled (`cli`, `from`, the `to` of a DiCE) have no plus.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final

from gateway.svaml.model import PRIVATE, Pairs
from gateway.switch.records import CallRecord, Identity, IdentityType, Money

__all__ = [
    "ILLEGAL_SVAML",
    "INTERNAL_ERROR",
    "AmdReason",
    "AmdResult",
    "AmdStatus",
    "Body",
    "InputMethod",
    "MenuResult",
    "MenuResultType",
    "NotifyType",
    "ace",
    "calling_error",
    "dice",
    "encoded",
    "ice",
    "iso_time",
    "notify",
    "pie",
]

Body = dict[str, object]
"""A JSON object, in the order in which it is sent."""

ILLEGAL_SVAML: Final = 40001
INTERNAL_ERROR: Final = 50000

_VERSION: Final = 1
_NO_MONEY: Final = Money(Decimal(0), "USD")
_ORIGINATIONS: Final[Mapping[str, str]] = {"pstn": "PSTN", "mxp": "MXP", "": "server"}
"""How the wire spells where a call comes from, where it does not spell it as we do."""
_MOST_CUSTOM_BYTES: Final = 1024


class MenuResultType(StrEnum):
    """How a menu ended."""

    ERROR = "error"
    RETURN = "return"
    SEQUENCE = "sequence"
    TIMEOUT = "timeout"
    HANGUP = "hangup"
    INVALIDINPUT = "invalidinput"


class InputMethod(StrEnum):
    """How a menu was answered."""

    DTMF = "dtmf"
    VOICE = "voice"


@dataclass(frozen=True, slots=True)
class MenuResult:
    """What came of a menu.

    Keys that a conference detects are a `SEQUENCE` whose `menu_id` is the id of the conference.
    """

    type: MenuResultType
    menu_id: str
    value: str = ""
    input_method: InputMethod = InputMethod.DTMF
    context: Pairs = ()
    """What the chosen option adds to the context."""


class AmdStatus(StrEnum):
    """Who seems to have answered."""

    MACHINE = "machine"
    HUMAN = "human"
    NOTSURE = "notsure"
    HANGUP = "hangup"
    INPROGRESS = "inprogress"


class AmdReason(StrEnum):
    """What it was known by."""

    LONGGREETING = "longgreeting"
    INITIALSILENCE = "initialsilence"
    GREETING = "greeting"
    BEEP = "beep"
    NA = "n/a"


@dataclass(frozen=True, slots=True)
class AmdResult:
    """A verdict of the machine detection; `duration_s` is how long it took from the answer."""

    status: AmdStatus
    reason: AmdReason = AmdReason.NA
    duration_s: float = 0


class NotifyType(StrEnum):
    """What a notification is about; a `callingerror` has a function of its own."""

    RECORDING_FINISHED = "recording_finished"
    RECORDING_AVAILABLE = "recording_available"
    TRANSCRIPTION_AVAILABLE = "transcription_available"
    AMD = "amd"
    AMD_BEEP = "amd_beep"


def ice(record: CallRecord, *, at: float, resource_url: str, rdnis: str = "") -> Body:
    """Return the incoming call event.

    at: Unix seconds of the event.
    resource_url: where the call can be managed, on the node that owns it.
    rdnis: the number that redirected the call here.
    """
    return _known(
        {
            "event": "ice",
            "callid": record.call,
            "callResourceUrl": resource_url,
            "timestamp": iso_time(at),
            "version": _VERSION,
            "custom": _custom(record),
            "user": record.user or None,
            "userRate": _money(record.rate),
            "cli": _bare(record.cli) or PRIVATE,
            "to": _identity(record.called),
            "domain": record.domain or None,
            "applicationKey": record.application,
            "originationType": _ORIGINATIONS.get(record.origination, record.origination),
            "rdnis": rdnis,
            "callHeaders": _pairs(record.headers),
            "cookies": _pairs(record.cookies),
            "conferenceId": record.conference or None,
        }
    )


def ace(record: CallRecord, *, at: float, amd: AmdResult | None = None) -> Body:
    """Return the answered call event."""
    return _known(
        {
            "event": "ace",
            "callid": record.call,
            "timestamp": iso_time(at),
            "version": _VERSION,
            "custom": _custom(record),
            "user": record.user or None,
            "applicationKey": record.application,
            "amd": _amd(amd),
            "cookies": _pairs(record.cookies),
            "conferenceId": record.conference or None,
        }
    )


def pie(record: CallRecord, result: MenuResult, *, at: float) -> Body:
    """Return the prompt input event."""
    return _known(
        {
            "event": "pie",
            "callid": record.call,
            "timestamp": iso_time(at),
            "menuResult": _menu_result(result),
            "version": _VERSION,
            "custom": _custom(record),
            "applicationKey": record.application,
            "cookies": _pairs(record.cookies),
            "conferenceId": record.conference or None,
        }
    )


def dice(record: CallRecord, *, at: float | None = None) -> Body:
    """Return the disconnected call event.

    at: Unix seconds; None = when the call ended, which `record` then has to say.
    """
    ended_at = record.ended_at if at is None else at
    assert ended_at is not None  # only the record of a call that is over is told of
    return _known(
        {
            "event": "dice",
            "callid": record.call,
            "timestamp": iso_time(ended_at),
            "reason": record.reason.value,
            "result": record.result.value,
            "version": _VERSION,
            "custom": _custom(record),
            "user": record.user or None,
            "debit": _money(record.debit),
            "userRate": _money(record.rate),
            "to": _identity(record.called, shown=True),
            "applicationKey": record.application,
            "duration": None if record.answered_at is None else record.lasted_s(ended_at),
            "from": _from(record),
            "callHeaders": _pairs(record.headers),
            "cookies": _pairs(record.cookies),
            "conferenceId": record.conference or None,
        }
    )


def notify(
    record: CallRecord, type_: NotifyType, *, destination: str | None = None, amd: AmdResult | None = None
) -> Body:
    """Return a notification; `destination` is the URL of a recording or its transcript."""
    return _known(
        {
            "event": "notify",
            "callid": record.call,
            "version": _VERSION,
            "type": type_.value,
            "destination": destination,
            "amd": _amd(amd),
            "custom": _custom(record),
            "conferenceId": record.conference or None,
        }
    )


def calling_error(record: CallRecord, message: str, *, code: int = ILLEGAL_SVAML) -> Body:
    """Return the notification that a call went wrong; `code` is `ILLEGAL_SVAML` or `INTERNAL_ERROR`."""
    return _known(
        {
            "event": "notify",
            "version": _VERSION,
            "type": "callingerror",
            "callid": record.call,
            "errorCode": code,
            "errorMsg": message,
            "user": record.user or None,
            "custom": _custom(record),
            "conferenceId": record.conference or None,
        }
    )


def encoded(body: Mapping[str, object]) -> bytes:
    """Return the bytes that are sent, and signed."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def iso_time(at: float) -> str:
    """Return Unix seconds as the wire writes them: `2024-06-06T17:20:14Z`."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _known(body: Body) -> Body:
    return {key: value for key, value in body.items() if value is not None}


def _custom(record: CallRecord) -> str | None:
    """Return what the application gave along; of an app's call, its headers, as clients of old expect them."""
    if record.custom or not record.user or not record.headers:
        return record.custom or None
    written = json.dumps(dict(record.headers), ensure_ascii=False, separators=(",", ":"))
    return written if len(written.encode()) <= _MOST_CUSTOM_BYTES else None


def _money(money: Money | None) -> Body:
    known = money or _NO_MONEY
    return {"currencyId": known.currency, "amount": float(known.amount)}


def _identity(identity: Identity | None, *, shown: bool = False) -> Body | None:
    if identity is None:
        return None
    bare = shown and identity.type is IdentityType.NUMBER
    return {
        "type": identity.type.value,
        "endpoint": _bare(identity.endpoint) if bare else identity.endpoint,
    }


def _from(record: CallRecord) -> str:
    """Return who called: a number, a user's name, or that nobody shall know."""
    if record.cli == PRIVATE or record.caller is None:
        return _bare(record.cli) or PRIVATE
    return _bare(record.caller.endpoint)


def _bare(number: str) -> str:
    return number.removeprefix("+")


def _pairs(pairs: Pairs) -> list[Body] | None:
    return [{"key": key, "value": value} for key, value in pairs] or None


def _amd(result: AmdResult | None) -> Body | None:
    if result is None:
        return None
    return {
        "status": result.status.value,
        "reason": result.reason.value,
        "duration": round(result.duration_s, 3),
    }


def _menu_result(result: MenuResult) -> Body:
    return _known(
        {
            "type": result.type.value,
            "value": result.value,
            "menuId": result.menu_id,
            "inputMethod": result.input_method.value,
            "addToContext": _pairs(result.context),
        }
    )
