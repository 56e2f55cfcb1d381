"""Call detail records as the daily files have them: four layouts, a table of columns each (section 10).

A column is a name and a function of the record; a layout is its columns and the kinds of call that it tells of.  A user
space is what Sinch called the users of one application: here it is the application.  Columns at the end that the
documents add for tags and reports (`CallTags`, `ReportedStatus`, `ReportedDetails`) are always there.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, TypeAlias

from gateway.api.numbering import facts_of
from gateway.svaml.events import iso_time
from gateway.switch.records import CallKind, CallRecord, Identity, IdentityType

__all__ = ["LAYOUTS", "Layout", "as_line", "as_object"]

Column: TypeAlias = tuple[str, Callable[[CallRecord], str]]


@dataclass(frozen=True, slots=True)
class Layout:
    """One kind of file."""

    name: str
    kinds: tuple[CallKind, ...]
    columns: tuple[Column, ...]

    @property
    def header(self) -> tuple[str, ...]:
        """Return the names of the columns."""
        return tuple(name for name, _ in self.columns)

    def row(self, record: CallRecord) -> tuple[str, ...]:
        """Return one call's values."""
        return tuple(value(record) for _, value in self.columns)


def as_line(values: Iterable[str], *, separator: str) -> str:
    """Return a line of a file, its end included; a value that holds a separator, a quote or a line's end is quoted."""
    line = io.StringIO()
    csv.writer(line, delimiter=separator, lineterminator="\r\n").writerow(values)
    return line.getvalue()


def as_object(layout: Layout, record: CallRecord) -> dict[str, str]:
    """Return one call's values by the names of their columns."""
    return dict(zip(layout.header, layout.row(record), strict=True))


def _endpoint(identity: Identity | None) -> str:
    return identity.endpoint if identity else ""


def _country(record: CallRecord) -> str:
    if record.called is None or record.called.type not in (IdentityType.NUMBER, IdentityType.DID):
        return ""
    facts = facts_of(record.called.endpoint)
    return facts.country if facts else ""


def _amount(record: CallRecord) -> str:
    amount = record.debit.amount if record.debit else Decimal(0)
    return f"{amount.normalize():f}"


def _tags(record: CallRecord) -> str:
    return json.dumps(dict(record.tags), ensure_ascii=False) if record.tags else ""


_CALL: Final[tuple[Column, ...]] = (
    ("CallId", lambda record: record.call),
    ("UserSpaceId", lambda record: record.application),
    ("CallTime", lambda record: iso_time(record.started_at)),
    ("Result", lambda record: record.result.value),
    ("Reason", lambda record: record.reason.value),
    ("Duration", lambda record: str(record.duration_s)),
)
_MONEY: Final[tuple[Column, ...]] = (
    ("Amount", _amount),
    ("Currency", lambda record: record.debit.currency if record.debit else ""),
)
_APPLICATION: Final[tuple[Column, ...]] = (
    ("Custom", lambda record: record.custom),
    ("ApplicationKey", lambda record: record.application),
)
_ANSWER: Final[Column] = (
    "AnswerTime",
    lambda record: iso_time(record.answered_at) if record.answered_at is not None else "",
)
_FROM: Final[Column] = ("From", lambda record: record.cli or _endpoint(record.caller))
_TO: Final[Column] = ("To", lambda record: _endpoint(record.called))
_EXTRAS: Final[tuple[Column, ...]] = (
    ("CallTags", _tags),
    ("ReportedStatus", lambda record: record.reported_status),
    ("ReportedDetails", lambda record: record.reported_details),
)

_PHONE_TERMINATED: Final = Layout(
    "phone-terminated",
    (CallKind.PHONE_TERMINATED,),
    (
        *_CALL,
        _ANSWER,
        _FROM,
        _TO,
        *_MONEY,
        *_APPLICATION,
        ("UserId", lambda record: record.user),
        ("ToCountryId", _country),
        *_EXTRAS,
    ),
)
_PHONE_ORIGINATED: Final = Layout(
    "phone-originated", (CallKind.PHONE_ORIGINATED,), (*_CALL, _FROM, _TO, *_MONEY, *_APPLICATION, *_EXTRAS)
)
_APP_APP: Final = Layout(
    "app-app",
    (CallKind.APP_APP, CallKind.CONFERENCE),
    (
        *_CALL,
        ("FromUserId", lambda record: record.user or _endpoint(record.caller)),
        ("ToUserId", lambda record: _endpoint(record.called)),
        *_APPLICATION,
        *_EXTRAS,
    ),
)
_SIP_TERMINATED: Final = Layout(
    "sip-terminated", (CallKind.SIP_TERMINATED,), (*_CALL, _FROM, _TO, *_APPLICATION, *_EXTRAS)
)

LAYOUTS: Final = {
    layout.name: layout for layout in (_PHONE_TERMINATED, _PHONE_ORIGINATED, _APP_APP, _SIP_TERMINATED)
}
"""By name."""
