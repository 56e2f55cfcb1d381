"""Recordings as calls and conferences see them: begun, ended, and told of when they are where they were to go.

A recording takes two rings of the table that all processes share (`gateway.media.ring`).  The row that is recorded
fills them and a process of its own, the recorder, makes a file of them (`gateway.recording`); the switch only says
which, and frees the rings when the recorder has done with them.  So a recorder that is slow, away or out of disk costs
a recording, never a call.

What cannot be recorded is logged, and the call goes on: an application finds out because no notification comes.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Final, Protocol, assert_never

from gateway.clock import Clock
from gateway.errors import GatewayError, Overload
from gateway.ids import IdSource, LegId, RoomId
from gateway.media.commands import RowState
from gateway.media.ring import Rings
from gateway.recording.naming import call_name, conference_name, destination_of
from gateway.recording.port import NO_RING, Available, Failed, Finished, News, Order
from gateway.switch.legs import Leg
from gateway.switch.ports import EventLog, MediaPort
from gateway.switch.records import CallRecord
from gateway.switch.rings import FreeRings

__all__ = [
    "Announcer",
    "CallTape",
    "Recorder",
    "Recording",
    "RecordingWish",
    "Recordings",
    "RoomTape",
]


@dataclass(frozen=True, slots=True)
class RecordingWish:
    """How something is to be recorded."""

    destination: str = ""
    """A URL; "" = here."""
    credentials: str = field(default="", repr=False)
    format: str = "mp3"
    notify: bool = True
    """Tell the application of the end, and of the file."""


@dataclass(frozen=True, slots=True, eq=False)
class Recording:
    """One recording under way."""

    id: str
    record: CallRecord
    """Of the call that asked for it."""
    wish: RecordingWish
    name: str
    """Of the file."""
    heard: int
    said: int
    """The rings; `NO_RING` where only the mix of a room is recorded."""
    lease: ExitStack = field(default_factory=ExitStack)
    """Gives them back."""


class Recorder(Protocol):
    """Whoever makes files of rings, wherever that is."""

    def begin(self, order: Order) -> None:
        """Take from the rings of an order, which are open, from now on or as soon as that is possible."""
        ...

    def end(self, recording: str) -> None:
        """Complete a recording when nothing comes any more; `Finished` tells when that is."""
        ...

    def news(self) -> AsyncIterator[News]:
        """Yield what becomes of recordings, to one reader: each `Finished`, then `Available` or `Failed`."""
        ...


class Announcer(Protocol):
    """Whoever tells applications of recordings."""

    async def finished(self, record: CallRecord) -> None:
        """Tell that a recording has ended; durable when this returns."""
        ...

    async def available(self, record: CallRecord, destination: str) -> None:
        """Tell where a recording is."""
        ...


class Recordings:
    """All recordings of one process."""

    def __init__(
        self,
        recorder: Recorder,
        rings: Rings,
        free: FreeRings,
        announcer: Announcer,
        clock: Clock,
        ids: IdSource,
        log: EventLog,
        *,
        url_of: Callable[[str], str],
        stereo: bool = True,
    ) -> None:
        """`url_of` says where the API gives out a file of ours; of the rings we take those that are `free`."""
        self._recorder: Final = recorder
        self._rings: Final = rings
        self._announcer: Final = announcer
        self._clock: Final = clock
        self._ids: Final = ids
        self.log: Final = log
        self._url_of: Final = url_of
        self._stereo: Final = stereo
        self._free: Final = free
        self._live: Final[dict[str, Recording]] = {}
        self._settled: Final = asyncio.Event()
        self._settled.set()

    def __len__(self) -> int:
        return len(self._live)

    def begin_call(self, record: CallRecord, wish: RecordingWish) -> Recording:
        """Begin to record a call: a row shall fill both rings of what this returns.

        Raises:
            LocalError: it cannot go where it is to go.
            Overload: no rings are free.
        """
        return self._begin(record, wish, call_name(record.application, record.call, self._clock.wall()), 2)

    def begin_room(self, record: CallRecord, wish: RecordingWish, conference: str) -> Recording:
        """Begin to record a conference: a tap shall fill the one ring; raises as `begin_call`."""
        stem = conference_name(record.application, conference, self._clock.wall())
        return self._begin(record, wish, stem, 1)

    def _begin(self, record: CallRecord, wish: RecordingWish, stem: str, n_rings: int) -> Recording:
        place = destination_of(wish.destination, format=wish.format, stem=stem)
        lease = ExitStack()
        rings = lease.enter_context(self._free.taken(n_rings))
        for ring in rings:
            self._rings.open(ring)
        heard, said = (*rings, NO_RING)[:2]
        recording = Recording(self._ids.token(), record, wish, place.name, heard, said, lease)
        self._live[recording.id] = recording
        self._settled.clear()
        order = Order(
            id=recording.id,
            heard=heard,
            said=said,
            application=record.application,
            name=place.name,
            format=place.format,
            stereo=self._stereo,
            destination=place.url,
            credentials=wish.credentials,
        )
        self._recorder.begin(order)
        self.log.info("recording.started", call=record.call, recording=recording.id, file=place.name)
        return recording

    def end(self, recording: Recording) -> None:
        """Complete a recording whose rings nobody fills any more."""
        self._recorder.end(recording.id)

    async def settled(self) -> None:
        """Return when every recording is where it was to go, or has failed."""
        await self._settled.wait()

    async def run(self) -> None:
        """Note what becomes of recordings, until cancelled."""
        async for news in self._recorder.news():
            if (recording := self._live.get(news.id)) is None:
                continue
            try:
                await self._note(recording, news)
            except GatewayError as error:  # what cannot be told now is not worth the calls
                facts = {"call": recording.record.call, "recording": recording.id}
                self.log.warning("recording.failed", **facts, reason=f"nobody was told: {error}")
            if isinstance(news, Available | Failed):
                self._forget(recording)

    async def _note(self, recording: Recording, news: News) -> None:
        facts = {"call": recording.record.call, "recording": recording.id}
        match news:
            case Finished(duration_s=duration_s, reason=reason, fault=fault):
                recording.lease.close()
                self.log.info("recording.finished", **facts, duration_s=duration_s, reason=reason)
                if fault:
                    self.log.warning("recording.failed", **facts, reason=reason)
                if recording.wish.notify:
                    await self._announcer.finished(recording.record)
            case Available(destination=destination):
                url = destination or self._url_of(recording.name)
                self.log.info("recording.available", **facts, destination=url)
                if recording.wish.notify:
                    await self._announcer.available(recording.record, url)
            case Failed(reason=reason):
                self.log.warning("recording.failed", **facts, reason=reason)
            case _:
                assert_never(news)

    def _forget(self, recording: Recording) -> None:
        del self._live[recording.id]
        if not self._live:
            self._settled.set()


class Stoppable(Protocol):
    """A conference, as much of it as a call's tape needs."""

    def stop_recording(self) -> None:
        """End the recording of everybody, if there is one."""
        ...


class Recorded(Protocol):
    """A call, as much of it as its tape needs to name a file."""

    @property
    def record(self) -> CallRecord:
        """What is known of it."""
        ...


class Attended(Protocol):
    """The parties of a call."""

    @property
    def there(self) -> tuple[Leg, ...]:
        """Those who are there, the caller first."""
        ...


class CallTape:
    """The recording of one call: what its first party says and hears.

    When that one is transferred away the other one is recorded, the other way round: what it says is what was heard.
    """

    def __init__(
        self, recordings: Recordings | None, call: Recorded, parties: Attended, log: EventLog
    ) -> None:
        self._recordings: Final = recordings
        self._call: Final = call
        self._parties: Final = parties
        self._log: Final = log
        self._wish: RecordingWish | None = None
        """What waits for a party."""
        self.room: Stoppable | None = None
        """The conference that the call is in."""
        self._running: tuple[Recording, Leg] | None = None

    def start(self, wish: RecordingWish) -> None:
        """Record from now on, or from when somebody is there; what was recorded until now ends."""
        self.stop()
        self._wish = wish
        self.settle()

    def settle(self) -> None:
        """Begin what waits, and record somebody who is there."""
        there = self._parties.there
        if there and self._wish is not None:
            wish, self._wish = self._wish, None
            self._begin(wish, there[0])
        if there and self._running is not None and self._running[1] not in there:
            recording, gone = self._running
            heard, said = gone.recording or (recording.heard, recording.said)
            gone.record(None)
            there[0].record((said, heard))
            self._running = recording, there[0]

    def _begin(self, wish: RecordingWish, party: Leg) -> None:
        try:
            if self._recordings is None:
                raise Overload("this switch has no recorder")
            recording = self._recordings.begin_call(self._call.record, wish)
        except GatewayError as error:
            call = self._call.record.call
            self._log.warning("recording.failed", call=call, recording="", reason=str(error))
        else:
            party.record((recording.heard, recording.said))
            self._running = recording, party

    def stop(self) -> None:
        """End it, if there is anything to end."""
        self._wish = None
        if self._running is not None and self._recordings is not None:
            recording, leg = self._running
            self._running = None
            leg.record(None)
            self._recordings.end(recording)

    def stop_either(self) -> None:
        """End it; if the call is not recorded, end the recording of its conference."""
        if self._wish is None and self._running is None and self.room is not None:
            self.room.stop_recording()
        self.stop()


class RoomTape:
    """The recording of a conference: a row without a socket that hears everybody."""

    def __init__(self, recordings: Recordings, recording: Recording, media: MediaPort, room: RoomId) -> None:
        self._recordings: Final = recordings
        self._recording: Final = recording
        self._media: Final = media
        self._leg: Final = LegId(f"tape-{recording.id}")
        media.set(_tap(self._leg, room, recording.heard))

    def stop(self) -> None:
        """End it."""
        self._media.close(self._leg)
        self._recordings.end(self._recording)


def _tap(leg: LegId, room: RoomId, ring: int) -> RowState:
    return RowState(
        leg=leg,
        generation=1,
        remote=None,
        remote_rtcp=None,
        send_codec="pcmu",
        send_pt=0,
        ptime_ms=20,
        receive={},
        event_send_pt=None,
        event_receive_pt=None,
        sending=False,
        receiving=False,
        room=room,
        source="tap",
        recording=(ring, NO_RING),
    )
