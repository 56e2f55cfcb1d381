"""A whole call over networks that lose, repeat and reorder: both ends always agree that it is over."""

from __future__ import annotations

import pytest

from gateway.sip.events import (
    Event,
    InfoReceived,
    OfferAnswered,
    OfferReceived,
    OfferRefused,
    SessionAnswered,
    SessionConfirmed,
    SessionEnded,
    SessionOffered,
)
from gateway.testing.sip_pair import ANSWER, OFFER, Peer, SipPair, bad_network


def whole_call(pair: SipPair) -> None:
    """Alice calls, Bob rings and answers, Alice puts on hold and sends a digit, Bob hangs up."""

    def offered(peer: Peer, event: Event) -> None:
        assert isinstance(event, SessionOffered)
        peer.endpoint.ring(event.session, now=pair.now)
        peer.endpoint.answer(event.session, sdp=ANSWER, now=pair.now)

    def answered(peer: Peer, event: Event) -> None:
        assert isinstance(event, SessionAnswered)
        peer.endpoint.reoffer(event.session, sdp=OFFER, now=pair.now)

    def offer_received(peer: Peer, event: Event) -> None:
        assert isinstance(event, OfferReceived)
        peer.endpoint.accept_offer(event.session, sdp=ANSWER, now=pair.now)

    def offer_settled(peer: Peer, event: Event) -> None:
        assert isinstance(event, OfferAnswered | OfferRefused)
        kind = "application/dtmf-relay"
        peer.endpoint.send_info(event.session, content_type=kind, body=b"Signal=5", now=pair.now)

    def digit(peer: Peer, event: Event) -> None:
        assert isinstance(event, InfoReceived)
        peer.endpoint.hang_up(event.session, now=pair.now)

    pair.when = {
        SessionOffered: offered,
        SessionAnswered: answered,
        OfferReceived: offer_received,
        OfferAnswered: offer_settled,
        OfferRefused: offer_settled,
        InfoReceived: digit,
    }
    pair.call()
    pair.run_quiet()


def ends(peer: Peer) -> int:
    return len(peer.all(SessionEnded))


N_DATAGRAMS = 11


def test_the_whole_call_has_the_expected_number_of_datagrams() -> None:
    pair = SipPair()
    whole_call(pair)

    assert len(pair.lines) == N_DATAGRAMS, pair.ladder()
    pair.assert_quiet()


@pytest.mark.parametrize("n", range(N_DATAGRAMS + 6))
@pytest.mark.parametrize("lost", [1, 2, 3])
def test_the_loss_of_any_datagrams_is_made_good(n: int, lost: int) -> None:
    pair = SipPair(network=lambda line: () if n <= len(pair.lines) < n + lost else (0.01,))

    whole_call(pair)

    assert (ends(pair.alice), ends(pair.bob)) == (1, 1), pair.ladder()
    assert pair.alice.has(OfferAnswered), pair.ladder()
    assert pair.bob.has(SessionConfirmed), pair.ladder()
    assert pair.bob.has(InfoReceived), pair.ladder()
    pair.assert_quiet()


@pytest.mark.parametrize("batch", range(10))
def test_over_a_terrible_network_both_ends_end_once_and_hold_nothing(batch: int) -> None:
    """30 seeds a batch."""
    for seed in range(30 * batch, 30 * batch + 30):
        network = bad_network(seed, loss=0.25, duplicate=0.15, reorder=0.3)
        pair = SipPair(network=network, seed=seed + 1)

        whole_call(pair)

        ladder = f"seed {seed}\n{pair.ladder()}"
        assert ends(pair.alice) == 1, ladder
        assert ends(pair.bob) == len(pair.bob.all(SessionOffered)), ladder
        pair.assert_quiet()


@pytest.mark.parametrize("direction", ["alice", "bob"])
@pytest.mark.parametrize("n", range(N_DATAGRAMS))
def test_a_network_that_dies_one_way_leaves_nobody_in_half_a_call(n: int, direction: str) -> None:
    """Whoever cannot be heard any more is given up; both ends are told."""
    pair = SipPair(network=lambda line: () if len(pair.lines) >= n and line.sender == direction else (0.01,))

    whole_call(pair)
    for peer in (pair.alice, pair.bob):
        for offered in peer.all(SessionOffered):
            peer.endpoint.hang_up(offered.session, now=pair.now)
    for answered in pair.alice.all(SessionAnswered):
        pair.alice.endpoint.hang_up(answered.session, now=pair.now)
    pair.run_quiet()

    assert ends(pair.alice) == 1, pair.ladder()
    assert ends(pair.bob) == len(pair.bob.all(SessionOffered)), pair.ladder()
    pair.assert_quiet()
