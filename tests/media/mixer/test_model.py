"""The native mixer gives what the plain-Python model gives, to the bit, through any course of events."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.testing.mix_bench import MixBench
from gateway.testing.mix_model import HEARD_BY_NOBODY, HEARD_BY_ROOM, Member, Room, mix

_SAMPLES = 16
_WISHES = ("muted", "deaf", "aside", "gain_in", "gain_out", "heard_by", "switched", "person")
_STATE = (
    "open",
    "chosen",
    "active",
    "weight",
    "out_weight",
    "last_heard",
    "power",
    "smooth",
    "slow",
    "floor",
    "speech",
    "auto_gain",
    "leading",
    "silent",
)


class Twins:
    """One room, mixed by both."""

    def __init__(self, n: int, seed: int, **room: int) -> None:
        self.chance = np.random.default_rng(seed)
        self.bench = MixBench([n], seed=seed)
        for name, value in room.items():
            self.bench.rooms[name] = value
        self.room = Room(**room)
        self.members = [Member(i, 1000 + i) for i in range(n)]
        self.hushed = False
        self._level = np.zeros(n)

    def wish(self, i: int, **wishes: int) -> None:
        for name, value in wishes.items():
            setattr(self.members[i], name, value)
            self.bench.rows[name][i] = value
        coached = {member.heard_by for member in self.members}
        self.bench.rows["whispered"] = [member.name in coached for member in self.members]

    def tick(self) -> None:
        """Mix noise whose level changes now and then, and compare all that both know."""
        n = len(self.members)
        changes = self.chance.random(n) < 0.1
        self._level[changes] = 10 ** self.chance.uniform(0, 4.6, changes.sum())
        if self.hushed:
            self._level[:] = 0
        said, aside = (
            np.clip(self.chance.uniform(-1, 1, (n, _SAMPLES)) * level, -32768, 32767).astype(np.int16)
            for level in (self._level[:, None], 1000)
        )
        heard = self.bench.tick(said, aside)
        expected = mix(self.room, self.members, said.tolist(), aside.tolist())
        assert heard.tolist() == expected
        for name in _STATE:
            assert self.bench.rows[name].tolist() == [getattr(member, name) for member in self.members], name


def _any_wish(twins: Twins) -> dict[str, int]:
    chance, n = twins.chance, len(twins.members)
    name = chance.choice(_WISHES)
    if name.startswith("gain"):
        return {name: int(chance.choice([4096, 0, 1, 2000, 20000, 65535]))}
    if name == "heard_by":
        return {name: int(chance.choice([HEARD_BY_ROOM, HEARD_BY_ROOM, HEARD_BY_NOBODY, *range(n)]))}
    return {name: int(chance.integers(0, 2))}


@given(
    n=st.integers(1, 8),
    seed=st.integers(0, 2**32 - 1),
    gate_from=st.integers(0, 4),
    loudest_from=st.integers(0, 4),
    loudest=st.integers(0, 4),
    auto_gain=st.integers(0, 1),
)
@settings(max_examples=150, deadline=None)
def test_any_course_of_events_is_mixed_as_the_model_mixes_it(
    n, seed, gate_from, loudest_from, loudest, auto_gain
):
    twins = Twins(
        n,
        seed,
        gate_from=gate_from,
        loudest_from=loudest_from,
        loudest=loudest,
        margin_q8=512,
        auto_gain=auto_gain,
    )

    for _ in range(30):
        if twins.chance.random() < 0.5:
            twins.wish(int(twins.chance.integers(n)), **_any_wish(twins))
        twins.tick()


def test_ten_seconds_of_a_conference_are_mixed_as_the_model_mixes_them():
    """Long enough for floors, hangovers, takeovers and automatic gain."""
    twins = Twins(6, 1, gate_from=3, loudest_from=3, loudest=2, margin_q8=512, auto_gain=1)

    for tick in range(1000):
        twins.hushed = 400 < tick < 650
        twins.tick()


def test_samples_of_both_extremes_are_mixed_as_the_model_mixes_them():
    twins = Twins(3, 1)
    twins.wish(0, gain_in=65535)
    twins.wish(1, gain_out=65535)
    ends = [[-32768, 32767] * 8, [32767, -32768] * 8, [-32768] * 16]

    for _ in range(2):
        heard = twins.bench.tick(np.array(ends, np.int16), np.zeros((3, 16), np.int16))
        assert heard.tolist() == mix(twins.room, twins.members, ends, [[0] * 16] * 3)
