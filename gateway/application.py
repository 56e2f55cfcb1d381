"""Composes what steers calls: the store, the callbacks, SVAML, and the desk that the REST API speaks to.

`service` opens this beside the SIP rim and the media client, gives its `applications` to the world of the switch and
its `platform` to the API.  Calls that a crash has left without an end are closed in the book before new ones begin:
whoever was told of them is told that they are over.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Set
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final, Self

from gateway.api.cdr_files import CdrFiles
from gateway.api.platform import ApiSettings, Platform
from gateway.callbacks import Courier, HttpBackend, OutboxWorker, open_client
from gateway.callbacks.allowed import guard_of
from gateway.clock import Clock
from gateway.config import Config
from gateway.ids import IdSource
from gateway.media.ring import RINGS, Rings
from gateway.observe import Metrics
from gateway.recording.shelf import Shelf
from gateway.store import Store, open_store
from gateway.svaml.asking import Asking, Urls
from gateway.svaml.interpreter import Interpreter
from gateway.svaml.recording_news import RecordingNews
from gateway.switch.applications import Applications
from gateway.switch.causes import ENDINGS
from gateway.switch.conferences import Conferences
from gateway.switch.desk import Desk
from gateway.switch.guests import Guests
from gateway.switch.ledger import Ledger
from gateway.switch.ports import EventLog
from gateway.switch.prompts import Beeps, Prompter
from gateway.switch.recordings import Recorder, Recordings
from gateway.switch.remembered import recall
from gateway.switch.rings import FreeRings
from gateway.switch.switch import Switch
from gateway.switch.world import World

__all__ = ["ApplicationLayer", "Studio", "open_applications"]


RECORDED_RINGS: Final = range(512, RINGS)
"""Of the shared rings; the others carry what callers hear."""


@dataclass(frozen=True, slots=True)
class Studio:
    """What recordings are made with."""

    recorder: Recorder
    rings: Rings
    free: FreeRings

    @classmethod
    def opened(cls, recorder: Recorder | None, rings_fd: int | None) -> Self | None:
        """Return it, if there is anybody who makes files of recordings, and memory for them."""
        if recorder is None or rings_fd is None:
            return None
        return cls(recorder, Rings.inherited(rings_fd), FreeRings(RECORDED_RINGS))

    def recordings(
        self, news: RecordingNews, config: Config, clock: Clock, ids: IdSource, log: EventLog
    ) -> Recordings:
        """Return the recordings of one process."""
        return Recordings(
            self.recorder,
            self.rings,
            self.free,
            news,
            clock,
            ids,
            log,
            url_of=Urls(config.http.url).of_recording,
            stereo=config.recording.stereo,
        )


@dataclass(frozen=True, slots=True)
class ApplicationLayer:
    """Everything about applications in one process."""

    store: Store
    backend: HttpBackend
    outbox: OutboxWorker
    files: CdrFiles
    applications: Applications
    settings: ApiSettings
    guests: Guests
    shelf: Shelf

    def platform(self, world: World, switch: Switch) -> Platform:
        """Return what the REST API speaks to."""
        return Platform(
            calls=Desk(world, self.applications, switch),
            directory=self.store.directory,
            book=self.store.calls,
            administration=self.store.administration,
            reports=self.store.reports,
            clock=world.clock,
            ids=world.ids,
            log=world.log,
            settings=self.settings,
            shelf=self.shelf,
        )

    def count(self, metrics: Metrics) -> None:
        """Have `/metrics` show what came of callbacks, calls and writes, and what waits."""
        backend, outbox, writer = self.backend, self.outbox, self.store.writer
        for name, documentation, read in (
            ("callbacks", "Attempts to ask or tell an application", lambda: backend.counters),
            ("outbox", "What came of DiCE and Notify", lambda: outbox.counters),
            ("store", "What the writer of the database did", lambda: writer.counters),
            ("applications", "Calls and callouts of applications", lambda: self.applications.counters),
        ):
            metrics.counts(f"tandem_{name}", documentation, label="event", read=read)
        for name, documentation, now in (
            ("callbacks", "Attempts under way; primary URLs that are bypassed", backend.census),
            ("outbox", "Deliveries under way; applications that do not answer; what waits", outbox.census),
            ("store", "What waits to be written", writer.census),
        ):
            metrics.gauges(f"tandem_{name}_now", documentation, label="kind", read=now)

    async def settled(self, within_s: float) -> None:
        """Return when the last recordings have been told of, or after that time."""
        if self.applications.recordings is not None:
            try:
                async with asyncio.timeout(within_s):
                    await self.applications.recordings.settled()
            except TimeoutError:
                pass  # they are whole, but nobody will be told

    async def run(self) -> None:
        """Deliver what waits in the outbox, note recordings and write the daily files, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.outbox.run())
            tasks.create_task(self.files.run())
            if self.applications.recordings is not None:
                tasks.create_task(self.applications.recordings.run())


@asynccontextmanager
async def open_applications(
    config: Config,
    log: EventLog,
    clock: Clock,
    ids: IdSource,
    *,
    spared: Set[str] = frozenset(),
    prompter: Prompter | None = None,
    studio: Studio | None = None,
) -> AsyncIterator[ApplicationLayer]:
    """Open the store and the client of callbacks for as long as the block runs.

    `spared` are calls without an end that the switch will see to: they go on, or it ends them.  `prompter` has voices
    and files; None = nobody has.  Without a `studio` nothing is recorded.

    Raises:
        ConfigError: there can be no such database.
        Overload: the database does not answer.
    """
    async with open_store(config, log) as store, open_client(guard_of(config)) as client:
        backend = HttpBackend(Courier(client, clock), store.directory.application, ids)
        outbox = OutboxWorker(store.outbox, backend.deliver, clock)
        asking = Asking(backend, store.outbox, clock, ids, Urls(config.http.url))
        interpreter = Interpreter(asking, store.directory)
        recordings = None
        if studio is not None:
            news = RecordingNews(store.outbox, store.directory, clock, ids)
            recordings = studio.recordings(news, config, clock, ids, log)
        applications = Applications(
            store.directory,
            store.calls,
            interpreter,
            Conferences(clock.now, recordings),
            prompter or Beeps(),
            recordings,
        )
        await _close_what_is_left(store, interpreter, clock, log, spared)
        files = CdrFiles(config.data_dir / "cdr", store.reports, clock, log)
        settings = ApiSettings.configured(config.http)
        guests = Guests(store.directory, clock)
        store.directory.guest = guests.user
        shelf = Shelf.configured(config)
        yield ApplicationLayer(store, backend, outbox, files, applications, settings, guests, shelf)


async def _close_what_is_left(
    store: Store, interpreter: Interpreter, clock: Clock, log: EventLog, spared: Set[str]
) -> None:
    """End the calls of a process that did not live to end them."""
    left = [record for record in store.calls.ongoing() if record.call not in spared]
    if not left:
        return
    states = store.calls.kept()
    for record in left:
        ended = Ledger(record, store.calls).close(ENDINGS["crashed"], clock.wall(), reached=True)
        callout = recall(states[record.call]) if record.call in states else None
        await store.calls.finish(ended, *interpreter.last_words(ended, callout))
    log.warning("calls.left_closed", calls=len(left))
