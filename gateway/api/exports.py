"""Call detail records for whoever wants them: a day as its file, or any span as a file or objects (section 10).

    GET /v1/cdr/phone-terminated?day=2026-11-24             that day's file, `;`-separated
    GET /v1/cdr/app-app?from=2026-11-01&to=2026-12-01&format=csv

Without a day it is yesterday's file.  Days are UTC's.  An application sees its own calls.  A file is written while
it is read from the store, so a long one costs no memory.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Path, Query, Response
from fastapi.responses import JSONResponse, StreamingResponse

from gateway.api import faults
from gateway.api.admission import Protected, Visit, Visitor
from gateway.api.cdr import LAYOUTS, Layout, as_line, as_object
from gateway.api.moments import DAY_S, Span, day_start, moment, span
from gateway.api.schema import REFUSALS, cdr_answers
from gateway.switch.records import CallRecord

__all__ = ["router"]

router: Final = APIRouter(route_class=Protected, tags=["reporting"], responses=REFUSALS)

LONGEST_S: Final = 31 * DAY_S
_SEPARATORS: Final = {"cdr": ";", "csv": ","}

LayoutName = Annotated[
    Literal["phone-terminated", "phone-originated", "app-app", "sip-terminated"], Path(alias="layout")
]
Written = Annotated[str | None, Query(max_length=40)]


@router.get("/v1/cdr/{layout}", operation_id="exportCalls", response_class=Response, responses=cdr_answers())
async def export_calls(
    layout: LayoutName,
    visit: Visitor,
    day: Written = None,
    since: Annotated[str | None, Query(alias="from", max_length=40)] = None,
    until: Annotated[str | None, Query(alias="to", max_length=40)] = None,
    form: Annotated[Literal["cdr", "csv", "json"], Query(alias="format")] = "cdr",
) -> Response:
    """Return the calls that began in a day, or in a span of time, and are over."""
    asked = _span(visit, day, since, until)
    calls = _calls(visit, LAYOUTS[layout], asked)
    if form == "json":
        found = [as_object(LAYOUTS[layout], record) async for record in calls]
        return JSONResponse({"layout": layout, "records": found})
    lines = _lines(LAYOUTS[layout], calls, separator=_SEPARATORS[form])
    return StreamingResponse(lines, media_type="text/csv; charset=utf-8")


def _span(visit: Visit, day: str | None, since: str | None, until: str | None) -> Span:
    midnight = day_start(visit.platform.clock.wall())
    if day is None:
        return span(since, until, default=Span(midnight - DAY_S, midnight), longest_s=LONGEST_S)
    if since or until:
        raise faults.invalid("A day, or from and to; not both")
    start = day_start(moment(day))
    return Span(start, start + DAY_S)


async def _calls(visit: Visit, layout: Layout, asked: Span) -> AsyncIterator[CallRecord]:
    for kind in layout.kinds:
        async for record in visit.platform.reports.finished(kind, asked.start, asked.stop, visit.key):
            yield record


async def _lines(layout: Layout, calls: AsyncIterator[CallRecord], *, separator: str) -> AsyncIterator[str]:
    yield as_line(layout.header, separator=separator)
    async for record in calls:
        yield as_line(layout.row(record), separator=separator)
