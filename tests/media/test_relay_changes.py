"""What a leg hears stays one stream while calls are held, resumed and joined to others."""

from __future__ import annotations

import pytest

from gateway.media.commands import RowState
from gateway.media.events import RowClosed
from gateway.media.relay import relay_reason
from gateway.testing.numbered import number_of, units_heard
from gateway.testing.plane_bench import BenchLeg, PlaneBench
from gateway.testing.rtp_stream import assert_one_stream, steps


@pytest.fixture
def bench() -> PlaneBench:
    return PlaneBench()


def numbers(leg: BenchLeg) -> list[int]:
    """Return the numbers that a leg heard, silence left out."""
    return [heard.number for heard in units_heard(leg.audio) if heard.number is not None]


def test_a_held_leg_is_not_heard_and_its_peer_hears_silence(bench: PlaneBench) -> None:
    a, b = bench.leg("a"), bench.leg("b")
    bench.join("room", a, b)
    a.count(0, 400)
    bench.run(0.99)

    bench.change(a, receiving=False)
    bench.run(1.0)
    bench.change(a, receiving=True)
    bench.run(2.5)

    heard = numbers(b)
    assert heard[:100] == list(range(100))
    assert set(range(102, 198)).isdisjoint(heard)
    assert set(range(210, 400)) <= set(heard)
    assert len(heard) == len(set(heard))
    assert_one_stream(b.audio)


def test_the_peer_of_a_held_leg_hears_a_packet_every_20_ms(bench: PlaneBench) -> None:
    a, b = bench.leg("a"), bench.leg("b")
    bench.join("room", a, b)
    a.count(0, 100)
    bench.run(0.99)

    bench.change(a, receiving=False)
    b.received.clear()
    bench.run(2.0)

    assert len(b.audio) == 100
    assert {number_of(p.payload[:80]) for p in b.audio} == {None}
    assert (steps(b.audio) == [1, 160]).all()


def test_a_leg_that_may_not_be_sent_to_gets_nothing_and_its_time_goes_on(bench: PlaneBench) -> None:
    a, b = bench.leg("a"), bench.leg("b")
    bench.join("room", a, b)
    a.count(0, 800)
    bench.run(0.99)

    bench.change(b, sending=False)
    bench.run(3.0)
    until = len(b.audio)
    bench.change(b, sending=True)
    bench.run(1.0)

    assert until == 50
    assert_one_stream(b.audio)
    sequence, timestamp = steps(b.audio)[until - 1]
    assert sequence == 1
    assert abs(timestamp - 8 * (b.audio[until].at - b.audio[until - 1].at) * 1000) <= 160
    assert b.audio[until].marker


def test_a_short_hold_leaves_no_old_audio_and_no_delay_behind(bench: PlaneBench) -> None:
    a, b = bench.leg("a", force_tick=True), bench.leg("b")
    bench.join("room", a, b)
    a.count(0, 300)
    bench.run(0.995)

    bench.change(a, receiving=False)
    bench.run(0.3)
    bench.change(a, receiving=True)
    bench.run(2.0)

    heard = [u for u in units_heard(b.audio) if u.number is not None and u.number > 100]
    said_at = {2 * i + j: p.at for i, p in enumerate(a.sent) for j in range(2)}
    assert max(u.at - said_at[u.number] for u in heard if u.number is not None) <= 0.041
    assert numbers(b) == sorted(numbers(b))


def test_a_leg_hears_one_stream_while_its_peers_change(bench: PlaneBench) -> None:
    a, b, c = (bench.leg(name) for name in "abc")
    bench.join("one", a, b)
    a.count(0, 300)
    c.count(1000, 1300)
    bench.run(0.995)

    bench.join("two", c)
    bench.join("two", b)
    bench.run(1.0)
    bench.join("one", b)
    bench.run(1.0)

    assert numbers(b) == [*range(100), *range(1100, 1200), *range(200, 300)]
    assert_one_stream(b.audio)
    assert sum(p.marker for p in b.audio) >= 3


def test_a_leg_whose_peer_leaves_hears_silence_until_another_comes(bench: PlaneBench) -> None:
    a, b, c = (bench.leg(name) for name in "abc")
    bench.join("room", a, b)
    a.count(0, 100)
    c.count(1000, 1400)
    bench.run(1.0)

    bench.plane.close(a.state.leg, bench.now)
    del bench.legs[a.state.leg]
    bench.run(1.0)
    assert [i for i, p in enumerate(b.audio) if p.marker] == [0, 50]
    bench.join("room", c)
    bench.run(1.495)

    heard = [u.number for u in units_heard(b.audio)]
    assert heard[:100] == list(range(100))
    assert set(heard[102:196]) == {None}
    assert heard[-100:] == list(range(1250, 1350))
    assert_one_stream(b.audio)


def test_a_new_leg_in_an_old_row_does_not_hear_the_old_rows_peer(bench: PlaneBench) -> None:
    a, b = bench.leg("a"), bench.leg("b")
    bench.join("room", a, b)
    a.count(0, 100)
    bench.run(0.5)
    row = b.row

    bench.plane.close(b.state.leg, bench.now)
    del bench.legs[b.state.leg]
    c = bench.leg("c")
    bench.run(1.0)

    assert c.row == row
    assert numbers(c) == []


def test_a_direction_that_was_not_heard_yet_is_relayed_from_its_first_packet(bench: PlaneBench) -> None:
    """The two legs of a call agree one after the other: what they say in between is nobody's loss."""
    a, b = bench.leg("a"), bench.leg("b", ptime_ms=40)
    bench.join("room", a, b)
    bench.change(b, ptime_ms=20)

    a.count(0, 40)
    bench.run(0.5)

    assert numbers(b) == list(range(40))
    assert b.audio[0].at == a.sent[0].at


def test_a_stale_half_packet_is_not_sent_after_the_relay(bench: PlaneBench) -> None:
    a, b = bench.leg("a"), bench.leg("b")
    bench.run(0.015)  # one of the two units of b's silence waits

    bench.join("room", a, b)
    a.count(0, 200)
    bench.run(0.995)
    bench.change(a, force_tick=True)
    b.received.clear()
    bench.run(0.5)

    assert None not in [u.number for u in units_heard(b.audio)][:10]


def test_an_older_state_is_ignored_and_the_same_one_changes_nothing(bench: PlaneBench) -> None:
    a, b = bench.leg("a"), bench.leg("b")
    old = a.state
    bench.join("room", a, b)
    a.count(0, 100)

    bench.run(0.5)
    bench.plane.apply(old, bench.now)
    bench.plane.apply(a.state, bench.now)
    bench.run(0.6)

    assert numbers(b) == list(range(100))
    assert (steps(b.audio) == [1, 160]).all()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "relayed: the same codec on both legs"),
        ({"send_codec": "pcma"}, "relayed: G.711 to G.711 by a table"),
        ({"force_tick": True}, "decoded: asked for"),
        ({"sending": False}, "silent: the other leg does not listen (hold)"),
        ({"ptime_ms": 30}, "decoded: the legs' packets differ in length"),
    ],
)
def test_the_mode_has_its_reason_in_words(bench: PlaneBench, changes: dict[str, object], words: str) -> None:
    a, b = bench.leg("a"), bench.leg("b", **changes)
    bench.join("room", a, b)

    assert a.statistics.mode_reason == words
    assert relay_reason(a.state, b.state)[1] == words
    assert isinstance(a.state, RowState)


def test_a_held_leg_says_so(bench: PlaneBench) -> None:
    a, b = bench.leg("a", receiving=False), bench.leg("b")
    bench.join("room", a, b)

    assert a.statistics.mode_reason == "silent: this leg's audio is not wanted (hold)"


def test_who_is_closed_after_the_other_says_how_they_talked(bench: PlaneBench) -> None:
    a, b = bench.leg("a"), bench.leg("b")
    bench.join("room", a, b)
    bench.plane.close(a.state.leg, bench.now)
    bench.plane.close(b.state.leg, bench.now)

    last = {event.leg: event.statistics for event in bench.plane.events() if isinstance(event, RowClosed)}

    assert {each.mode for each in last.values()} == {"relay"}
    assert {each.mode_reason for each in last.values()} == {last[a.state.leg].mode_reason}
