"""Recordings in our own drive (section 5.7): there is no recorder yet, so the list is empty and no key is known."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Query, Response

from gateway.api import faults
from gateway.api.admission import Protected, Visitor
from gateway.api.moments import moment
from gateway.api.schema import REFUSALS

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
    """Return the recordings made in a time."""
    if page < 1:
        raise faults.invalid("'pageNumber' must be greater than 0")
    if page_size < 1:
        raise faults.invalid("'pageSize' must be a positive integer")
    if since and until and moment(until) <= moment(since):
        raise faults.invalid("'to' must be greater than 'from'")
    return []


@router.get("/{key}", operation_id="getRecording", response_class=Response)
async def get_recording(key: RecordingKey, visit: Visitor) -> Response:
    """Return a recording's audio."""
    raise faults.not_found("Recording")


@router.delete("/{key}", operation_id="deleteRecording", response_class=Response)
async def delete_recording(key: RecordingKey, visit: Visitor) -> Response:
    """Remove a recording."""
    raise faults.not_found("Recording")
