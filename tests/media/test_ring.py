"""Rings of PCM between processes: against a model, at their edges, and over memory that outlives who uses it."""

import mmap
from collections import deque

import numpy as np
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from gateway.media.ring import RING_SAMPLES, RINGS_BYTES, UNIT, Rings

COUNT = 3
rings_ = st.integers(0, COUNT - 1)


def ramp(start, n):
    return (np.arange(start, start + n) % 30_000 + 1).astype(np.int16)


class RingsBesideAModel(RuleBasedStateMachine):
    """A ring is a queue of bounded length that is opened anew, and never waits."""

    def __init__(self):
        super().__init__()
        self.rings = Rings.private(COUNT)
        self.queues = [deque() for _ in range(COUNT)]
        self.over = [False] * COUNT
        self.dropped = [0] * COUNT
        self.starved = [0] * COUNT
        self.opened = [0] * COUNT
        self.said = 0

    def next_samples(self, n):
        self.said += n
        return ramp(self.said, n)

    @rule(ring=rings_)
    def open(self, ring):
        self.opened[ring] += 1
        self.queues[ring].clear()
        self.over[ring], self.dropped[ring], self.starved[ring] = False, 0, 0

        assert self.rings.open(ring) == self.opened[ring]

    @rule(ring=rings_, n=st.integers(0, 2 * RING_SAMPLES), drop=st.booleans())
    def write(self, ring, n, drop):
        pcm, room = self.next_samples(n), RING_SAMPLES - len(self.queues[ring])
        self.queues[ring].extend(pcm[:room].tolist())
        self.dropped[ring] += max(n - room, 0) * drop

        assert self.rings.write(ring, pcm, drop=drop) == min(n, room)

    @rule(chosen=st.sets(rings_))
    def write_units(self, chosen):
        pcm = self.next_samples(UNIT * len(chosen)).reshape(-1, UNIT)
        for ring, unit in zip(chosen, pcm, strict=True):
            if RING_SAMPLES - len(self.queues[ring]) >= UNIT:
                self.queues[ring].extend(unit.tolist())
            else:
                self.dropped[ring] += UNIT
        self.rings.write_units(np.array(list(chosen), np.int64), pcm)

    @rule(ring=rings_)
    def end(self, ring):
        self.over[ring] = True
        self.rings.end(ring)

    @rule(ring=rings_, most=st.integers(0, RING_SAMPLES))
    def read(self, ring, most):
        queue = self.queues[ring]
        wanted = [queue.popleft() for _ in range(min(most, len(queue)))]

        assert self.rings.read(ring, most).tolist() == wanted

    @rule(chosen=st.sets(rings_))
    def read_units(self, chosen):
        wanted = []
        for ring in chosen:
            queue = self.queues[ring]
            n = min(len(queue), UNIT) if self.over[ring] or len(queue) >= UNIT else 0
            self.starved[ring] += n == 0 and not self.over[ring]
            wanted.append([queue.popleft() for _ in range(n)] + [0] * (UNIT - n))

        assert self.rings.read_units(np.array(list(chosen), np.int64)).tolist() == wanted

    @invariant()
    def both_know_the_same(self):
        rings = range(COUNT)
        assert [self.rings.available(ring) for ring in rings] == [len(queue) for queue in self.queues]
        assert [self.rings.room(ring) for ring in rings] == [RING_SAMPLES - len(each) for each in self.queues]
        over = [ended and not queue for ended, queue in zip(self.over, self.queues, strict=True)]
        assert [self.rings.ended(ring) for ring in rings] == over
        assert self.rings.drained(np.arange(COUNT)).tolist() == over
        assert [self.rings.dropped(ring) for ring in rings] == self.dropped
        assert [self.rings.starved(ring) for ring in rings] == self.starved
        assert self.rings.generations(np.arange(COUNT)).tolist() == self.opened


RingsBesideAModel.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
test_rings_are_queues = RingsBesideAModel.TestCase


def test_a_second_process_reads_on_where_the_first_has_stopped():
    memory = mmap.mmap(-1, RINGS_BYTES)
    rings = Rings(memory)
    rings.open(7)
    rings.write(7, ramp(0, 1000))
    first = Rings(memory).read(7, 300)

    rest = Rings(memory).read(7, 5000)

    assert np.concatenate([first, rest]).tolist() == ramp(0, 1000).tolist()
    assert rings.position(7) == 1000


def test_a_ring_beyond_the_table_is_an_error():
    with pytest.raises(IndexError):
        Rings.private(2).open(2)
