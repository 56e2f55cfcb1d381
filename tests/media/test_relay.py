"""A relayed direction: the payload that came in goes out at once, re-stamped for the other leg."""

from __future__ import annotations

import pytest

import voicecodecs
from gateway.testing.audio import speech
from gateway.testing.numbered import numbered, units_heard
from gateway.testing.plane_bench import BenchLeg, Packet, PlaneBench
from gateway.testing.rtp_stream import assert_one_stream, steps

_BOTH = {0: "pcmu", 8: "pcma"}


def bridge(
    codec_a: str = "pcmu", codec_b: str = "pcmu", **changes: object
) -> tuple[PlaneBench, BenchLeg, BenchLeg]:
    bench = PlaneBench()
    a, b = bench.leg("a", codec=codec_a, **changes), bench.leg("b", codec=codec_b, **changes)
    bench.join("room", a, b)
    return bench, a, b


def recoded(payload: bytes, codec: str, other: str) -> bytes:
    """Decode and encode again: what a table of G.711 to G.711 must give."""
    if codec == other:
        return payload
    frames = [payload[i : i + 80] for i in range(0, len(payload), 80)]
    return b"".join(voicecodecs.encode_frames(voicecodecs.decode_frames(frames, codec), other))


@pytest.mark.parametrize("codec_a", ["pcmu", "pcma"])
@pytest.mark.parametrize("codec_b", ["pcmu", "pcma"])
def test_every_payload_arrives_at_once_in_the_law_of_the_other_leg(codec_a: str, codec_b: str) -> None:
    bench, a, b = bridge(codec_a, codec_b)

    a.say(speech()[:16000])
    bench.run(2.1)

    assert len(b.audio) == 100
    assert [p.at for p in b.audio] == [p.at for p in a.sent]
    assert [p.payload for p in b.audio] == [recoded(p.payload, codec_a, codec_b) for p in a.sent]


def test_both_directions_run_side_by_side() -> None:
    bench, a, b = bridge()

    a.count(0, 100)
    b.count(5000, 5100)
    bench.run(1.1)

    assert [u.number for u in units_heard(b.audio)] == list(range(100))
    assert [u.number for u in units_heard(a.audio)] == list(range(5000, 5100))


def test_what_we_send_is_one_even_stream_with_a_marker_at_its_start() -> None:
    bench, a, b = bridge()

    a.count(0, 200)
    bench.run(2.1)

    assert_one_stream(b.audio)
    assert (steps(b.audio) == [1, 160]).all()
    assert [p.marker for p in b.audio] == [True] + [False] * 99
    assert b.audio[0].ssrc != a.ssrc


@pytest.mark.parametrize("ptime_ms", [10, 20, 30, 40, 60])
def test_packets_of_any_length_pass_as_they_are(ptime_ms: int) -> None:
    bench, a, b = bridge(ptime_ms=ptime_ms)

    a.count(0, 240, ptime_ms=ptime_ms)
    bench.run(2.5)

    assert [p.payload for p in b.audio] == [p.payload for p in a.sent]
    assert (steps(b.audio) == [1, 8 * ptime_ms]).all()


def test_a_reinvite_changes_nothing_that_the_other_leg_sees() -> None:
    bench, a, b = bridge()

    a.count(0, 400)
    for _ in range(5):
        bench.run(0.7)
        bench.change(a)
        bench.change(b)
    bench.run(1.0)

    assert len(b.audio) == 200
    assert (steps(b.audio) == [1, 160]).all()


def test_a_new_ssrc_goes_on_as_the_same_stream() -> None:
    bench, a, b = bridge()

    a.count(0, 100)
    a.ssrc, a.sequence, a.timestamp = 0x1234, 40000, 3_000_000_000
    a.count(100, 200, start_s=1.0)
    bench.run(2.1)

    assert [u.number for u in units_heard(b.audio)] == list(range(200))
    assert (steps(b.audio) == [1, 160]).all()
    assert [i for i, p in enumerate(b.audio) if p.marker] == [0, 50]


def test_peers_may_all_use_the_same_ssrc() -> None:
    bench, a, b = bridge()
    a.ssrc = b.ssrc = 0xCA110000

    a.count(0, 100)
    b.count(200, 300)
    bench.run(1.1)

    assert a.audio[0].ssrc != b.audio[0].ssrc
    assert len(a.audio) == len(b.audio) == 50


@pytest.mark.parametrize("jump", [30000, -30000, 5000, -5000, -2000, -500, -150])
def test_a_sequence_that_jumps_costs_one_packet_and_leaves_no_mark(jump: int) -> None:
    """RFC 3550 A.1: the second packet in order proves that the sender began anew."""
    bench, a, b = bridge()
    a.sequence = 32000

    a.count(0, 100)
    a.sequence += jump
    a.count(100, 200, start_s=1.0)
    bench.run(2.1)

    assert [u.number for u in units_heard(b.audio)] == [*range(100), *range(102, 200)]
    assert_one_stream(b.audio)
    assert (steps(b.audio)[:, 0] == 1).all()


def test_a_short_jump_ahead_is_a_loss() -> None:
    bench, a, b = bridge()

    a.count(0, 100)
    a.sequence += 2000
    a.count(100, 200, start_s=1.0)
    bench.run(2.1)

    assert len(b.audio) == 100
    assert steps(b.audio)[49].tolist() == [2001, 160]
    assert a.statistics.packets_lost == 2000


@pytest.mark.parametrize("timestamp", [0, 5, 4_000_000_000, 2**31])
def test_a_timestamp_that_restarts_is_not_seen_by_the_other_leg(timestamp: int) -> None:
    bench, a, b = bridge()

    a.count(0, 100)
    a.timestamp = timestamp
    a.count(100, 200, start_s=1.0)
    bench.run(2.1)

    assert [u.number for u in units_heard(b.audio)] == list(range(200))
    assert (steps(b.audio) == [1, 160]).all()


@pytest.mark.parametrize("back", [160, 1600, 7000])
def test_a_timestamp_that_steps_back_a_little_never_takes_ours_back(back: int) -> None:
    bench, a, b = bridge()

    a.count(0, 100)
    a.timestamp -= back
    a.count(100, 200, start_s=1.0)
    bench.run(2.1)

    assert len(b.audio) == 100
    assert_one_stream(b.audio)


def test_the_senders_numbers_may_wrap() -> None:
    bench, a, b = bridge()
    a.sequence, a.timestamp = 65500, 2**32 - 3000

    a.count(0, 200)
    bench.run(2.1)

    assert [u.number for u in units_heard(b.audio)] == list(range(200))
    assert (steps(b.audio) == [1, 160]).all()
    assert a.statistics.packets_lost == 0


def test_our_numbers_may_wrap() -> None:
    bench, a, b = bridge()
    bench.plane.table.rows["tx_sequence"][b.row] = 65500
    bench.plane.table.rows["tx_timestamp"][b.row] = 2**32 - 3000

    a.count(0, 200)
    bench.run(2.1)

    assert (steps(b.audio) == [1, 160]).all()


def test_the_sender_may_switch_its_law_with_every_packet() -> None:
    bench = PlaneBench()
    a, b = bench.leg("a", receive=_BOTH), bench.leg("b", codec="pcma")
    bench.join("room", a, b)
    codecs = ["pcmu", "pcma", "pcma", "pcmu"] * 10

    a.talk([numbered(i) * 2 for i in range(40)], codec=codecs)
    bench.run(1.0)

    said = [recoded(p.payload, codec, "pcma") for p, codec in zip(a.sent, codecs, strict=True)]
    assert [p.payload for p in b.audio] == said
    assert {p.payload_type for p in b.audio} == {8}
    assert (steps(b.audio) == [1, 160]).all()


def test_a_payload_type_that_was_not_negotiated_is_dropped() -> None:
    bench, a, b = bridge()

    a.count(0, 10, codec="pcma")
    bench.run(0.5)

    assert bench.verdicts["drop_foreign_payload"] == 5
    assert not any(u.number is not None for u in units_heard(b.audio))


def test_duplicates_are_dropped_and_counted() -> None:
    bench, a, b = bridge()

    a.count(0, 100, impair=lambda i: (0.0, 0.001, 0.05))
    bench.run(1.2)

    assert [u.number for u in units_heard(b.audio)] == list(range(100))
    assert_one_stream(b.audio)
    assert a.statistics.packets_duplicate == 100


def test_packets_that_overtook_each_other_do_so_at_the_other_leg() -> None:
    bench, a, b = bridge()

    a.count(0, 100, impair=lambda i: (0.03 if i % 5 == 2 else 0.0,))
    bench.run(1.2)

    assert [u.number for u in units_heard(b.audio)] == list(range(100))
    assert [p.payload for p in b.audio] != [p.payload for p in a.sent]
    assert (steps(b.audio) == [1, 160]).all()


def test_loss_is_a_gap_in_the_sequence_that_the_other_leg_sees() -> None:
    bench, a, b = bridge()

    a.count(0, 100, impair=lambda i: () if i in {10, 20, 21} else (0.0,))
    bench.run(1.2)

    assert steps(b.audio)[9].tolist() == [2, 320]
    assert steps(b.audio)[18].tolist() == [3, 480]
    assert sum(b for b, _ in steps(b.audio).tolist()) == 49
    assert a.statistics.packets_lost == 3


def test_a_straggler_is_never_the_first_packet_of_a_direction() -> None:
    bench, a, b = bridge()
    a.count(0, 100, impair=lambda i: (0.09 if i == 10 else 0.0,))
    bench.run(0.25)

    bench.change(b, room=None)
    bench.run(0.02)
    bench.join("room", b)
    bench.run(1.0)

    numbers = [u.number for u in units_heard(b.audio) if u.number is not None]
    assert numbers == sorted(numbers)
    assert 20 not in numbers
    assert_one_stream(b.audio)


def test_a_pause_in_the_senders_packets_is_a_pause_in_ours() -> None:
    """Silence suppression: time goes on by the wall, the sequence has no gap."""
    bench, a, b = bridge()

    a.count(0, 20)
    a.timestamp += 20 * 8000
    a.count(20, 40, start_s=20.2)
    bench.run(20.5)

    assert steps(b.audio)[9].tolist() == [1, 160 + 20 * 8000]


def test_an_empty_packet_keeps_a_path_open_and_says_nothing() -> None:
    """RFC 6263 section 4.6: a keepalive without payload, before and amid the audio."""
    bench, a, b = bridge()
    bench.run(1.0)

    a.talk([b"", b""])
    bench.run(1.0)
    a.count(0, 20)
    a.talk([b""], start_s=0.2)
    bench.run(1.0)

    assert [u.number for u in units_heard(b.audio)] == list(range(20))
    assert bench.verdicts["drop_foreign_payload"] == 3


def test_csrc_extension_and_padding_are_not_passed_on() -> None:
    bench, a, b = bridge()
    head = Packet(0, 0, 7, 160, a.ssrc, b"").to_bytes()
    payload = numbered(7) * 2
    data = (
        bytes([0xB1])
        + head[1:]
        + b"CSRC"
        + b"\xbe\xde\x00\x01"
        + b"\x10\xff\x00\x00"
        + payload
        + b"\x00\x00\x03"
    )

    a.send(data)
    bench.run(0.1)

    assert [p.payload for p in b.audio] == [payload]
