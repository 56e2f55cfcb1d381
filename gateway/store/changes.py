"""What the running switch writes, as values, and as lines of a journal that keeps them until a database takes them."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from gateway.store.rows import call_of, call_row, notification_of, notification_row
from gateway.switch.records import CallRecord, Notification

__all__ = [
    "Change",
    "CloseCall",
    "Forget",
    "GiveUp",
    "KeepCall",
    "KeepState",
    "Put",
    "Report",
    "Retry",
    "dumped",
    "loaded",
]


@dataclass(frozen=True, slots=True)
class KeepCall:
    """What is known of a call that has not ended."""

    record: CallRecord


@dataclass(frozen=True, slots=True)
class CloseCall:
    """A call's CDR, its debit, and what is to be told of it."""

    record: CallRecord
    outgoing: tuple[Notification, ...] = ()


@dataclass(frozen=True, slots=True)
class KeepState:
    """What is needed to take a call up again."""

    call: str
    state: bytes


@dataclass(frozen=True, slots=True)
class Report:
    """What an application said of a call."""

    call: str
    status: str
    details: str


@dataclass(frozen=True, slots=True)
class Put:
    """Something to be told."""

    notification: Notification


@dataclass(frozen=True, slots=True)
class Forget:
    """A notification arrived."""

    id: str


@dataclass(frozen=True, slots=True)
class Retry:
    """A notification was tried once more in vain and is due again at `next_at`."""

    id: str
    next_at: float


@dataclass(frozen=True, slots=True)
class GiveUp:
    """A notification is tried no more since `at`."""

    id: str
    at: float


Change: TypeAlias = KeepCall | CloseCall | KeepState | Report | Put | Forget | Retry | GiveUp

# As lines of a journal.

_PLAIN: Final = {kind.__name__: kind for kind in (Report, Forget, Retry, GiveUp)}
"""Changes that are made of text and numbers."""


def dumped(change: Change) -> bytes:
    """Return a change as one line of JSON without its end."""
    document = {"change": type(change).__name__, **_fields(change)}
    return json.dumps(document, default=_written, separators=(",", ":")).encode("ascii")


def loaded(line: bytes) -> Change:
    """Read what `dumped` wrote.  Raises ValueError or KeyError if it is something else."""
    document = json.loads(line)
    kind = document.pop("change")
    match kind:
        case "KeepCall":
            return KeepCall(call_of(document["record"]))
        case "CloseCall":
            outgoing = tuple(_notification(row) for row in document["outgoing"])
            return CloseCall(call_of(document["record"]), outgoing)
        case "KeepState":
            return KeepState(document["call"], base64.b64decode(document["state"]))
        case "Put":
            return Put(_notification(document["notification"]))
        case _:
            return _PLAIN[kind](**document)


def _fields(change: Change) -> Mapping[str, object]:
    match change:
        case KeepCall(record):
            return {"record": call_row(record)}
        case CloseCall(record, outgoing):
            return {"record": call_row(record), "outgoing": [notification_row(each) for each in outgoing]}
        case Put(notification):
            return {"notification": notification_row(notification)}
        case _:
            return {name: getattr(change, name) for name in change.__slots__}


def _notification(row: Mapping[str, Any]) -> Notification:
    return notification_of({**row, "body": base64.b64decode(row["body"])})


def _written(value: object) -> str:
    """Write what JSON has no word for: bytes and amounts."""
    return base64.b64encode(value).decode("ascii") if isinstance(value, bytes) else str(value)
