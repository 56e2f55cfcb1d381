"""The media process: one thread around one plane, from packet to packet and tick to tick.

    between ticks   wait(): packets are taken, and relayed, as they arrive; commands of the switch are applied
    every 10 ms     the plane's tick, in stages; after each stage the packets that came meanwhile are served

It is told everything by the switch and knows nothing of calls.  When the switch dies, rows go on; when this process
dies, its successor finds the rows in the shared ledger and the sockets at the broker, and goes on where it stopped.
Run as `python -m gateway.transport.media_process` by the supervisor, which sets the TANDEM_* environment.
"""

from __future__ import annotations

import gc
import mmap
import os
import signal
import socket
import sys
import time
from typing import Any, Final

from gateway.ids import LegId, SystemIds
from gateway.media.commands import row_from_map
from gateway.media.events import event_as_map
from gateway.media.plane import TICK_S, Plane
from gateway.media.statistics import statistics_as_map
from gateway.media.table import ROW
from gateway.transport.media_io import MediaIo, media_io
from gateway.transport.media_links import BrokerLink, SupervisorGone, SwitchLink

__all__ = ["MediaProcess", "main"]

PROTOCOL: Final = 1
ORPHAN_S: Final = 60.0
"""How long rows go on that no living switch has asked for."""
LATE_S: Final = 0.005
"""A tick later than this is overload when it lasts: new legs are refused before the present ones suffer."""
_SKIP_TICKS: Final = 20
_COLLECT_EVERY_S: Final = 10.0
_COMMANDS_S: Final = 0.001
_SMOOTHING: Final = 1 / 64


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
    ) -> None:
        """`lifeline_fd` is the end of a pipe that the supervisor holds open for as long as it lives."""
        self.plane = plane
        self._io = io
        self._broker = broker
        self._control = control
        self._epoch = epoch
        self._lifeline_fd = lifeline_fd
        self._switch: SwitchLink | None = None
        self._address = os.environ.get("TANDEM_MEDIA_ADVERTISED", "127.0.0.1")
        self._ports: dict[LegId, int] = {}
        self._inheriting = True
        self._asked_for: dict[LegId, int] = {}
        """The epoch of the switch that last spoke of a leg."""
        self._switch_since = time.monotonic()
        self.stopping = False
        self.lateness_s = 0.0
        self.ticks = 0
        self.skipped = 0
        self.errors = 0
        for fd in (broker.fileno(), control.fileno(), lifeline_fd):
            if fd is not None:
                io.watch(fd)

    # --- the loop -----------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Serve until told to stop."""
        next_tick = time.monotonic() + TICK_S
        next_collection = next_tick + _COLLECT_EVERY_S
        while not self.stopping:
            commands_wait = self._switch is not None and self._switch.waiting
            for fd in self._io.wait(0.0 if commands_wait else next_tick):
                self._guarded(self._readable, fd)
            self._guarded(self._obey, _COMMANDS_S)
            now = time.monotonic()
            if now < next_tick:
                continue
            self._note_lateness(now - next_tick)
            self._guarded(self._tick, now)
            next_tick += TICK_S
            if now - next_tick > _SKIP_TICKS * TICK_S:  # the machine slept; do not run after lost time
                missed = int((now - next_tick) / TICK_S)
                self.skipped += missed
                next_tick += missed * TICK_S
            if now > next_collection and time.monotonic() < next_tick - TICK_S / 2:
                next_collection = now + _COLLECT_EVERY_S
                gc.collect(1)

    def _guarded(self, action: Any, argument: Any) -> None:
        """The exception wall: one bad message or tick costs itself, not the calls."""
        try:
            action(argument)
        except SupervisorGone:
            self.stopping = True
        except ConnectionError:
            self._switch_left()
        except Exception as error:  # the wall: counted, told, survived
            self.errors += 1
            if self.errors <= 10 or self.errors % 1000 == 0:
                print(f"media: {type(error).__name__}: {error}", file=sys.stderr, flush=True)  # noqa: T201

    def _note_lateness(self, late_s: float) -> None:
        self.ticks += 1
        self.lateness_s += (late_s - self.lateness_s) * _SMOOTHING

    def _tick(self, now: float) -> None:
        for sends, rtcp in self.plane.tick(now, time.time()):
            self._io.send(sends, rtcp=rtcp)
            self._io.wait(0.0)  # commands that wait there stay until the tick's end: its plan must not change
        for event in self.plane.events():
            self._say(event_as_map(event))  # type: ignore[arg-type]  # the plane makes no worker events
        if self.ticks % 100 == 0:
            self._reap(now)
        self._broker.flush()
        if self._switch is not None:
            self._switch.flush()

    # --- who speaks to us ---------------------------------------------------------------------------------------

    def _readable(self, fd: int) -> None:
        if fd == self._lifeline_fd:
            raise SupervisorGone
        if fd == self._broker.fileno():
            started = time.monotonic()
            for answer, fds in self._broker.answers():
                self._broker_says(answer, fds)
                if time.monotonic() - started > _COMMANDS_S:
                    return  # what is left is still there when the packets have been served
        elif fd == self._control.fileno():
            self._welcome()
        elif self._switch is not None and fd == self._switch.fileno():
            self._switch.receive()

    def _obey(self, budget_s: float) -> None:
        """Do what the switch has asked for, for a while: packets and ticks come first."""
        deadline = time.monotonic() + budget_s
        while self._switch is not None and time.monotonic() < deadline:
            message = self._switch.next_message()
            if message is None:
                return
            self._guarded(self._switch_says, message)

    def _welcome(self) -> None:
        connection, _ = self._control.accept()
        self._switch_left()
        self._switch = SwitchLink(connection)
        self._switch_since = time.monotonic()
        self._io.watch(self._switch.fileno())
        self._say({"hello": PROTOCOL, "epoch": self._epoch, "pid": os.getpid()})
        self._say({"rows": list(self.plane.legs)})

    def _switch_left(self) -> None:
        if self._switch is not None:
            self._io.unwatch(self._switch.fileno())
            self._switch.close()
            self._switch = None
            self._switch_since = time.monotonic()

    def _say(self, message: dict[str, Any]) -> None:
        if self._switch is not None:
            self._switch.say(message)

    def _switch_says(self, message: dict[str, Any]) -> None:
        now = time.monotonic()
        if "hello" in message:
            if message["hello"] != PROTOCOL:
                raise ConnectionError(f"the switch speaks version {message['hello']}")
            self._epoch = message["epoch"]
        elif "set" in message:
            state = row_from_map(message["set"])
            self._asked_for[state.leg] = self._epoch
            self.plane.apply(state, now)
        elif "open" in message:
            self._open(LegId(message["open"]))
        elif "close" in message:
            self._close(LegId(message["close"]), now)
        elif "statistics" in message:
            statistics = statistics_as_map(self.plane.statistics(LegId(message["statistics"])))
            self._say({"statistics": statistics, "id": message["id"]})
        elif "health" in message:
            self._say({"health": self.health(), "id": message["health"]})

    def health(self) -> dict[str, Any]:
        """Return the process's own figures."""
        return {
            "rows": len(self.plane.legs),
            "ticks": self.ticks,
            "skipped": self.skipped,
            "errors": self.errors,
            "lateness_ms": self.lateness_s * 1000,
        } | self._io.counters()

    # --- rows ---------------------------------------------------------------------------------------------------

    def _open(self, leg: LegId) -> None:
        self._asked_for[leg] = self._epoch
        if leg in self._ports:
            self._say({"opened": leg, "port": self._ports[leg], "address": self._address})
        elif self.lateness_s > LATE_S:
            self._say({"refused": leg, "reason": f"ticks are {self.lateness_s * 1000:.1f} ms late"})
        else:
            self._broker.ask({"lease": leg})

    def _broker_says(self, answer: dict[str, Any], fds: list[int]) -> None:
        if "leased" in answer:
            self._leased(LegId(answer["leased"]), int(answer["port"]), fds)
        elif "refused" in answer:
            self._say({"refused": answer["refused"], "reason": answer["reason"]})
        elif "leases" in answer:
            self._inheriting = False
            self.plane.disown_rest()

    def _leased(self, leg: LegId, port: int, fds: list[int]) -> None:
        rtp_fd, rtcp_fd = fds
        if not self._inheriting and leg not in self._asked_for:  # closed before its port came
            self._give_back(leg, fds)
            return
        row = self.plane.adopt(leg, rtp_fd=rtp_fd, rtcp_fd=rtcp_fd, now=time.monotonic())
        if row is None:
            row = self.plane.open(leg, rtp_fd=rtp_fd, rtcp_fd=rtcp_fd)
        self._ports[leg] = port
        self._asked_for.setdefault(leg, self._epoch)
        self._io.attach(row)
        self._say({"opened": leg, "port": port, "address": self._address})

    def _close(self, leg: LegId, now: float) -> None:
        self._asked_for.pop(leg, None)
        if leg not in self.plane.legs:
            return
        row = self.plane.row(leg)
        fields = self.plane.table.rows
        fds = [int(fields["rtp_fd"][row]), int(fields["rtcp_fd"][row])]
        self._io.send(self.plane.goodbye(leg, now, time.time()), rtcp=True)
        if leg in self._ports:
            self._io.detach(row)
        self.plane.close(leg, now)
        if self._ports.pop(leg, None) is not None:
            self._give_back(leg, fds)
        for event in self.plane.events():
            self._say(event_as_map(event))  # type: ignore[arg-type]  # the plane makes no worker events

    def _give_back(self, leg: LegId, fds: list[int]) -> None:
        for fd in fds:
            os.close(fd)
        self._broker.ask({"release": leg})

    def _reap(self, now: float) -> None:
        """Free the rows that no switch has asked for in `ORPHAN_S`: the lease of an epoch has run out."""
        if now - self._switch_since < ORPHAN_S:
            return
        for leg in list(self.plane.legs):
            if self._switch is None or self._asked_for.get(leg, 0) < self._epoch:
                self._close(leg, now)


def _plane_in_ledger() -> Plane:
    """Make the plane over the shared ledger, or over memory of its own when there is none (tests by hand)."""
    fd = int(os.environ.get("TANDEM_LEDGER_FD", "-1"))
    if fd < 0:
        return Plane(1024, SystemIds())
    n_bytes = int(os.environ["TANDEM_LEDGER_BYTES"])
    memory = memoryview(mmap.mmap(fd, n_bytes))
    return Plane(n_bytes // ROW.itemsize, SystemIds(), memory)


def _ask_for_real_time() -> str:
    """Ask to be scheduled before ordinary processes; returns what came of it, in words."""
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
    process = MediaProcess(
        plane=plane,
        io=media_io(plane),
        broker=BrokerLink(int(os.environ["TANDEM_BROKER_FD"])),
        control=control,
        epoch=int(os.environ.get("TANDEM_EPOCH", "0")),
        lifeline_fd=int(os.environ["TANDEM_LIFELINE_FD"]) if "TANDEM_LIFELINE_FD" in os.environ else None,
    )
    _stop_when_told(process)
    print(f"media: {_ask_for_real_time()}", file=sys.stderr, flush=True)  # noqa: T201  # before there is a log
    os.write(int(os.environ["TANDEM_READY_FD"]), b"1")
    gc.freeze()
    gc.disable()
    process.run()


if __name__ == "__main__":
    main()
