"""What an application is told of its recordings: the notifications of section 6.4, written into the outbox."""

from __future__ import annotations

from typing import Final

from gateway.clock import Clock
from gateway.ids import IdSource
from gateway.svaml import events
from gateway.svaml.events import NotifyType
from gateway.svaml.model import RecordingOptions
from gateway.switch.recordings import RecordingWish
from gateway.switch.records import CallRecord, Notification
from gateway.switch.stores import Directory, Outbox

__all__ = ["RecordingNews", "wish_of"]


def wish_of(options: RecordingOptions | None) -> RecordingWish:
    """Return what a document wishes."""
    asked = options or RecordingOptions()
    return RecordingWish(
        asked.destination_url or "", asked.credentials or "", asked.format, notify=asked.notification_events
    )


class RecordingNews:
    """`gateway.switch.recordings.Announcer`."""

    def __init__(self, outbox: Outbox, directory: Directory, clock: Clock, ids: IdSource) -> None:
        self._outbox: Final = outbox
        self._directory: Final = directory
        self._clock: Final = clock
        self._ids: Final = ids

    async def finished(self, record: CallRecord) -> None:
        """Tell that a recording has ended."""
        await self._tell(record, NotifyType.RECORDING_FINISHED)

    async def available(self, record: CallRecord, destination: str) -> None:
        """Tell where a recording is."""
        await self._tell(record, NotifyType.RECORDING_AVAILABLE, destination)

    async def _tell(self, record: CallRecord, kind: NotifyType, destination: str | None = None) -> None:
        application = self._directory.application(record.application)
        if application is None or application.callback is None or not record.callbacks:
            return
        now = self._clock.wall()
        await self._outbox.put(
            Notification(
                id=f"notify-{record.call}-{self._ids.token()}",
                call=record.call,
                application=record.application,
                event="notify",
                body=events.encoded(events.notify(record, kind, destination=destination)),
                created_at=now,
                next_at=now,
            )
        )
