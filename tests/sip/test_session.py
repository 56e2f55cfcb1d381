"""Conversations between two engines: the flows of RFC 3665 section 3 that concern two ends, and each race."""

from __future__ import annotations

from gateway.sip.events import (
    EndCause,
    SessionAnswered,
    SessionConfirmed,
    SessionEnded,
    SessionOffered,
    SessionProgressed,
)
from gateway.testing.sip_pair import ANSWER, OFFER, SipPair


def test_a_call_is_made_and_ended_by_the_caller() -> None:
    """RFC 3665 section 3.1."""
    pair = SipPair()
    call = pair.call()
    pair.exchange()
    pair.bob.endpoint.ring(pair.bob.session, now=pair.now)
    pair.exchange()
    pair.bob.endpoint.answer(pair.bob.session, sdp=ANSWER, now=pair.now)
    pair.exchange()
    pair.alice.endpoint.hang_up(call, now=pair.now)
    pair.run_quiet()

    assert pair.said() == ["INVITE", "180 Ringing", "200 OK", "ACK", "BYE", "200 OK"]
    assert pair.bob.last(SessionOffered).sdp == OFFER
    assert pair.alice.events == [
        SessionProgressed(call, 180, "Ringing", None),
        SessionAnswered(call, ANSWER),
        SessionEnded(call, EndCause(None, "hung up", "local")),
    ]
    assert pair.bob.events[1:] == [
        SessionConfirmed(pair.bob.session, None),
        SessionEnded(pair.bob.session, EndCause(None, "hung up", "remote")),
    ]
    pair.assert_quiet()
