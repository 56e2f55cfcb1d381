"""The media process: one thread around one plane, from packet to packet and tick to tick.

    between ticks   wait(): packets are taken, and relayed, as they arrive; commands of the switch are applied
    every 10 ms     the plane's tick, in stages; after each stage the packets that came meanwhile are served

It is told everything by the switch and knows nothing of calls.  When the switch dies, rows go on; when this process
dies, its successor finds the rows in the shared ledger and the sockets at the broker, and goes on where it stopped.
Run as `python -m gateway.transport.media_process` by the supervisor, which sets the TANDEM_* environment.

Nothing of Python's may come between a packet and its sending: what exists at the start is frozen, garbage is
collected by hand, and only when enough of a tick is left.  Priority is asked for and the answer said.  Real-time
priority (SCHED_RR) means that no ordinary process delays a tick: with ten busy processes on two cores the 99th
percentile of the spacing of relayed packets was 30 ms with it and 42 ms at nice -20.  The price is that the kernel
stops whoever uses more than 95 % of a core in it (sched(7)): a loop that spins was stopped for up to 34 ms at a time,
one that works 90 % of the time never.  So a worker takes no new legs above 90 % (`media_health`).
"""

from __future__ import annotations

import gc
import mmap
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from typing import Any, Final

from gateway.errors import LocalError
from gateway.ids import LegId, SystemIds
from gateway.media.commands import room_from_map, row_from_map
from gateway.media.flight import MEMORY_NAME, RecordedPlane, memory_bytes
from gateway.media.plane import TICK_S, Plane
from gateway.media.ring import Rings
from gateway.media.statistics import LegStatistics, statistics_as_map
from gateway.media.table import ROW
from gateway.transport.media_capture import MediaCapture
from gateway.transport.media_edge import MediaEdge
from gateway.transport.media_health import Health
from gateway.transport.media_io import MediaIo, media_io
from gateway.transport.media_links import BrokerLink, SupervisorGone, SwitchLink
from gateway.transport.media_rows import Rows
from gateway.transport.media_wire import PROTOCOL

__all__ = ["Garbage", "MediaProcess", "ask_for_real_time", "main"]

ORPHAN_S: Final = 60.0
"""How long rows go on that no living switch has asked for."""
REPORT_S: Final = 1.0
"""How often the switch is told how we fare, unasked."""
_SKIP_TICKS: Final = 20
_COLLECT_EVERY_S: Final = 10.0
_COLLECT_ALL_EVERY: Final = 30
"""Every so many collections all generations are gone through, if there is time."""
_COMMANDS_S: Final = 0.001


class MediaProcess:
    """Owns the plane, its sockets and the two links."""

    def __init__(
        self,
        *,
        plane: Plane,
        io: MediaIo,
        broker: BrokerLink,
        control: socket.socket,
        epoch: int,
        lifeline_fd: int | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`lifeline_fd` is the end of a pipe that the supervisor holds open for as long as it lives."""
        self._plane = plane
        self._io = io
        self._broker = broker
        self._control = control
        self._lifeline_fd = lifeline_fd
        self._clock = clock
        self._switch: SwitchLink | None = None
        address = os.environ.get("TANDEM_MEDIA_ADVERTISED", "127.0.0.1")
        bound = os.environ.get("TANDEM_MEDIA__ADDRESS", "127.0.0.1")
        self._rows = Rows(plane, io, broker, self._say, address=address, bound=bound)
        self._rows.epoch = epoch
        self._edge = MediaEdge(plane, io)
        self._switch_since = clock()
        self.garbage = Garbage(clock)
        self.health = Health(clock())
        self._spare_s = 0.0
        """Time spent on what could have waited."""
        self.stopping = False
        for fd in (broker.fileno(), control.fileno(), lifeline_fd):
            if fd is not None:
                io.watch(fd)

    def close(self) -> None:
        """Let go of the two links."""
        self._switch_left()
        self._broker.close()

    # --- the loop -----------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Serve until told to stop."""
        next_tick = self._clock() + TICK_S
        while not self.stopping:
            commands_wait = self._switch is not None and self._switch.waiting
            readable = self._io.wait(0.0 if commands_wait else next_tick)
            if readable or commands_wait:
                self._serve_others(readable)
            now = self._clock()
            if now < next_tick:
                continue
            self.health.tick_begins(now - next_tick)
            self._guarded(self._tick, now)
            self._note_end(now)
            next_tick += TICK_S
            if now - next_tick > _SKIP_TICKS * TICK_S:  # the machine slept; do not run after lost time
                missed = int((now - next_tick) / TICK_S)
                self.health.skipped += missed
                next_tick += missed * TICK_S
            self.garbage.collect(spare_s=next_tick - self._clock())

    def _serve_others(self, readable: list[int]) -> None:
        """Do what broker and switch want: it can wait, so it is no reason to call us busy."""
        began = self._clock()
        for fd in readable:
            self._guarded(self._readable, fd)
        self._guarded(self._obey, _COMMANDS_S)
        self._spare_s += self._clock() - began

    def _guarded(self, action: Any, argument: Any) -> None:
        """The exception wall: one bad message or tick costs itself, not the calls."""
        try:
            action(argument)
        except SupervisorGone:
            self.stopping = True
        except ConnectionError:
            self._switch_left()
        except Exception as error:  # the wall: counted, told, survived
            self.health.errors += 1
            if self.health.errors <= 10 or self.health.errors % 1000 == 0:
                print(f"media: {type(error).__name__}: {error}", file=sys.stderr, flush=True)  # noqa: T201

    def _tick(self, now: float) -> None:
        began = now
        for sends, rtcp in self._plane.tick(now, time.time()):
            self.health.stage.observe(self._clock() - began)
            self._io.send(sends, rtcp=rtcp)
            self._io.wait(0.0)  # commands that wait there stay until the tick's end: its plan must not change
            began = self._clock()
        self._rows.tell_events()
        for message in self._edge.arrivals():
            self._say(message)
        self._rows.hand_over(now)
        if self.health.ticks % round(REPORT_S / TICK_S) == 0:
            self._reap(now)
            self._say({"figures": self._figures()})
        self._broker.flush()
        if self._switch is not None:
            self._switch.flush()

    def _note_end(self, began: float) -> None:
        now = self._clock()
        self.health.tick_ended(now - began, now, idle_s=self._io.idle_s() + self._spare_s)

    # --- who speaks to us ---------------------------------------------------------------------------------------

    def _readable(self, fd: int) -> None:
        if fd == self._lifeline_fd:
            raise SupervisorGone
        if fd == self._broker.fileno():
            started = self._clock()
            for answer, fds, luggage in self._broker.answers():
                self._rows.broker_says(answer, fds, luggage, self._clock())
                if self._clock() - started > _COMMANDS_S:
                    return  # what is left is still there when the packets have been served
        elif fd == self._control.fileno():
            self._welcome()
        elif self._switch is not None and fd == self._switch.fileno():
            self._switch.receive()

    def _obey(self, budget_s: float) -> None:
        """Do what the switch has asked for, for a while: packets and ticks come first."""
        deadline = self._clock() + budget_s
        while self._switch is not None and self._clock() < deadline:
            message = self._switch.next_message()
            if message is None:
                return
            self._guarded(self._switch_says, message)

    def _welcome(self) -> None:
        connection, _ = self._control.accept()
        self._switch_left()
        self._switch = SwitchLink(connection)
        self._switch_since = self._clock()
        self._io.watch(self._switch.fileno())
        self._say({"hello": PROTOCOL, "epoch": self._rows.epoch, "pid": os.getpid()})
        self._say({"rows": list(self._plane.legs)})

    def _switch_left(self) -> None:
        if self._switch is not None:
            self._io.unwatch(self._switch.fileno())
            self._switch.close()
            self._switch = None
            self._switch_since = self._clock()

    def _say(self, message: dict[str, Any]) -> None:
        if self._switch is not None:
            self._switch.say(message)

    def _switch_says(self, message: dict[str, Any]) -> None:
        now = self._clock()
        match message:
            case {"hello": version, "epoch": epoch}:
                if version != PROTOCOL:
                    raise ConnectionError(f"the switch speaks version {version}")
                self._rows.epoch = epoch
            case {"set": fields}:
                state = row_from_map(fields)
                self._rows.asked(state.leg)
                self._plane.apply(state, now)
                self._edge.heed(state)
            case {"room": fields}:
                self._plane.apply_room(room_from_map(fields))
            case {"press": leg, "digit": digit, "ms": duration_ms}:
                self._plane.press(LegId(leg), str(digit), int(duration_ms), now)
            case {"edge": leg, "to": [host, port], "data": data}:
                self._edge.send(LegId(leg), (str(host), int(port)), data, message.get("lease"))
            case {"open": leg}:
                self._rows.open(LegId(leg), refusal=self.health.admission.refusal)
            case {"reopen": leg}:
                self._rows.open(LegId(leg), refusal=None)
            case {"move": leg, "to": worker}:
                self._rows.move(LegId(leg), int(worker))
            case {"close": leg}:
                self._rows.close(LegId(leg), now)
            case {"statistics": leg, "id": question}:
                self._say({"statistics": self._statistics(LegId(leg)), "id": question})
            case {"health": question}:
                self._say({"health": self._figures(), "id": question})

    def _statistics(self, leg: LegId) -> dict[str, Any]:
        known = leg in self._plane.legs
        return statistics_as_map(self._plane.statistics(leg) if known else LegStatistics())

    def _figures(self) -> dict[str, Any]:
        return self.health.as_map(rows=len(self._rows), io=self._io.counters())

    def _reap(self, now: float) -> None:
        """Free the rows that no switch has asked for in `ORPHAN_S`: the lease of an epoch has run out."""
        if now - self._switch_since >= ORPHAN_S:
            self._rows.reap(now, abandoned=self._switch is None)


class Garbage:
    """Python's collector, when there is time for it.

    The young generations every ten seconds; all of them every five minutes, which takes longer the more there is:
    only when the last time would fit twice into what is left of the tick.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._due = clock() + _COLLECT_EVERY_S
        self._rounds = 0
        self._full_took_s = 0.0

    def switch_off(self) -> None:
        """Collect once, exempt all that is left from collection, and collect only when told."""
        gc.collect()
        gc.freeze()
        gc.disable()

    def collect(self, *, spare_s: float) -> None:
        """Collect if it is time, and there is time: `spare_s` are left of this tick."""
        began = self._clock()
        if began < self._due or spare_s < TICK_S / 2:
            return
        self._due = began + _COLLECT_EVERY_S
        self._rounds += 1
        if self._rounds % _COLLECT_ALL_EVERY or 2 * self._full_took_s > spare_s:
            gc.collect(1)
        else:
            gc.collect()
            self._full_took_s = self._clock() - began


def _plane_in_ledger() -> Plane:
    """Make the plane over the shared ledger, or over memory of its own when there is none (tests by hand)."""
    fd = int(os.environ.get("TANDEM_LEDGER_FD", "-1"))
    if fd < 0:
        return _plane(1024, None)
    n_bytes = int(os.environ["TANDEM_LEDGER_BYTES"])
    memory = memoryview(mmap.mmap(fd, n_bytes))
    return _plane(min(n_bytes // ROW.itemsize, _MOST_ROWS), memory)


def _plane(capacity: int, memory: memoryview | None) -> Plane:
    """Make a plane; with a flight recorder, if one is asked for."""
    ring_bytes = int(os.environ.get("TANDEM_MEDIA_FLIGHT_MB", "0")) << 20
    if ring_bytes and not hasattr(os, "memfd_create"):
        print("media: no flight recorder: this system has no memfd", file=sys.stderr, flush=True)  # noqa: T201
    if not ring_bytes or not hasattr(os, "memfd_create"):
        return Plane(capacity, SystemIds(), memory, rings=_rings())
    fd = os.memfd_create(MEMORY_NAME)
    n_bytes = memory_bytes(capacity, ring_bytes)
    os.truncate(fd, n_bytes)
    flight = memoryview(mmap.mmap(fd, n_bytes))
    return RecordedPlane(capacity, SystemIds(), memory, flight=flight, rings=_rings())


def _rings() -> Rings | None:
    """Return the rings by which sound comes and goes, if the supervisor has made them."""
    fd = int(os.environ.get("TANDEM_RINGS_FD", "-1"))
    return None if fd < 0 else Rings.inherited(fd)


_MOST_ROWS: Final = 8192
"""More than a core can serve; the plane's other columns are arrays over so many rows."""


def _capture(io: MediaIo) -> MediaCapture | None:
    """Begin the capture that is asked for; calls go on without one that cannot be."""
    try:
        return MediaCapture.asked_for(io)
    except LocalError as error:
        print(f"media: {error}", file=sys.stderr, flush=True)  # noqa: T201
        return None


def ask_for_real_time() -> str:
    """Ask to be scheduled before ordinary processes; returns what came of it, in words."""
    if os.environ.get("TANDEM_MEDIA_REAL_TIME") == "0":
        return "ordinary priority, as configured"
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    except (AttributeError, OSError) as error:
        return f"ordinary priority: {error}"
    return "real-time priority"


def _stop_when_told(process: MediaProcess) -> None:
    """SIGTERM stops; SIGINT is the supervisor's business."""

    def stop(_signal: int, _frame: object) -> None:
        process.stopping = True

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def main() -> None:
    """Run the media process that the environment describes."""
    plane = _plane_in_ledger()
    control = socket.socket(fileno=int(os.environ["TANDEM_CONTROL_FD"]))
    control.setblocking(False)
    io = media_io(plane)
    capture = _capture(io)  # its drain shall not have our priority
    process = MediaProcess(
        plane=plane,
        io=io,
        broker=BrokerLink(int(os.environ["TANDEM_BROKER_FD"])),
        control=control,
        epoch=int(os.environ.get("TANDEM_EPOCH", "0")),
        lifeline_fd=int(os.environ["TANDEM_LIFELINE_FD"]) if "TANDEM_LIFELINE_FD" in os.environ else None,
    )
    _stop_when_told(process)
    print(f"media: {ask_for_real_time()}", file=sys.stderr, flush=True)  # noqa: T201  # before there is a log
    os.write(int(os.environ["TANDEM_READY_FD"]), b"1")
    process.garbage.switch_off()
    process.run()
    if capture is not None:
        capture.close()


if __name__ == "__main__":
    main()
