"""What the recorder keeps, what it lets go, and what a replay makes of the rest."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from gateway import _native
from gateway.errors import LocalError
from gateway.ids import LegId, RoomId, SeededIds
from gateway.media.commands import RoomState
from gateway.media.crypto import CryptoPolicy, SrtpEnds, why_not
from gateway.media.flight import Kind, RecordedPlane, flight_memory
from gateway.media.flight_log import Record, legs_in, read_ring, select
from gateway.media.plane import Plane
from gateway.media.reenact import Reenactment
from gateway.testing.audio import speech
from gateway.testing.flight_scenarios import play
from gateway.testing.flights import Seen, recorded_bench, reenact, ring_of
from gateway.testing.plane_bench import BenchLeg, Packet, PlaneBench

_SMALL = 1 << 19


def a_call(bench: PlaneBench, seconds: float, *names: str, room: str = "room") -> list[BenchLeg]:
    """Let people talk in a room; nobody is relayed."""
    legs = [bench.leg(name, force_tick=True) for name in names]
    bench.join(room, *legs)
    for leg in legs:
        leg.say(np.tile(speech(), 10)[: round(seconds * 8000)])
    return legs


def heard_again(seen: Seen, leg: BenchLeg) -> int:
    """Return how many packets of a replay are the last that a leg was sent; all of them must be."""
    again = seen.heard[leg.state.leg]
    assert again == [packet.to_bytes() for packet in leg.received[-len(again) :]]
    return len(again)


def test_a_recorded_plane_does_what_a_plane_does() -> None:
    recorded, plain = recorded_bench(), type(recorded_bench())()
    for bench in (recorded, plain):
        play(bench, range(3))

    assert [leg.received for leg in recorded.legs.values()] == [leg.received for leg in plain.legs.values()]
    assert recorded.events == plain.events


def test_the_ring_never_outgrows_its_budget_and_the_rest_is_had_again() -> None:
    bench = recorded_bench(ring_bytes=_SMALL)
    a, b = a_call(bench, 40, "a", "b")
    bench.run(40)

    assert sum(len(record.data) for record in ring_of(bench)) <= _SMALL
    again, seen, _ = reenact(bench, "a")
    assert again.differences == []
    assert again.ticks > 800
    assert heard_again(seen, a) > 400
    assert heard_again(seen, b) > 400


def test_a_call_that_has_lasted_begins_with_its_keyframe() -> None:
    bench = recorded_bench()
    a_call(bench, 25, "a", "b")
    bench.run(25)

    kinds = [record.kind for record in ring_of(bench)]
    assert kinds.count(Kind.KEYFRAME) == 4  # each before it came into the room, and both after 10 and 20 s


def test_a_leg_is_had_without_those_it_never_met() -> None:
    bench = recorded_bench()
    a_call(bench, 2, "a", "b", room="one")
    a_call(bench, 2, "c", "d", room="two")
    bench.run(2)

    assert select(ring_of(bench), LegId("a")).legs == ("a", "b")
    assert legs_in(ring_of(bench)) == ("a", "b", "c", "d")


def test_whoever_goes_from_room_to_room_takes_both_along() -> None:
    bench = recorded_bench()
    a, b = a_call(bench, 4, "a", "b", room="one")
    c, d = a_call(bench, 4, "c", "d", room="two")
    bench.run(1)
    bench.change(b, room=RoomId("two"))
    bench.run(3)

    again, seen, flight = reenact(bench, "a")
    assert flight.legs == ("a", "b", "c", "d")
    assert again.differences == []
    assert all(heard_again(seen, leg) == len(leg.received) for leg in (a, b, c, d))


def test_who_enters_a_room_that_the_ring_has_lost_waits_until_it_is_kept() -> None:
    bench = recorded_bench()
    a_call(bench, 30, "a", "b")
    bench.run(8)
    n_lost = len(ring_of(bench))
    late = bench.leg("late", force_tick=True)
    bench.join("room", late)
    late.say(np.tile(speech(), 3))
    bench.run(3)

    flight = select(ring_of(bench)[n_lost:], LegId("late"))
    again = Reenactment(64, seen := Seen())
    for record in flight.records:
        again.take(record)
    again.end()
    assert Kind.FORGET in {record.kind for record in flight.records}
    assert again.differences == []
    assert set(flight.legs) == {"a", "b", "late"}
    assert 0 < heard_again(seen, late) < len(late.received)


def test_rows_that_are_used_again_are_told_apart() -> None:
    bench = recorded_bench(capacity=2)
    a, b = a_call(bench, 1, "a", "b")
    bench.run(1)
    for leg in (a, b):
        bench.plane.close(leg.state.leg, bench.now)
        del bench.legs[leg.state.leg]
    bench.run(0.1)
    c, _ = a_call(bench, 12, "c", "d")
    bench.run(12)

    again, seen, flight = reenact(bench, "d")
    assert flight.legs == ("c", "d")
    assert again.differences == []
    assert heard_again(seen, c) == len(c.received)
    assert len(reenact(bench, "a")[1].heard[LegId("a")]) == len(a.received)


def test_a_leg_that_came_from_another_plane_is_had_from_there_on() -> None:
    home = PlaneBench(seed=7)
    a, b = a_call(home, 4, "a", "b")
    home.run(2)
    bench = recorded_bench(seed=8)
    bench.plane.restore(home.plane.snapshot(home.plane.legs), home.now)
    home.plane = bench.plane
    home.run(2)

    again, seen, _ = reenact(home, "a")
    assert again.differences == []
    assert heard_again(seen, a) >= 99
    assert heard_again(seen, b) >= 99


def test_rows_that_a_dead_plane_left_are_had_from_there_on() -> None:
    memory = memoryview(bytearray(64 * 1024))
    bench = recorded_bench(capacity=8)
    bench.plane = Plane(8, SeededIds(1), memory)
    a, _ = a_call(bench, 4, "a", "b")
    bench.run(2)
    states = [leg.state for leg in bench.legs.values()]
    bench.crash(RecordedPlane(8, SeededIds(2), memory, flight=flight_memory(8, 1 << 22)), down_s=0.5)
    for state in states:
        bench.plane.adopt(state.leg, rtp_fd=1, rtcp_fd=2, now=bench.now)
    bench.plane.disown_rest()
    for state in states:
        bench.plane.apply(state, bench.now)
    bench.run(1.5)

    again, seen, _ = reenact(bench, "a")
    assert again.differences == []
    assert heard_again(seen, a) > 60


def test_how_a_room_is_mixed_is_known_to_who_comes_later() -> None:
    bench = recorded_bench(ring_bytes=_SMALL)
    bench.plane.apply_room(RoomState(RoomId("room"), 1, tell_levels=True, auto_gain=True))
    a_call(bench, 12, "x", "y", room="elsewhere")
    bench.run(12)
    a, _ = a_call(bench, 2, "a", "b")
    bench.run(2)

    again, seen, _ = reenact(bench, "a")
    assert again.differences == []
    assert heard_again(seen, a) == len(a.received)
    assert {event["event"] for event in seen.events} >= {"RoomLevels"}


@pytest.mark.skipif(why_not() is not None, reason="no libcrypto here")
def test_an_encrypted_leg_is_had_again_plain_and_without_its_keys() -> None:
    bench = recorded_bench()
    keys = CryptoPolicy("AES_CM_128_HMAC_SHA1_80", ours=b"o" * 30, theirs=b"t" * 30)
    phone = SrtpEnds(replace(keys, ours=keys.theirs, theirs=keys.ours))
    a, b = bench.leg("a", crypto=keys), bench.leg("b")
    bench.join("room", a, b)
    said = [Packet(0.0, 0, n, 160 * n, 77, bytes([n + 1]) * 160).to_bytes() for n in range(50)]
    for n, packet in enumerate(said):
        a.send(phone.protect(packet) if n % 10 else b"\x80" + bytes(180), delay_s=0.02 * n)
    b.say(speech()[:8000])
    bench.run(1.5)

    again, seen, flight = reenact(bench, "a")
    assert again.differences == []
    assert seen.said[LegId("a")] == [packet for n, packet in enumerate(said) if n % 10]
    assert again.statistics[LegId("a")] == bench.plane.statistics(LegId("a"))
    assert not any(key in record.data for record in flight.records for key in (keys.ours, keys.theirs))


def tampered(records: Sequence[Record]) -> list[Record]:
    """Change one byte of speech in the middle of a record."""
    arrivals = [i for i, record in enumerate(records) if record.kind == Kind.ARRIVAL]
    at = arrivals[len(arrivals) // 2]
    data = bytearray(records[at].data)
    data[-20] ^= 0x40
    return [*records[:at], Record(Kind.ARRIVAL, 0, bytes(data)), *records[at + 1 :]]


def test_another_byte_that_came_in_is_noticed_within_the_second() -> None:
    bench = recorded_bench()
    a_call(bench, 4, "a", "b")
    bench.run(4)

    again = Reenactment(64, Seen())
    for record in tampered(select(ring_of(bench)).records):
        again.take(record)
    again.end()

    assert len(again.differences) == 1
    assert again.differences[0].what == "in the second before, it was sent something else"
    assert 1002.0 < again.differences[0].at <= 1003.1


def test_a_ring_is_read_while_its_plane_goes_on() -> None:
    bench = recorded_bench(ring_bytes=1 << 18)
    a_call(bench, 1, "a", "b")
    bench.run(1)
    stop = threading.Event()

    def go_on() -> None:
        n = 64
        rows, lengths = np.zeros(n, np.int32), np.full(n, 172, np.int32)
        while not stop.is_set():
            bench.plane.arrive(
                rows, np.zeros((n, 20), np.uint8), np.zeros((n, 172), np.uint8), lengths, np.ones(n)
            )

    thread = threading.Thread(target=go_on)
    thread.start()
    try:
        read = [read_ring(bench.plane.flight) for _ in range(200)]  # type: ignore[attr-defined]
    finally:
        stop.set()
        thread.join()

    kinds = {record.kind for records in read for record in records}
    assert kinds <= set(Kind)
    assert all(len(record.data) == 204 for record in read[-1] if record.kind == Kind.ARRIVAL)


def test_a_plane_is_free_again_when_its_recorder_goes() -> None:
    plane = Plane(4, SeededIds(1))
    recorder = _native.flight(plane.table.kernel, flight_memory(4, 1 << 18))
    with pytest.raises(ValueError, match="has a recorder already"):
        _native.flight(plane.table.kernel, flight_memory(4, 1 << 18))
    del recorder

    assert _native.flight(plane.table.kernel, flight_memory(4, 1 << 18)) is not None


def test_memory_that_is_too_small_is_refused() -> None:
    with pytest.raises(ValueError, match="262144 bytes more than"):
        RecordedPlane(4, SeededIds(1), flight=flight_memory(4, 1 << 10))


def test_memory_of_something_else_is_refused() -> None:
    with pytest.raises(LocalError, match="no flight recorder's memory"):
        read_ring(np.zeros(1 << 18, np.uint8))


def test_a_leg_that_nobody_knows_is_said_to_be_unknown() -> None:
    with pytest.raises(LocalError, match="nothing of leg nobody"):
        select(ring_of(recorded_bench()), LegId("nobody"))


def test_the_recorder_takes_no_kinds_that_are_its_own() -> None:
    plane = Plane(4, SeededIds(1))
    recorder = _native.flight(plane.table.kernel, flight_memory(4, 1 << 18))

    with pytest.raises(ValueError, match="kind 1 is not yours"):
        _native.flight_tell(recorder, Kind.ARRIVAL, b"")
