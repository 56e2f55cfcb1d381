"""Who speaks: told when it changes, not at every cough, and five times a second at most."""

import itertools

import numpy as np

from gateway.ids import LegId, RoomId, SeededIds
from gateway.media.commands import RoomState
from gateway.media.events import ActiveSpeaker, RoomLevels, event_as_map, event_from_map
from gateway.media.plane import Plane
from gateway.testing.mix_bench import MixBench
from gateway.testing.mix_signals import noise, talk
from gateway.testing.plane_bench import PlaneBench


def active(bench, said):
    """Return who is the active speaker after each tick; -1 is nobody."""
    found = []
    for start in range(0, said.shape[1], 80):
        bench.tick(np.ascontiguousarray(said[:, start : start + 80]))
        rows = np.flatnonzero(bench.rows["active"])
        assert rows.size <= 1
        found.append(int(rows[0]) if rows.size else -1)
    return found


def changes(speakers):
    return [speaker for speaker, _ in itertools.groupby(speakers)]


def test_whoever_talks_is_the_active_speaker_until_the_next():
    said = noise(4, seconds=9, dbov=-60)
    said[1][8000:32000] += talk(seconds=3)
    said[2][32000:56000] += talk(seconds=3, start=9000)

    speakers = active(MixBench([4]), said)

    assert changes(speakers) == [-1, 1, 2]
    assert speakers[100 + 50] == 1
    assert speakers[400 + 80] == 2


def test_a_cough_does_not_make_a_speaker():
    said = noise(3, seconds=6, dbov=-60)
    said[0] += talk(seconds=6)
    said[1][24000:25600] += noise(1, seconds=0.2, dbov=-15)[0]

    assert changes(active(MixBench([3]), said)) == [-1, 0]


def test_after_two_seconds_of_silence_nobody_is():
    said = noise(3, seconds=8, dbov=-60)
    said[0][8000:24000] += talk(seconds=2)

    speakers = active(MixBench([3]), said)

    assert changes(speakers) == [-1, 0, -1]
    assert 2.0 <= (len(speakers) - speakers[::-1].index(0)) / 100 - 3.0 <= 2.6


def test_two_equal_talkers_do_not_take_turns():
    voice = talk(seconds=8)
    said = np.stack([voice, np.roll(voice, 12000), 0 * voice])

    assert len(changes(active(MixBench([3]), said))) <= 4


def test_a_muted_one_is_no_speaker():
    bench = MixBench([2])
    bench.rows["muted"][0] = 1
    said = noise(2, seconds=3, dbov=-60)
    said[0] += talk(seconds=3)

    assert changes(active(bench, said)) == [-1]


def a_conference(**asked):
    bench = PlaneBench()
    legs = [bench.leg(name) for name in "abc"]
    bench.join("room", *legs)
    bench.plane.apply_room(RoomState(RoomId("room"), 1, **asked))
    legs[0].say(talk(seconds=2))
    legs[1].say(talk(seconds=2), start_s=2.5)
    return bench


def test_a_room_that_was_asked_tells_who_speaks():
    bench = a_conference(tell_speaker=True)

    bench.run(9)

    told = [event for event in bench.events if isinstance(event, ActiveSpeaker)]
    assert told == [ActiveSpeaker(RoomId("room"), LegId(leg) if leg else None) for leg in ("a", "b", None)]


def test_a_room_that_was_not_asked_tells_nothing():
    bench = a_conference()

    bench.run(5)

    assert not [event for event in bench.events if isinstance(event, ActiveSpeaker | RoomLevels)]


def test_levels_are_told_five_times_a_second():
    bench = a_conference(tell_levels=True)

    bench.run(2)

    told = [event for event in bench.events if isinstance(event, RoomLevels)]
    assert len(told) == 10
    assert max(event.levels["a"] for event in told) > -30
    assert {event.levels["c"] for event in told} == {-127}


def test_a_plane_that_takes_over_does_not_tell_again():
    bench = a_conference(tell_speaker=True)
    bench.run(1.5)
    assert ActiveSpeaker(RoomId("room"), LegId("a")) in bench.events

    snapshot = bench.plane.snapshot(bench.plane.legs)
    bench.plane = Plane(capacity=9, ids=SeededIds(5))
    bench.plane.restore(snapshot, bench.now)
    bench.events.clear()
    bench.run(0.9)
    assert not [event for event in bench.events if isinstance(event, ActiveSpeaker)]
    bench.run(2)
    assert ActiveSpeaker(RoomId("room"), LegId("b")) in bench.events


def test_room_events_travel():
    room, leg = RoomId("r"), LegId("a")
    for event in (ActiveSpeaker(room, leg), ActiveSpeaker(room, None), RoomLevels(room, {leg: -30})):
        assert event_from_map(event_as_map(event)) == event
