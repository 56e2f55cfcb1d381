"""Rows and their codec states: packet lengths, relaying, moving in mid frame, and a row that another leg gets."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gateway import _native
from gateway.errors import LocalError
from gateway.ids import SeededIds
from gateway.media.commands import CodecOptions, row_as_map, row_from_map
from gateway.media.plane import Plane
from gateway.testing.audio import level_dbov, speech, tone
from gateway.testing.codec_legs import KINDS, codec_leg
from gateway.testing.frames import split
from gateway.testing.plane_bench import BenchLeg, PlaneBench
from gateway.testing.rtp_stream import assert_one_stream, steps


def bridge(kind_a: str, kind_b: str) -> tuple[PlaneBench, BenchLeg, BenchLeg]:
    bench = PlaneBench()
    a, b = codec_leg(bench, "a", kind_a, force_tick=True), codec_leg(bench, "b", kind_b)
    bench.join("room", a, b)
    return bench, a, b


@pytest.mark.parametrize("ptime_ms", [10, 20, 30, 40, 50, 60])
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "g729b"])
def test_a_leg_is_sent_the_whole_frames_that_fit_its_packet_time(kind: str, ptime_ms: int) -> None:
    bench = PlaneBench()
    a, b = codec_leg(bench, "a", "pcmu"), codec_leg(bench, "b", kind, ptime_ms=ptime_ms)
    bench.join("room", a, b)

    a.say(tone(400, duration_ms=1000))
    bench.run(1.0)

    facts = b.coding.facts
    frames = max(ptime_ms // facts.frame_ms, 1)
    assert {len(p.payload) for p in b.audio} == {frames * facts.frame_bytes}
    assert (steps(b.audio) == [1, frames * facts.frame_samples]).all()


@pytest.mark.parametrize("ptime_ms", [10, 20, 30, 40, 60])
@pytest.mark.parametrize("kind", KINDS)
def test_any_packet_time_is_heard_alike(kind: str, ptime_ms: int) -> None:
    bench, a, b = bridge(kind, "pcmu")
    per_packet = max(ptime_ms // a.coding.facts.frame_ms, 1)

    a.send_frames(a.coding.encode(speech()[8000:24000]), per_packet=per_packet)
    bench.run(2.0)

    other, c, d = bridge(kind, "pcmu")
    c.send_frames(c.coding.encode(speech()[8000:24000]), per_packet=1)
    other.run(2.0)
    assert np.array_equal(b.heard()[:15000], d.heard()[:15000])


def test_a_phone_that_sends_the_other_frame_length_is_understood() -> None:
    """30 ms were agreed, 20 ms come (RFC 3952 gateways that do not say their mode)."""
    bench, a, _ = bridge("ilbc30", "pcmu")
    sender = PlaneBench()
    other = codec_leg(sender, "x", "ilbc20")

    a.talk(other.coding.encode(speech()[8000:24000]))
    bench.run(2.1)

    assert bench.verdicts["drop_foreign_payload"] == 0


_RELAYED = "relayed: the same codec on both legs"
_DIFFER = "decoded: the codecs differ"


@pytest.mark.parametrize(
    ("kind_a", "kind_b", "words"),
    [
        ("g729", "g729", _RELAYED),
        ("g729b", "g729b", _RELAYED),
        ("g729", "g729b", _RELAYED),
        ("g729b", "g729", "decoded: this leg may send silence descriptors, the other takes none (annexb=no)"),
        ("ilbc20", "ilbc20", _RELAYED),
        ("ilbc30", "ilbc30", _RELAYED),
        ("ilbc20", "ilbc30", "decoded: the legs' iLBC frames differ in length"),
        ("ilbc20", "pcmu", _DIFFER),
        ("g729", "pcma", _DIFFER),
        ("pcmu", "g729b", _DIFFER),
    ],
)
def test_a_direction_is_relayed_or_says_why_not(kind_a: str, kind_b: str, words: str) -> None:
    bench = PlaneBench()
    a, b = codec_leg(bench, "a", kind_a), codec_leg(bench, "b", kind_b)
    bench.join("room", a, b)

    a.say(speech()[8000:16000], ptime_ms=a.state.ptime_ms)
    bench.run(1.0)

    assert a.statistics.mode_reason == words
    if words == _RELAYED:
        assert [p.payload for p in b.audio] == [p.payload for p in a.sent]
        assert_one_stream(b.audio)


def test_comfort_noise_is_agreed_by_both_or_the_direction_is_decoded() -> None:
    bench = PlaneBench()
    a = bench.leg("a", receive={0: "pcmu", 13: "cn"})
    b = bench.leg("b")
    bench.join("room", a, b)
    assert a.statistics.mode_reason == "decoded: this leg may send comfort noise, the other takes none"

    bench.change(b, options=CodecOptions(noise_pt=13))
    assert a.statistics.mode_reason == _RELAYED


def test_a_descriptor_that_was_not_agreed_ends_the_relay() -> None:
    """The peer said annexb=no and got a silence descriptor's sender all the same."""
    bench = PlaneBench()
    a, b = codec_leg(bench, "a", "g729"), codec_leg(bench, "b", "g729")
    bench.join("room", a, b)
    frames = a.coding.encode(speech()[8000:16000])

    a.talk([*frames[:20], b"\x12\x34"])
    bench.run(0.5)

    assert a.statistics.mode == "tick"
    assert all(len(p.payload) % 10 == 0 for p in b.audio)


@pytest.mark.parametrize("swap_at_s", [0.5, 0.51, 0.52, 0.53])
@pytest.mark.parametrize("kind", KINDS)
def test_a_call_that_moves_in_mid_frame_goes_on_to_the_bit(kind: str, swap_at_s: float) -> None:
    heard = []
    for swap in (False, True):
        bench, a, b = bridge(kind, kind)
        a.say(speech()[8000:16000], ptime_ms=a.state.ptime_ms, impair=lambda i: () if i % 9 == 7 else (0.0,))
        bench.run(swap_at_s)
        if swap:
            snapshot = bench.plane.snapshot(bench.plane.legs)
            bench.plane = Plane(capacity=9, ids=SeededIds(99))
            bench.plane.restore(snapshot, bench.now)
        bench.run(1.2 - swap_at_s)
        heard.append((b.received, a.statistics, b.statistics))

    assert heard[0] == heard[1]


def test_a_snapshot_holds_the_codec_states_that_are_in_use() -> None:
    sizes = {}
    for kind in KINDS:
        bench, a, _ = bridge(kind, kind)
        bench.run(0.1)
        idle = len(bench.plane.snapshot([a.state.leg]).rows[0].image.voice)
        a.say(speech()[8000:16000], ptime_ms=a.state.ptime_ms)
        bench.run(0.5)
        sizes[kind] = len(bench.plane.snapshot([a.state.leg]).rows[0].image.voice)
        assert idle < sizes[kind] < _native.VOICE_BYTES
    assert sizes["ilbc20"] < sizes["g729"]


def test_a_snapshot_with_codec_states_that_are_none_is_refused() -> None:
    bench, a, _ = bridge("g729", "pcmu")
    a.say(speech()[:8000])
    bench.run(0.5)
    snapshot = bench.plane.snapshot([a.state.leg])
    image = snapshot.rows[0].image
    torn = replace(image, voice=image.voice[:1] + b"\xff" * (len(image.voice) - 1))
    snapshot = replace(snapshot, rows=(replace(snapshot.rows[0], image=torn),))

    plane = Plane(4, SeededIds(1))
    with pytest.raises(LocalError, match="codec states"):
        plane.restore(snapshot, bench.now)
    assert plane.legs == ()


@pytest.mark.parametrize("kind", KINDS)
def test_a_row_that_another_leg_gets_knows_nothing_of_the_last(kind: str) -> None:
    fresh, used = [], []
    for before in (False, True):
        bench = PlaneBench(capacity=2)
        if before:
            a, b = codec_leg(bench, "old a", kind, force_tick=True), codec_leg(bench, "old b", kind)
            bench.join("old", a, b)
            a.say(tone(300, duration_ms=480, level_dbov=-10), ptime_ms=a.state.ptime_ms)
        bench.run(0.5)
        if before:
            bench.plane.close(b.state.leg, bench.now)
            bench.plane.close(a.state.leg, bench.now)
            bench.legs.clear()
        a, b = codec_leg(bench, "a", kind, force_tick=True), codec_leg(bench, "b", kind)
        bench.join("room", a, b)
        a.say(speech()[8000:16000], ptime_ms=a.state.ptime_ms, start_s=0.003)
        bench.run(1.2)
        (used if before else fresh).extend(f for p in b.audio for f in split(p.payload, b.coding.facts))

    assert fresh == used


@pytest.mark.parametrize("kind", KINDS)
def test_a_sender_that_begins_anew_is_decoded_anew(kind: str) -> None:
    """Another SSRC: what came before means nothing to its decoder, and the seam is no click."""
    bench, a, b = bridge(kind, "pcmu")
    voice = a.coding.encode(speech()[16000:24000])
    a.say(tone(300, duration_ms=480, level_dbov=-10), ptime_ms=a.state.ptime_ms)
    bench.run(0.48)
    a.ssrc += 1
    a.sequence += 20000
    a.timestamp += 90000
    a.send_frames(voice, per_packet=a.state.ptime_ms // a.coding.facts.frame_ms)
    bench.run(1.2)

    heard, alone = b.heard(), a.coding.decode(voice)
    assert level_dbov(heard[6000:12000]) == pytest.approx(level_dbov(alone[2000:8000]), abs=3)


def test_options_survive_the_way_between_the_processes() -> None:
    bench = PlaneBench()
    leg = codec_leg(bench, "a", "ilbc30")

    assert row_from_map(row_as_map(leg.state)) == leg.state


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"send_codec": "opus"}, "no codec 'opus'"),
        ({"send_codec": "ilbc", "options": CodecOptions(mode_ms=40)}, "ilbc has no frames of 40 ms"),
        ({"receive": {97: "ilbc"}, "options": CodecOptions(mode_ms=0)}, "ilbc has no frames of 0 ms"),
    ],
)
def test_a_codec_that_the_plane_does_not_have_is_refused_by_name(
    changes: dict[str, object], words: str
) -> None:
    bench = PlaneBench()
    leg = bench.leg("a")

    with pytest.raises(LocalError, match=words):
        bench.change(leg, **changes)


def test_rows_with_long_frames_share_the_work_of_their_ticks() -> None:
    """Rows that begin in the same tick do not all encode in the same one."""
    bench = PlaneBench(capacity=30)
    legs = [codec_leg(bench, f"leg{i}", "ilbc30") for i in range(30)]
    bench.run(0.3)

    last = [leg.audio[-1].at for leg in legs]
    assert sorted(np.unique(np.round(last, 3), return_counts=True)[1].tolist()) == [10, 10, 10]
