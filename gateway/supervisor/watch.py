"""The loop of the supervisor: start, restart, drain, end.

One thread, one selector.  Signals arrive as bytes on a pipe (`signal.set_wakeup_fd`), deaths as SIGCHLD; as
parent we are the one who reaps, so a process id cannot be reused behind our back and no pidfd is needed.

Only a signal to the supervisor means "stop all"; whatever else ends a child brings it back.  The end has stages,
each later than the one before, never the other way:

    RUNNING   --SIGTERM--->  DRAINING  the switch refuses new calls and exits when the last one is over
    RUNNING   --SIGINT---->  ENDING    the switch hangs up and exits; a closed terminal (SIGHUP) means the same
    DRAINING  --any------->  ENDING    also after `drain_s`
    ENDING    --any------->  KILLING   also after `END_S`
    CLOSING   --any------->  KILLING   also after `MEDIA_END_S`

CLOSING is entered from any of the first three when the switch has ended: then media and helpers are told to
end.  So the media workers bridge on until nobody needs them.
"""

from __future__ import annotations

import contextlib
import enum
import os
import selectors
import signal
import socket
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from gateway.supervisor.backoff import HEALTHY_S, QUICK_DEATHS
from gateway.supervisor.broker import PortBroker
from gateway.supervisor.channel import BrokerChannel, packet_pair
from gateway.supervisor.child import HOPELESS_STATUS, Child, Ended, Running, Waiting
from gateway.supervisor.helper import helpers_of, socket_variable
from gateway.supervisor.shared import Shared, raise_descriptor_limit
from gateway.supervisor.signals import SignalPipe
from gateway.supervisor.worker import MediaWorker, media_workers

__all__ = ["Plan", "Report", "Stage", "run"]

END_S = 6.0
"""What a switch gets to hang up (it takes 5 s at most) before everything is killed."""
MEDIA_END_S = 3.0
"""What a media process gets to end after the switch."""

Report = Callable[[str, Mapping[str, object]], None]
"""Where events go: a name `noun.verb_past` and its facts.  It must not raise."""


class Stage(enum.IntEnum):
    """How far the end has come."""

    RUNNING = 0
    DRAINING = 1
    ENDING = 2
    CLOSING = 3
    KILLING = 4


NEXT_STAGE: Mapping[tuple[Stage, signal.Signals], Stage] = {
    (Stage.RUNNING, signal.SIGTERM): Stage.DRAINING,
    (Stage.RUNNING, signal.SIGINT): Stage.ENDING,
    (Stage.RUNNING, signal.SIGHUP): Stage.ENDING,
    (Stage.DRAINING, signal.SIGTERM): Stage.ENDING,
    (Stage.DRAINING, signal.SIGINT): Stage.ENDING,
    (Stage.ENDING, signal.SIGTERM): Stage.KILLING,
    (Stage.ENDING, signal.SIGINT): Stage.KILLING,
    (Stage.CLOSING, signal.SIGTERM): Stage.KILLING,
    (Stage.CLOSING, signal.SIGINT): Stage.KILLING,
}
TIME_IS_UP: Mapping[Stage, Stage] = {
    Stage.DRAINING: Stage.ENDING,
    Stage.ENDING: Stage.KILLING,
    Stage.CLOSING: Stage.KILLING,
}


@dataclass(frozen=True, slots=True)
class Plan:
    """What to run."""

    media: tuple[str, ...]
    """Command of a media process."""
    switch: tuple[str, ...]
    """Command of the switch process."""
    address: str
    """Where RTP ports are bound."""
    pairs: range
    """The even ports that may be leased."""
    config: str = ""
    """Path of the configuration file; empty = none."""
    data: str = ""
    """The data directory."""
    workers: int = 1
    """How many media processes share the legs."""
    helpers: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Further programs by name, each with its command; calls can do without them (`gateway.supervisor.helper`)."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """Added to the children's environment."""
    drain_s: float = 300.0
    """How long a drain may take before the remaining calls are hung up."""
    ready_within_s: float = 30.0
    """A child that is not ready by then is killed, and that counts as a death."""


def run(plan: Plan, report: Report) -> int:
    """Keep the switch and the media workers alive until told to stop.  Main thread only.

    Returns the exit status: 0 = stopped as asked, 1 = a child could not be kept alive.
    """
    limit = raise_descriptor_limit()
    broker = PortBroker(plan.address, plan.pairs, descriptor_limit=limit, workers=plan.workers)
    with (
        Shared(plan.workers, plan.helpers) as shared,
        selectors.DefaultSelector() as selector,
        SignalPipe() as signals,
    ):
        watch = Watch(plan, report, shared, broker, selector)
        selector.register(signals, selectors.EVENT_READ, lambda: watch.signalled(signals.read()))
        try:
            return watch.until_the_end()
        finally:
            watch.close()


class Watch:
    """The state of a running supervisor.  `run` builds it and takes it apart."""

    def __init__(
        self, plan: Plan, report: Report, shared: Shared, broker: PortBroker, selector: selectors.BaseSelector
    ) -> None:
        self._plan = plan
        self._report = report
        self._shared = shared
        self._broker = broker
        self._selector = selector
        self._workers = media_workers(plan.media, shared.workers)
        self._switch = Child("switch", plan.switch)
        self._essential = (*(worker.child for worker in self._workers), self._switch)
        self._helpers = helpers_of(plan.helpers, shared.helpers)
        self._children = (*self._essential, *(helper.child for helper in self._helpers))
        self._ready_ends: set[int] = set()
        self._epoch = 1
        self._stage = Stage.RUNNING
        self._deadline: float | None = None
        """When the present stage, or the media processes after the switch, have had their time."""
        self._status = 0

    def until_the_end(self) -> int:
        """Start all children and serve until all have ended; return the exit status."""
        for child in self._children:
            if self._stage is Stage.RUNNING:
                self._start(child)
        while not self._over:
            for key, _ in self._selector.select(self._patience_s()):
                key.data()
            now = time.monotonic()
            for child in self._children:
                self._reap(child, now)
            self._keep_time(now)
        self._report("supervisor.ended", {"status": self._status})
        return self._status

    def close(self) -> None:
        """Leave nothing behind, whatever happened."""
        for child in self._children:
            child.end_now()
        for worker in self._workers:
            self._close_channel(worker)
        self._broker.close()
        for ready_end in self._ready_ends:
            os.close(ready_end)

    def signalled(self, numbers: Iterable[signal.Signals]) -> None:
        """Move towards the end as the table says; SIGCHLD only had to wake the loop."""
        for number in numbers:
            if stage := NEXT_STAGE.get((self._stage, number)):
                self._enter(stage, number.name)

    @property
    def _over(self) -> bool:
        return all(isinstance(child.state, Ended) for child in self._children)

    def _worker_of(self, child: Child) -> MediaWorker | None:
        return next((worker for worker in self._workers if worker.child is child), None)

    # Life: start, ready, death

    def _start(self, child: Child) -> None:
        """Start a process of `child`; a program that cannot be run at all ends everything."""
        ready_end, childs_ready_end = os.pipe()
        self._ready_ends.add(ready_end)
        with contextlib.ExitStack() as childs_own:
            childs_own.callback(os.close, childs_ready_end)
            descriptors = {"TANDEM_READY_FD": childs_ready_end, **self._common_descriptors()}
            environment = self._environment()
            if child is self._switch:
                descriptors |= {"TANDEM_CALLS_FD": self._shared.calls}
            for helper in self._helpers:
                descriptors |= helper.descriptors() if helper.child is child else {}
            if worker := self._worker_of(child):
                broker_end = childs_own.enter_context(self._open_channel(worker))
                descriptors |= {"TANDEM_BROKER_FD": broker_end.fileno(), **worker.descriptors()}
                environment |= worker.environment()
            try:
                running = child.start(environment, descriptors, time.monotonic())
            except OSError as error:
                self._give_up(child, f"cannot run {child.argv[0]}: {error.strerror}")
                return
        self._selector.register(
            ready_end, selectors.EVENT_READ, lambda: self._hear_ready(child, running, ready_end)
        )
        self._report("child.started", {"child": child.name, "pid": running.process.pid, "epoch": self._epoch})

    def _common_descriptors(self) -> dict[str, int]:
        return {"TANDEM_LIFELINE_FD": self._shared.lifeline, "TANDEM_RINGS_FD": self._shared.rings}

    def _environment(self) -> dict[str, str]:
        listening = {
            socket_variable(name): str(each.socket_path) for name, each in self._shared.helpers.items()
        }
        return {
            **os.environ,
            **self._plan.environment,
            **listening,
            "TANDEM_CONFIG": self._plan.config,
            "TANDEM_DATA": self._plan.data,
            "TANDEM_EPOCH": str(self._epoch),
            "TANDEM_MEDIA_SOCKETS": os.pathsep.join(map(str, self._shared.socket_paths)),
        }

    def _hear_ready(self, child: Child, running: Running, ready_end: int) -> None:
        """Read the byte that says "ready"; no byte means that the process ended without it."""
        spoken = os.read(ready_end, 1)
        self._selector.unregister(ready_end)
        self._ready_ends.discard(ready_end)
        os.close(ready_end)
        if not spoken:
            return
        running.ready_at = time.monotonic()
        took_s = round(running.ready_at - running.started_at, 3)
        self._report("child.ready", {"child": child.name, "took_s": took_s})
        if child is self._switch and self._stage is Stage.DRAINING:
            child.signal(signal.SIGTERM)  # a switch that crashed while it drained drains on
        if child in self._essential and all(one.is_ready for one in self._essential):
            self._report("supervisor.ready", {})

    def _reap(self, child: Child, now: float) -> None:
        """See to a process that has ended: another one, or the end."""
        death = child.reap(now)
        if death is None:
            return
        status, healthy_s = death
        if worker := self._worker_of(child):
            self._close_channel(worker)
        meant = self._is_meant_to_end(child, status)
        facts = {"child": child.name, "cause": _cause(status), "ready_s": round(healthy_s, 3)}
        self._report("child.ended" if meant else "child.died", facts)
        if meant:
            return
        if status == HOPELESS_STATUS:
            self._give_up(child, "it says that another start cannot help")
            return
        delay_s = child.backoff.died(healthy_s)
        if delay_s is None:
            self._give_up(child, f"it died {QUICK_DEATHS + 1} times without {HEALTHY_S:.0f} s of health")
            return
        child.state = Waiting(now + delay_s)

    def _is_meant_to_end(self, child: Child, status: int) -> bool:
        drained = self._stage is Stage.DRAINING and child is self._switch and status == 0
        return drained or self._stage >= Stage.ENDING

    def _give_up(self, child: Child, reason: str) -> None:
        child.state = Ended()
        if child not in self._essential:
            self._report("child.given_up", {"child": child.name, "reason": reason})
            return
        self._status = 1
        self._report("supervisor.gave_up", {"child": child.name, "reason": reason})
        if self._stage < Stage.ENDING:
            self._enter(Stage.ENDING, f"no {child.name}")

    # The end

    def _enter(self, stage: Stage, cause: str) -> None:
        """Enter a later stage of the end."""
        before, self._stage = self._stage, stage
        self._report("supervisor.stage_entered", {"stage": stage.name.lower(), "cause": cause})
        now = time.monotonic()
        match stage:
            case Stage.DRAINING:
                self._switch.signal(signal.SIGTERM)
                self._deadline = now + self._plan.drain_s
            case Stage.ENDING:
                # To a draining switch the second SIGTERM means "now"; to others SIGINT does.
                self._switch.signal(signal.SIGTERM if before is Stage.DRAINING else signal.SIGINT)
                self._deadline = now + END_S
            case Stage.CLOSING:
                for child in self._children:
                    child.signal(signal.SIGTERM)
                self._deadline = now + MEDIA_END_S
            case _:
                for child in self._children:
                    child.signal(signal.SIGKILL)
                self._deadline = None

    # Time

    def _keep_time(self, now: float) -> None:
        """Do what is due."""
        for child in self._children:
            self._keep_time_of(child, now)
        for channel in self._channels():
            if _is_due(channel.next_deadline(), now):
                self._flush(channel)
        if isinstance(self._switch.state, Ended) and self._stage < Stage.CLOSING:
            self._enter(Stage.CLOSING, "the switch has ended")
        elif _is_due(self._deadline, now):
            self._enter(TIME_IS_UP[self._stage], "time is up")

    def _keep_time_of(self, child: Child, now: float) -> None:
        match child.state:
            case Waiting() if self._stage >= Stage.ENDING:
                child.state = Ended()
            case Waiting(until) if until <= now:
                self._epoch += child is self._switch
                self._start(child)
            case Running(ready_at=None, started_at=started) if started + self._plan.ready_within_s <= now:
                self._report("child.never_ready", {"child": child.name, "waited_s": round(now - started, 3)})
                child.signal(signal.SIGKILL)

    def _patience_s(self) -> float | None:
        """Return how long the selector may sleep; None = until something happens."""
        deadline = min(self._deadlines(), default=None)
        return None if deadline is None else max(0.0, deadline - time.monotonic())

    def _deadlines(self) -> Iterator[float]:
        if self._deadline is not None:
            yield self._deadline
        for channel in self._channels():
            if (retry_at := channel.next_deadline()) is not None:
                yield retry_at
        for child in self._children:
            match child.state:
                case Waiting(until):
                    yield until
                case Running(ready_at=None, started_at=started_at):
                    yield started_at + self._plan.ready_within_s

    # The broker's channels

    def _channels(self) -> Iterator[BrokerChannel]:
        return (worker.channel for worker in self._workers if worker.channel is not None)

    def _open_channel(self, worker: MediaWorker) -> socket.socket:
        """Make the channel of a new media process; return the child's end of it."""
        ours, theirs = packet_pair()
        worker.channel = BrokerChannel(self._broker, ours, worker.number)
        self._flush(worker.channel)
        return theirs

    def _close_channel(self, worker: MediaWorker) -> None:
        if channel := worker.channel:
            self._forget(channel)
            channel.close(time.monotonic())
            worker.channel = None
            self._forward_departed(channel)

    def _serve_channel(self, channel: BrokerChannel) -> None:
        alive = channel.serve(time.monotonic())
        while channel.complaints:
            self._report("lease.refused", {"reason": channel.complaints.popleft()})
        if alive:
            self._watch_channel(channel)
        else:
            self._forget(channel)  # its process has died and will be reaped
        self._forward_departed(channel)

    def _forward_departed(self, channel: BrokerChannel) -> None:
        """Hand the legs that a worker gave away to where they go; a worker that is away finds them later."""
        while channel.departed:
            lease = channel.departed.popleft()
            if there := self._workers[lease.worker].channel:
                there.hand_over(lease)
                self._flush(there)

    def _flush(self, channel: BrokerChannel) -> None:
        channel.flush(time.monotonic())
        self._watch_channel(channel)

    def _watch_channel(self, channel: BrokerChannel) -> None:
        """Tell the selector what the channel waits for now."""
        events = channel.reading * selectors.EVENT_READ | channel.writing * selectors.EVENT_WRITE
        self._forget(channel)
        if events:
            self._selector.register(channel, events, lambda: self._serve_channel(channel))

    def _forget(self, channel: BrokerChannel) -> None:
        if channel.fileno() in self._selector.get_map():
            self._selector.unregister(channel)


def _is_due(deadline: float | None, now: float) -> bool:
    return deadline is not None and deadline <= now


def _cause(status: int) -> str:
    """Say in words how a process ended."""
    if status >= 0:
        return f"exit status {status}"
    try:
        return signal.Signals(-status).name
    except ValueError:  # a real-time signal has no name
        return f"signal {-status}"
