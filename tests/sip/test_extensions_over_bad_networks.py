"""PRACK, UPDATE, refreshes and REFER over networks that lose, repeat and reorder, both users acting at random.

Whatever happens, every call ends exactly once at either end, nothing is held afterwards, and no fault of ours was met.
"""

from __future__ import annotations

from random import Random

import pytest

from gateway.errors import LocalError
from gateway.sip.endpoint import EndpointConfig
from gateway.sip.events import (
    Event,
    OfferReceived,
    ReferReceived,
    SessionAnswered,
    SessionConfirmed,
    SessionEnded,
    SessionId,
    SessionOffered,
    SessionProgressed,
)
from gateway.sip.headers import NameAddr
from gateway.sip.uri import parse_uri_untrusted
from gateway.testing.sip_pair import ANSWER, OFFER, Peer, SipPair, bad_network

CAROL = NameAddr(None, parse_uri_untrusted("sip:carol@192.0.2.9"))
SHORT = 90
"""Seconds: so that calls live through several refreshes."""


def config(name: str, trusted: str) -> EndpointConfig:
    return EndpointConfig(contact_user=name, trusted_sources=frozenset({trusted}), session_expires_s=SHORT)


class Users:
    """Two people who press any key at any time."""

    def __init__(self, pair: SipPair, chance: Random, *, late: bool) -> None:
        self._pair = pair
        self._chance = chance
        self.calls: list[tuple[Peer, SessionId]] = []
        pair.when = {
            SessionOffered: self._offered,
            SessionProgressed: self._progressed,
            SessionAnswered: self._answered,
            OfferReceived: self._offer,
            ReferReceived: self._refer,
            SessionConfirmed: self._confirmed,
        }
        self._late = late
        self.calls.append((pair.alice, pair.call(sdp=None if late else OFFER)))

    def live(self) -> None:
        """Do something every few seconds, and hang up at the end."""
        for _ in range(12):
            self._pair.run(self._chance.choice([0.05, 0.6, 3.0, 40.0]))
            peer, session = self._chance.choice(self.calls)
            self._act(
                peer, session, self._chance.choice(["ring", "answer", "reoffer", "refer", "notify", "info"])
            )
        for peer, session in self.calls:
            peer.endpoint.hang_up(session, now=self._pair.now)
        self._pair.run_quiet()

    def _act(self, peer: Peer, session: SessionId, what: str) -> None:
        endpoint, now, chance = peer.endpoint, self._pair.now, self._chance
        try:
            match what:
                case "ring":
                    endpoint.ring(
                        session, status=chance.choice([180, 183]), sdp=chance.choice([None, ANSWER]), now=now
                    )
                case "answer":
                    endpoint.answer(session, sdp=ANSWER, now=now)
                case "reoffer":
                    endpoint.reoffer(session, sdp=OFFER + b"a=%d\r\n" % chance.randrange(99), now=now)
                case "refer":
                    endpoint.refer(session, target=CAROL, now=now)
                case "notify":
                    endpoint.notify_refer(session, status=chance.choice([180, 200, 486]), now=now)
                case _:
                    endpoint.send_info(session, content_type="application/dtmf", body=b"5", now=now)
        except LocalError:
            pass  # a key that does nothing at this moment

    def _offered(self, peer: Peer, event: Event) -> None:
        assert isinstance(event, SessionOffered)
        self.calls.append((peer, event.session))
        self._act(peer, event.session, self._chance.choice(["ring", "ring", "answer"]))

    def _progressed(self, peer: Peer, event: Event) -> None:
        assert isinstance(event, SessionProgressed)
        if event.reliable and self._late and event.sdp:
            self._accept(peer, event.session)

    def _answered(self, peer: Peer, event: Event) -> None:
        assert isinstance(event, SessionAnswered)
        if self._late and event.sdp:
            self._accept(peer, event.session)

    def _offer(self, peer: Peer, event: Event) -> None:
        assert isinstance(event, OfferReceived)
        if self._chance.random() < 0.2:
            peer.endpoint.refuse_offer(event.session, now=self._pair.now)
        else:
            self._accept(peer, event.session)

    def _refer(self, peer: Peer, event: Event) -> None:
        assert isinstance(event, ReferReceived)
        if self._chance.random() < 0.3:
            peer.endpoint.refuse_refer(event.session, now=self._pair.now)
        else:
            peer.endpoint.accept_refer(event.session, now=self._pair.now)

    def _confirmed(self, peer: Peer, event: Event) -> None:
        assert isinstance(event, SessionConfirmed)
        self._act(peer, event.session, self._chance.choice(["reoffer", "refer", "info"]))

    def _accept(self, peer: Peer, session: SessionId) -> None:
        try:
            peer.endpoint.accept_offer(session, sdp=ANSWER, now=self._pair.now)
        except LocalError:
            pass  # it was withdrawn in the meantime


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("batch", range(6))
def test_both_ends_end_once_and_hold_nothing(batch: int, late: bool) -> None:
    """20 seeds a batch."""
    for seed in range(20 * batch, 20 * batch + 20):
        network = bad_network(seed, loss=0.15, duplicate=0.15, reorder=0.3)
        alice, bob = config("alice", "192.0.2.2"), config("bob", "192.0.2.1")
        pair = SipPair(network=network, seed=seed + 1, alice=alice, bob=bob)
        Users(pair, Random(seed), late=late).live()

        ladder = f"seed {seed}\n{pair.ladder()}"
        assert len(pair.alice.all(SessionEnded)) == 1, ladder
        assert len(pair.bob.all(SessionEnded)) == len(pair.bob.all(SessionOffered)), ladder
        pair.assert_quiet()


@pytest.mark.parametrize("batch", range(3))
def test_on_a_good_network_nothing_is_refused_that_was_possible(batch: int) -> None:
    """And no session is lost to a refresh, a transfer or glare: only the last hang-up ends it."""
    for seed in range(20 * batch, 20 * batch + 20):
        alice, bob = config("alice", "192.0.2.2"), config("bob", "192.0.2.1")
        pair = SipPair(network=lambda line: (0.01,), seed=seed + 1, alice=alice, bob=bob)
        Users(pair, Random(seed), late=False).live()

        for peer in (pair.alice, pair.bob):
            for ended in peer.all(SessionEnded):
                unanswered = ended.cause.reason == "nobody answered in time"
                assert ended.cause.by in ("local", "remote") or unanswered, f"seed {seed}\n{pair.ladder()}"
        pair.assert_quiet()
