"""Two phones' media against each other, without sockets and in no time."""

from __future__ import annotations

import heapq
from itertools import count, pairwise

import numpy as np
import pytest

from gateway.ids import SeededIds
from gateway.lab import measures
from gateway.lab.phone.media import Media, Outgoing
from gateway.lab.phone.rtp import parse_rtp_untrusted
from gateway.lab.phone.sources import PcmSource, Playout, Silence, Source, ToneSource
from gateway.lab.samples import speech
from gateway.sdp.codecs import CodecOffer
from gateway.sdp.negotiation import Direction, NegotiatedMedia

ALICE, BOB = ("192.0.2.1", 4000), ("192.0.2.2", 4000)


def agreed(
    remote: tuple[str, int],
    *,
    codec: str = "pcmu",
    ptime_ms: int = 20,
    direction: Direction = Direction.SENDRECV,
    rtcp_mux: bool = False,
) -> NegotiatedMedia:
    offers = {"pcmu": CodecOffer("pcmu", 0), "pcma": CodecOffer("pcma", 8)}
    return NegotiatedMedia(
        remote_address=remote[0],
        remote_rtp_port=remote[1],
        remote_rtcp_port=remote[1] + 1,
        send=offers[codec],
        receive={0: offers["pcmu"], 8: offers["pcma"]},
        event_send_pt=101,
        event_receive_pt=101,
        ptime_ms=ptime_ms,
        direction=direction,
        rtcp_mux=rtcp_mux,
        reason="a test says so",
    )


def phone(source: Source, *, seed: int) -> Media:
    return Media(source, SeededIds(seed), wall_minus_now_s=1_700_000_000.0)


class World:
    """Alice and Bob, and a network: it takes `delay_s` and loses the packets of Alice numbered in `lose`."""

    def __init__(self, alice: Media, bob: Media, *, delay_s: float = 0.010, lose: range = range(0)) -> None:
        self.now = 100.0
        self.sent: list[tuple[float, tuple[str, int], Outgoing]] = []
        self.keys = {ALICE: "", BOB: ""}
        self._phones = {ALICE: alice, BOB: bob}
        self._delay_s, self._lose = delay_s, lose
        self._flying: list[tuple[float, int, tuple[str, int], Outgoing]] = []
        self._number, self._of_alice = count(), count()
        alice.set(agreed(BOB), self.now)
        bob.set(agreed(ALICE), self.now)
        self._drain()

    def run(self, seconds: float) -> None:
        end = self.now + seconds
        while True:
            deadlines = [d for each in self._phones.values() if (d := each.next_deadline()) is not None]
            self.now = min([*deadlines, *(flight[0] for flight in self._flying[:1])])
            if self.now > end:
                self.now = end
                return
            self._land()
            for each in self._phones.values():
                if (deadline := each.next_deadline()) is not None and deadline <= self.now:
                    each.deadline_reached(self.now)
            self._drain()

    def _land(self) -> None:
        while self._flying and self._flying[0][0] <= self.now:
            _, _, source, outgoing = heapq.heappop(self._flying)
            target = self._phones[(outgoing.to[0], 4000)]
            if outgoing.rtcp:
                target.receive_rtcp(outgoing.data, self.now)
            else:
                target.receive(outgoing.data, source, self.now)

    def _drain(self) -> None:
        for address, each in self._phones.items():
            self.keys[address] += "".join(key.key for key in each.events())
            for outgoing in each.transmit():
                self.sent.append((self.now, address, outgoing))
                number = next(self._number)
                told = address == ALICE and not outgoing.rtcp
                if not (told and next(self._of_alice) in self._lose):
                    heapq.heappush(self._flying, (self.now + self._delay_s, number, address, outgoing))


def echo_of(media: Media) -> Media:
    media.speaker.source = Playout(media.listener.heard, media.listener.receiver)
    return media


def test_an_echo_comes_back_whole_and_late_by_its_playout() -> None:
    alice, bob = phone(PcmSource(speech()), seed=1), echo_of(phone(Silence(), seed=2))

    World(alice, bob).run(6.0)

    said, heard = alice.speaker.said.pcm(), alice.listener.heard.pcm()
    delay = measures.align(heard, said)
    assert measures.correlation(heard, said, delay) > 0.99
    assert measures.gaps(heard, said[: 5 * 8000], delay=delay) == []
    assert alice.listener.receiver.n_lost == 0


def test_packets_leave_every_ptime_with_the_marker_on_the_first() -> None:
    world = World(phone(ToneSource(440.0), seed=1), phone(Silence(), seed=2))

    world.run(1.0)

    sent = [
        (at, parse_rtp_untrusted(out.data)) for at, who, out in world.sent if who == ALICE and not out.rtcp
    ]
    assert [at for at, _ in sent] == pytest.approx([100.0 + 0.02 * n for n in range(51)])
    assert [packet.marker for _, packet in sent] == [True] + [False] * 50
    assert {(b.sequence - a.sequence) & 0xFFFF for (_, a), (_, b) in pairwise(sent)} == {1}
    assert {(b.timestamp - a.timestamp) & 0xFFFFFFFF for (_, a), (_, b) in pairwise(sent)} == {160}


def test_a_phone_that_slept_goes_on_in_time_and_sends_no_old_burst() -> None:
    media = phone(ToneSource(440.0), seed=1)
    media.set(agreed(BOB), 100.0)
    before = parse_rtp_untrusted(media.transmit()[0].data)

    media.deadline_reached(103.0)

    after = [parse_rtp_untrusted(each.data) for each in media.transmit() if not each.rtcp]
    assert 1 <= len(after) <= 6
    assert (after[-1].timestamp - before.timestamp) & 0xFFFFFFFF == pytest.approx(3 * 8000, abs=160)
    assert after[0].marker
    assert after[0].sequence == (before.sequence + 1) & 0xFFFF


def test_every_key_is_heard_once_though_packets_are_lost() -> None:
    alice, bob = phone(ToneSource(300.0), seed=1), phone(Silence(), seed=2)
    world = World(alice, bob, lose=range(15, 19))
    alice.speaker.keys.press("12#*0D")

    world.run(3.0)

    assert world.keys == {ALICE: "", BOB: "12#*0D"}


def test_a_lost_packet_is_a_gap_of_silence_in_its_place() -> None:
    alice, bob = phone(ToneSource(400.0), seed=1), phone(Silence(), seed=2)
    world = World(alice, bob, lose=range(40, 42))

    world.run(2.0)

    levels = np.abs(bob.listener.heard.pcm().reshape(-1, 160)).max(axis=1)
    assert np.flatnonzero(levels == 0).tolist() == [40, 41]
    assert (bob.listener.receiver.n_lost, bob.listener.n_gaps, bob.listener.gap_ms) == (2, 1, 40.0)


def test_the_stream_runs_on_through_hold_and_a_change_of_codec() -> None:
    alice = phone(ToneSource(440.0), seed=1)
    world = World(alice, phone(Silence(), seed=2))
    world.run(0.5)
    alice.set(agreed(BOB, direction=Direction.RECVONLY), world.now)
    world.run(0.5)
    alice.set(agreed(BOB, codec="pcma", ptime_ms=30), world.now)
    world.run(0.5)

    sent = [parse_rtp_untrusted(out.data) for _, who, out in world.sent if who == ALICE and not out.rtcp]
    assert len({packet.ssrc for packet in sent}) == 1
    assert [(p.sequence - sent[0].sequence) & 0xFFFF for p in sent] == list(range(len(sent)))
    (resumed,) = [packet for packet in sent[1:] if packet.marker]
    assert (resumed.payload_type, len(resumed.payload)) == (8, 240)
    assert (resumed.timestamp - sent[0].timestamp) & 0xFFFFFFFF == pytest.approx(8000, abs=320)


def test_a_hold_of_the_other_end_is_no_gap() -> None:
    alice, bob = phone(ToneSource(440.0), seed=1), phone(Silence(), seed=2)
    world = World(alice, bob)
    world.run(0.5)
    alice.set(agreed(BOB, direction=Direction.INACTIVE), world.now)
    bob.set(agreed(ALICE, direction=Direction.INACTIVE), world.now)
    world.run(0.5)
    alice.set(agreed(BOB), world.now)
    bob.set(agreed(ALICE), world.now)
    world.run(0.5)

    assert (bob.listener.n_gaps, bob.listener.receiver.n_lost) == (0, 0)
    assert bob.listener.heard.n_samples == pytest.approx(1.5 * 8000, abs=400)


def test_reports_tell_the_round_trip() -> None:
    alice, bob = phone(ToneSource(440.0), seed=1), phone(ToneSource(880.0), seed=2)

    World(alice, bob, delay_s=0.025).run(20.0)

    assert alice.round_trip_ms == pytest.approx(50.0, abs=1.0)
    assert bob.peer_lost == 0


def test_muxed_rtcp_goes_to_the_rtp_port_and_is_told_from_rtp() -> None:
    alice = phone(ToneSource(440.0), seed=1)
    alice.set(agreed(BOB, rtcp_mux=True), 0.0)
    alice.transmit()

    alice.stop(1.0)
    (bye,) = alice.transmit()
    alice.receive(bye.data, BOB, 1.0)

    assert (bye.to, bye.rtcp) == (BOB, False)
    assert alice.counters["rtcp.received"] == 1
    assert alice.next_deadline() is None


def test_a_second_source_is_a_stranger_until_the_next_answer() -> None:
    alice = phone(Silence(), seed=1)
    alice.set(agreed(BOB), 0.0)
    hello = parse_rtp_untrusted(alice.transmit()[0].data)

    alice.receive(hello.to_bytes(), BOB, 0.1)
    alice.receive(hello.to_bytes(), ("198.51.100.9", 9), 0.1)

    assert (alice.listener.receiver.n_packets, alice.counters["stranger"]) == (1, 1)


def test_what_is_no_rtp_is_counted_and_nothing_more() -> None:
    alice = phone(Silence(), seed=1)

    alice.receive(b"hello", BOB, 0.0)
    alice.receive_rtcp(b"\x80", 0.0)

    assert alice.counters == {"rtp.bad": 1, "rtcp.bad": 1}
