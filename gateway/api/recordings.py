"""Recordings that are kept here, in what the wire format calls the drive (section 5.7): listed, fetched and removed.

A recording's key is the name of its file.  They never expire, so nothing is said of that; and whoever fetches one
authenticates as for any request, so there are no headers to be told of.  Reading a folder blocks, so it is done in a
thread.
"""

from __future__ import annotations

import asyncio
import math
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Query, Response
from starlette.responses import FileResponse

from gateway.api import faults
from gateway.api.admission import Protected, Visit, Visitor
from gateway.api.moments import moment
from gateway.api.schema import REFUSALS
from gateway.recording.shelf import MEDIA_TYPES, Kept
from gateway.svaml.events import iso_time

__all__ = ["router"]

router: Final = APIRouter(
    route_class=Protected, prefix="/calling/v1/recording", tags=["recordings"], responses=REFUSALS
)

RecordingKey = Annotated[str, Path(max_length=255)]


@router.get("", operation_id="listRecordings")
async def list_recordings(
    visit: Visitor,
    since: Annotated[str | None, Query(alias="from", max_length=40)] = None,
    until: Annotated[str | None, Query(alias="to", max_length=40)] = None,
    page: int = 1,
    page_size: Annotated[int, Query(alias="pageSize")] = 20,
) -> list[dict[str, Any]]:
    """Return the recordings made in a time, the newest first."""
    if page < 1:
        raise faults.invalid("'pageNumber' must be greater than 0")
    if page_size < 1:
        raise faults.invalid("'pageSize' must be a positive integer")
    if since and until and moment(until) <= moment(since):
        raise faults.invalid("'to' must be greater than 'from'")
    shelf = visit.platform.shelf
    if shelf is None:
        return []
    start = moment(since) if since else -math.inf
    stop = moment(until) if until else math.inf
    kept = await asyncio.to_thread(shelf.listed, visit.key, start=start, stop=stop)
    return [_described(each, visit) for each in kept[(page - 1) * page_size : page * page_size]]


@router.get("/{key}", operation_id="getRecording", response_class=Response)
async def get_recording(key: RecordingKey, visit: Visitor) -> Response:
    """Return a recording's audio; of one under way, what there is by now."""
    shelf = visit.platform.shelf
    path = None if shelf is None else await asyncio.to_thread(shelf.find, visit.key, key)
    if path is None:
        raise faults.not_found("Recording")
    return FileResponse(path, media_type=MEDIA_TYPES[path.suffix.lower()])


@router.delete("/{key}", operation_id="deleteRecording", response_class=Response)
async def delete_recording(key: RecordingKey, visit: Visitor) -> Response:
    """Remove a recording."""
    shelf = visit.platform.shelf
    if shelf is None or not await asyncio.to_thread(shelf.remove, visit.key, key):
        raise faults.not_found("Recording")
    return Response()


def _described(kept: Kept, visit: Visit) -> dict[str, Any]:
    return {
        "key": kept.key,
        "url": f"{visit.platform.settings.url}/calling/v1/recording/{kept.key}",
        "createdOn": iso_time(kept.made_at),
        "headers": {},
    }
