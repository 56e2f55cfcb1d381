"""Telephone events (RFC 4733): each key press is reported once and reaches the other leg once."""

from __future__ import annotations

import pytest

from gateway.media.events import DigitHeard
from gateway.testing.audio import speech
from gateway.testing.numbered import number_of, numbered
from gateway.testing.plane_bench import EVENT_PT, BenchLeg, Packet, PlaneBench
from gateway.testing.rtp_stream import signed, steps

_KEYS = "0123456789*#"


@pytest.fixture(params=["relay", "tick"])
def call(request: pytest.FixtureRequest) -> tuple[PlaneBench, BenchLeg, BenchLeg]:
    bench = PlaneBench()
    a, b = bench.leg("a", force_tick=request.param == "tick"), bench.leg("b")
    bench.join("room", a, b)
    return bench, a, b


def digits_in(leg: BenchLeg) -> str:
    """Return the digits that a phone makes of the events it received: one a timestamp that ends."""
    ended: dict[int, int] = {}
    for packet in leg.events:
        if packet.payload[1] & 0x80:
            ended.setdefault(packet.timestamp, packet.payload[0])
    return "".join(f"{_KEYS}ABCD"[code] for code in ended.values())


def press_all(bench: PlaneBench, leg: BenchLeg, keys: str) -> None:
    for key in keys:
        leg.press(key)
        bench.run(0.3)
        leg.timestamp += 1600


def test_every_key_is_reported_once_and_heard_once(call: tuple[PlaneBench, BenchLeg, BenchLeg]) -> None:
    bench, a, b = call

    press_all(bench, a, _KEYS)

    assert a.digits == _KEYS
    assert digits_in(b) == _KEYS
    assert a.statistics.digits == 12
    assert b.digits == ""


def test_keys_amid_speech_do_not_disturb_the_stream(call: tuple[PlaneBench, BenchLeg, BenchLeg]) -> None:
    bench, a, b = call

    for key in _KEYS:
        a.say(speech()[:4000])
        bench.run(0.5)
        a.press(key)
        bench.run(0.3)
        a.timestamp += 1600

    assert a.digits == digits_in(b) == _KEYS
    assert len({p.ssrc for p in b.received}) == 1
    assert len({p.sequence for p in b.received}) == len(b.received)
    assert [p.sequence for p in b.received] == sorted(p.sequence for p in b.received)


def test_a_digit_is_reported_with_its_length(call: tuple[PlaneBench, BenchLeg, BenchLeg]) -> None:
    bench, a, _ = call

    a.press("5", duration_ms=160)
    bench.run(0.4)

    assert [e for e in bench.events if isinstance(e, DigitHeard)] == [DigitHeard(a.state.leg, "5", 160)]


def test_the_marker_is_on_the_first_packet_alone_and_time_stands_still(
    call: tuple[PlaneBench, BenchLeg, BenchLeg],
) -> None:
    bench, a, b = call
    a.say(speech()[:1600])
    bench.run(0.2)

    a.press("7", duration_ms=200)
    bench.run(0.5)

    assert [p.marker for p in b.events] == [True] + [False] * 13
    assert len({p.timestamp for p in b.events}) == 1
    durations = [int.from_bytes(p.payload[2:]) for p in b.events]
    assert durations == sorted(durations)
    media_ms = signed(b.events[0].timestamp - b.audio[0].timestamp) / 8
    assert abs(media_ms - 1000 * (b.events[0].at - b.audio[0].at)) <= 40


@pytest.mark.parametrize("ends", [1, 2, 3, 5])
def test_the_end_goes_out_once_more_than_it_came(
    call: tuple[PlaneBench, BenchLeg, BenchLeg], ends: int
) -> None:
    bench, a, b = call

    a.press("3", ends=ends)
    bench.run(0.5)

    assert sum(p.payload[1] >> 7 for p in b.events) == ends + 1
    assert a.digits == digits_in(b) == "3"


@pytest.mark.parametrize(
    ("lost", "why"),
    [
        ({0}, "the start"),
        ({0, 1, 2}, "the first three"),
        ({5, 6}, "two of three ends"),
        ({0, 1, 2, 3, 4}, "all but the ends"),
        ({0, 1, 2, 3, 4, 5, 6}, "all but the last end"),
        ({1, 3}, "some in the middle"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_digit_survives_the_loss_of(
    call: tuple[PlaneBench, BenchLeg, BenchLeg], lost: set[int], why: str
) -> None:
    bench, a, b = call

    a.press("9", impair=lambda i: () if i in lost else (0.0,))
    bench.run(0.6)

    assert a.digits == digits_in(b) == "9", why
    assert [p.marker for p in b.events].count(True) == 1
    assert b.events[0].marker


def test_a_digit_without_an_end_is_reported_after_120_ms(
    call: tuple[PlaneBench, BenchLeg, BenchLeg],
) -> None:
    bench, a, b = call

    a.press("8", impair=lambda i: () if i >= 5 else (0.0,))
    bench.run(0.08 + 0.12)
    before = a.digits
    bench.run(0.05)

    assert (before, a.digits) == ("", "8")
    assert {p.payload[0] for p in b.events} == {8}


def test_an_end_that_comes_after_the_report_is_the_same_digit(
    call: tuple[PlaneBench, BenchLeg, BenchLeg],
) -> None:
    bench, a, b = call

    a.press("8", impair=lambda i: (1.3,) if i >= 5 else (0.0,))
    bench.run(2.0)

    assert a.digits == "8"
    assert len({p.timestamp for p in b.events}) == 1


def test_a_long_gap_under_one_timestamp_is_one_digit(call: tuple[PlaneBench, BenchLeg, BenchLeg]) -> None:
    bench, a, b = call

    a.press("1", duration_ms=2000, impair=lambda i: () if 10 < i < 90 else (0.0,))
    bench.run(2.5)

    assert a.digits == digits_in(b) == "1"


def test_three_ends_with_one_sequence_number_are_one_digit(
    call: tuple[PlaneBench, BenchLeg, BenchLeg],
) -> None:
    """sipp's recordings do so."""
    bench, a, b = call

    for key in "42":
        a.press(key, same_sequence=True)
        bench.run(0.3)
        a.timestamp += 1600

    assert a.digits == digits_in(b) == "42"
    assert sum(p.payload[1] >> 7 for p in b.events) >= 4


def test_the_same_key_twice_is_two_digits(call: tuple[PlaneBench, BenchLeg, BenchLeg]) -> None:
    bench, a, b = call

    press_all(bench, a, "5555")

    assert a.digits == digits_in(b) == "5555"


def test_a_digit_whose_end_was_lost_is_reported_when_the_next_begins(
    call: tuple[PlaneBench, BenchLeg, BenchLeg],
) -> None:
    bench, a, _ = call

    a.press("1", impair=lambda i: () if i >= 5 else (0.0,))
    bench.run(0.1)
    a.press("2")
    bench.run(0.5)

    assert a.digits == "12"


def test_packets_of_a_digit_that_overtook_each_other_are_one_digit(
    call: tuple[PlaneBench, BenchLeg, BenchLeg],
) -> None:
    bench, a, b = call

    a.press("6", impair=lambda i: (0.05 if i % 2 else 0.0,))
    bench.run(0.3)
    a.timestamp += 800
    a.press("7")
    bench.run(0.5)

    assert a.digits == digits_in(b) == "67"
    assert len({p.sequence for p in b.received}) == len(b.received)


def test_a_straggler_of_the_digit_before_is_not_a_third_digit(
    call: tuple[PlaneBench, BenchLeg, BenchLeg],
) -> None:
    bench, a, b = call

    a.press("6", impair=lambda i: (0.0, 0.3) if i == 6 else (0.2 if i == 3 else 0.0,))
    bench.run(0.16)
    a.timestamp += 800
    a.press("7")
    bench.run(0.6)

    assert a.digits == digits_in(b) == "67"


def test_a_sender_that_began_anew_may_press_at_once(call: tuple[PlaneBench, BenchLeg, BenchLeg]) -> None:
    """A digit is an SSRC and a timestamp: a new source may count from anywhere."""
    bench, a, b = call

    a.press("1")
    bench.run(0.3)
    a.ssrc, a.timestamp, a.sequence = 77, a.timestamp - 20000, 9
    a.press("2")
    bench.run(0.3)

    assert a.digits == digits_in(b) == "12"


def test_digits_may_come_under_another_ssrc_than_the_audio(
    call: tuple[PlaneBench, BenchLeg, BenchLeg],
) -> None:
    bench, a, b = call
    a.count(0, 200)
    audio = (a.ssrc, a.sequence, a.timestamp)
    a.ssrc, a.sequence, a.timestamp = 0x9999, 50, 80
    a.press("4", start_s=0.505)

    bench.run(2.1)

    assert audio[0] != a.ssrc
    assert a.digits == digits_in(b) == "4"
    assert len({p.sequence for p in b.received}) == len(b.received)


def test_the_leg_hears_no_audio_while_it_hears_a_digit(
    call: tuple[PlaneBench, BenchLeg, BenchLeg],
) -> None:
    """A phone that goes on sending audio under its events would let the key be heard twice."""
    bench, a, b = call
    for i in range(100):
        payload = numbered(i) * 2
        pressed = 30 <= i < 45
        at = i * 0.02
        bench.post(
            bench.now + at, a, Packet(0, 0, a.sequence, a.timestamp, a.ssrc, payload).to_bytes(), a.address
        )
        a.sequence += 1
        if pressed:
            event = bytes([2, 0x80 if i == 44 else 0]) + ((i - 29) * 160).to_bytes(2, "big")
            packet = Packet(0, EVENT_PT, a.sequence, 5000 + 30 * 160, a.ssrc, event, marker=i == 30)
            bench.post(bench.now + at + 0.001, a, packet.to_bytes(), a.address)
            a.sequence += 1
        a.timestamp += 160

    bench.run(2.3)

    first, last = b.events[0].at, b.events[-1].at
    assert not [p for p in b.audio if first < p.at < last]
    heard = [number_of(p.payload[:80]) for p in b.audio]
    assert {i for i in range(100) if i < 28 or i > 47} <= {n for n in heard if n is not None}
    assert len({p.sequence for p in b.received}) == len(b.received)
    assert (steps(b.received)[:, 0] == 1).all()
    assert next(p for p in b.audio if p.at > last).marker


def test_a_leg_that_cannot_hear_events_gets_none(call: tuple[PlaneBench, BenchLeg, BenchLeg]) -> None:
    bench, a, b = call
    bench.change(b, event_send_pt=None)

    press_all(bench, a, "12")

    assert a.digits == "12"
    assert b.events == []


def test_a_leg_hears_events_under_its_own_payload_type(call: tuple[PlaneBench, BenchLeg, BenchLeg]) -> None:
    bench, a, b = call
    bench.change(b, event_send_pt=96)

    a.press("1")
    bench.run(0.4)

    assert {p.payload_type for p in b.received if len(p.payload) == 4} == {96}


def test_an_event_that_is_no_key_is_passed_on_and_not_reported(
    call: tuple[PlaneBench, BenchLeg, BenchLeg],
) -> None:
    bench, a, b = call

    a.send(Packet(0, EVENT_PT, 1000, 5000, a.ssrc, b"\x20\x8a\x03\x20").to_bytes())
    bench.run(0.3)

    assert a.digits == ""
    assert {p.payload[0] for p in b.events} == {32}


@pytest.mark.parametrize("payload", [b"", b"\x01", b"\x01\x80\x03"])
def test_an_event_that_is_too_short_is_malformed(
    call: tuple[PlaneBench, BenchLeg, BenchLeg], payload: bytes
) -> None:
    bench, a, b = call

    a.send(Packet(0, EVENT_PT, 1000, 5000, a.ssrc, payload).to_bytes())
    bench.run(0.3)

    assert bench.verdicts["drop_malformed"] == 1
    assert (a.digits, b.events) == ("", [])


def test_a_held_leg_may_still_press_keys(call: tuple[PlaneBench, BenchLeg, BenchLeg]) -> None:
    bench, a, _ = call
    bench.change(a, receiving=False)

    press_all(bench, a, "1#")

    assert a.digits == "1#"


def test_a_lonely_leg_presses_keys_at_a_menu() -> None:
    bench = PlaneBench()
    a = bench.leg("a", source="music")

    press_all(bench, a, "1#")

    assert a.digits == "1#"
    assert a.events == []


def test_keys_in_a_room_of_three_are_reported_and_heard_by_nobody() -> None:
    bench = PlaneBench()
    legs = [bench.leg(name) for name in "abc"]
    bench.join("room", *legs)

    press_all(bench, legs[0], "7")

    assert legs[0].digits == "7"
    assert all(leg.events == [] for leg in legs)


def test_two_legs_press_at_once(call: tuple[PlaneBench, BenchLeg, BenchLeg]) -> None:
    bench, a, b = call

    a.press("1")
    b.press("2")
    bench.run(0.5)

    assert (a.digits, b.digits) == ("1", "2")
    assert (digits_in(a), digits_in(b)) == ("2", "1")
