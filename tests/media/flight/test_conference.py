"""A conference whose beginning the ring has lost: who is gated, chosen, levelled and shares an encoder is had again."""

from __future__ import annotations

import numpy as np

from gateway.ids import LegId, RoomId
from gateway.media.commands import RoomState
from gateway.media.flight import Kind
from gateway.testing.audio import speech
from gateway.testing.codec_legs import codec_leg
from gateway.testing.flights import recorded_bench, reenact
from gateway.testing.plane_bench import BenchLeg, PlaneBench

_ROOM = RoomId("room")
_WISHES = RoomState(_ROOM, 1, gate_from=3, loudest=2, loudest_from=4, auto_gain=True, tell_speaker=True)


def fourteen_people(bench: PlaneBench, seconds: float) -> list[BenchLeg]:
    """Let four of fourteen be heard, over a network that loses 3 % and delays by up to 40 ms."""
    chance = np.random.default_rng(5)
    kinds = ("g729", "ilbc20", "g729b", "pcmu", "ilbc30")
    legs = [codec_leg(bench, f"leg-{i}", kinds[i % 5], muted=i >= 4) for i in range(14)]
    bench.plane.apply_room(_WISHES)
    bench.join(_ROOM, *legs)
    for i, leg in enumerate(legs):
        pcm = np.tile(np.roll(speech(), 4000 * i), 6)[: round(8000 * seconds)]
        ptime_ms = 30 if leg.state.options.mode_ms == 30 else 20
        leg.say(pcm, ptime_ms=ptime_ms, impair=lambda _: [chance.random() * 0.04] * (chance.random() < 0.97))
    return legs


def test_a_conference_is_had_again_from_its_keyframe_on() -> None:
    bench = recorded_bench(ring_bytes=1 << 20)
    legs = fourteen_people(bench, 14)
    bench.run(6)
    bench.change(legs[5], muted=False)
    bench.run(2)
    bench.change(legs[2], room=None)
    bench.run(2)
    bench.change(legs[2], room=_ROOM)
    bench.run(4)

    again, seen, flight = reenact(bench, "leg-7")
    assert Kind.OPEN not in {record.kind for record in flight.records}
    assert again.differences == []
    assert again.ticks > 400
    assert again.compared >= 14 * 5
    for leg in legs:
        heard = seen.heard[LegId(leg.state.leg)]
        assert heard == [packet.to_bytes() for packet in leg.received[-len(heard) :]]
