"""How a worker fares: counted, told, and a reason to take no more legs before those it has are harmed."""

import gc
import json
import select
import socket
from types import SimpleNamespace

import msgpack
import pytest

from gateway.ids import SeededIds
from gateway.media.plane import TICK_S, Plane
from gateway.transport.media_health import BOUNDS_S, FULL, LATE_S, Admission, Health, Histogram, quantile
from gateway.transport.media_links import BrokerLink
from gateway.transport.media_process import Garbage, MediaProcess


def test_a_histogram_counts_by_bucket_and_keeps_the_sum():
    histogram = Histogram()
    for seconds in (BOUNDS_S[0], BOUNDS_S[0] + 1e-9, 1.0):
        histogram.observe(seconds)

    told = histogram.as_map()

    assert (told["counts"][0], told["counts"][1], told["counts"][-1]) == (1, 1, 1)
    assert told["sum_s"] == pytest.approx(1.0001)


def test_a_quantile_is_the_bound_below_which_that_share_lies():
    counts = [0] * (len(BOUNDS_S) + 1)
    counts[3], counts[7] = 999, 1

    assert quantile(counts, 0.999) == BOUNDS_S[3]
    assert quantile(counts, 0.9999) == BOUNDS_S[7]
    assert quantile([0] * len(counts), 0.5) == 0.0
    assert quantile([*[0] * len(BOUNDS_S), 1], 0.5) == float("inf")


def test_a_worker_that_is_late_refuses_until_it_is_clearly_in_time():
    admission = Admission()
    refusals = []
    for late_s in (LATE_S - 0.001, LATE_S, LATE_S - 0.001, 0.001):
        admission.judge(late_s=late_s, busy=0.5)
        refusals.append(admission.refusal is not None)

    assert refusals == [False, True, True, False]


def test_a_worker_that_is_hardly_ever_idle_refuses_until_it_clearly_is():
    admission = Admission()
    refusals = []
    for busy in (FULL - 0.01, FULL, FULL - 0.05, 0.5):
        admission.judge(late_s=0.0, busy=busy)
        refusals.append(admission.refusal)

    assert refusals == [None, "the media process is busy 90 % of the time", refusals[1], None]


def test_the_share_of_busy_time_is_that_of_the_last_window():
    health = Health(now=100.0)

    health.tick_ended(0.001, 100.5, idle_s=0.4)
    assert health.busy == pytest.approx(0.2)
    health.tick_ended(0.001, 101.0, idle_s=0.4)
    assert health.busy == 1.0


class SlowedIo:
    """Time that goes on when it is waited for; a wait costs nothing else."""

    def __init__(self, seconds):
        self.now, self._end, self._idle_s, self._watched, self.process = 50.0, 50.0 + seconds, 0.0, [], None

    def attach(self, row): ...
    def detach(self, row): ...
    def send(self, sends, *, rtcp): ...

    def watch(self, fd):
        self._watched.append(fd)

    def unwatch(self, fd):
        self._watched.remove(fd)

    def wait(self, deadline):
        ready = select.select(self._watched, [], [], 0)[0]
        if not ready and deadline > self.now:
            self._idle_s += deadline - self.now
            self.now = deadline
        self.process.stopping |= self.now > self._end
        return ready

    def edges(self):
        return []

    def counters(self):
        return {}

    def idle_s(self):
        return self._idle_s


class SlowPlane(Plane):
    """A plane whose ticks take as long as a test says."""

    def tick(self, now, wall):
        yield from super().tick(now, wall)
        self.io.now += self.takes_s


class House:
    """A media process on a slowed clock, its broker and its switch."""

    def __init__(self, *, seconds, takes_s):
        self.io = SlowedIo(seconds)
        plane = SlowPlane(4, SeededIds(1))
        plane.io, plane.takes_s = self.io, takes_s
        self.broker, broker_end = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        control, self.switch = socket.socket(socket.AF_UNIX), socket.socket(socket.AF_UNIX)
        control.bind(b"")  # the kernel finds a name (unix(7))
        control.listen()
        self.switch.connect(control.getsockname())
        self._own = [self.broker, self.switch, control]
        self.link = BrokerLink(broker_end.detach())
        self.process = self.io.process = MediaProcess(
            plane=plane, io=self.io, broker=self.link, control=control, epoch=1, clock=lambda: self.io.now
        )

    def say(self, **message):
        body = msgpack.packb(message)
        self.switch.sendall(len(body).to_bytes(4) + body)

    def heard(self):
        """Return everything that the switch was told."""
        self.switch.setblocking(False)
        data, messages = bytearray(), []
        while select.select([self.switch], [], [], 0)[0]:
            data += self.switch.recv(1 << 20)
        while data:
            n = 4 + int.from_bytes(data[:4])
            messages.append(msgpack.unpackb(bytes(data[4:n]), strict_map_key=False))
            del data[:n]
        return messages

    def wishes(self):
        """Return everything that the broker was asked for."""
        found = []
        while select.select([self.broker], [], [], 0)[0]:
            found.append(json.loads(self.broker.recv(4096)))
        return found

    def close(self):
        self.process.close()
        for each in self._own:
            each.close()


@pytest.fixture
def house():
    built = []

    def build(**options):
        built.append(House(**options))
        return built[-1]

    yield build
    for each in built:
        each.close()


def test_a_worker_whose_ticks_take_too_long_refuses_new_legs_and_says_why(house):
    slow = house(seconds=2, takes_s=0.95 * TICK_S)
    slow.say(hello=1, epoch=1)
    slow.process.run()
    slow.process.stopping = False
    slow.say(open="a")
    slow.process.run()

    refused = [message for message in slow.heard() if "refused" in message]

    assert refused == [{"refused": "a", "reason": "the media process is busy 95 % of the time"}]
    assert slow.wishes() == []


def test_a_worker_that_has_time_asks_for_a_port(house):
    idle = house(seconds=1, takes_s=0.1 * TICK_S)
    idle.say(hello=1, epoch=1)
    idle.say(open="a")

    idle.process.run()

    assert idle.wishes() == [{"lease": "a"}]


def test_a_leg_that_has_its_port_already_is_never_refused(house):
    slow = house(seconds=2, takes_s=0.95 * TICK_S)
    slow.say(hello=1, epoch=1)
    slow.process.run()
    slow.process.stopping = False
    slow.say(reopen="a")

    slow.process.run()

    assert slow.wishes() == [{"lease": "a"}]


def test_the_switch_is_told_each_second_how_a_worker_fares(house):
    busy = house(seconds=3.05, takes_s=0.5 * TICK_S)
    busy.say(hello=1, epoch=1)

    busy.process.run()

    told = [message["figures"] for message in busy.heard() if "figures" in message]
    assert len(told) == 3
    assert told[-1]["busy"] == pytest.approx(0.5, abs=0.01)
    assert sum(told[-1]["histograms"]["lateness"]["counts"]) == 300
    assert sum(told[-1]["histograms"]["tick"]["counts"]) == 299


def test_ticks_that_take_longer_than_a_tick_are_late_and_lost_time_is_not_run_after(house):
    drowning = house(seconds=30, takes_s=2 * TICK_S)
    drowning.process.run()

    assert drowning.process.health.skipped > 0
    assert drowning.process.health.lateness.counts[-1] > 0


def test_garbage_is_collected_only_when_it_is_time_and_there_is_time(monkeypatch):
    collected, clock = [], SimpleNamespace(now=0.0)
    monkeypatch.setattr(gc, "collect", lambda generation=2: collected.append(generation))
    garbage = Garbage(lambda: clock.now)

    for now, spare_s in ((9.0, 0.009), (10.0, 0.004), (10.1, 0.006), (10.2, 0.009)):
        clock.now = now
        garbage.collect(spare_s=spare_s)

    assert collected == [1]


def test_all_generations_are_gone_through_only_if_that_fits_into_the_tick(monkeypatch):
    collected, clock = [], SimpleNamespace(now=0.0)

    def collect(generation=2):
        collected.append(generation)
        clock.now += {1: 0.0, 2: 0.005}[generation]

    monkeypatch.setattr(gc, "collect", collect)
    garbage = Garbage(lambda: clock.now)
    for _ in range(90):
        clock.now += 10.1
        garbage.collect(spare_s=0.009)  # where the first time shows that 5 ms do not fit twice

    assert collected.count(2) == 1


def test_nothing_is_collected_behind_our_back(monkeypatch):
    done = []
    for name in ("collect", "freeze", "disable"):
        monkeypatch.setattr(gc, name, lambda name=name: done.append(name))

    Garbage(lambda: 0.0).switch_off()

    assert done == ["collect", "freeze", "disable"]
