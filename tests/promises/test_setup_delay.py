"""Promise 5: what a setup takes is computing and nothing else; the figure itself is `tandem bench signalling`'s."""

import pytest

from gateway.sip.message import Request
from gateway.testing.switchboard import switchboard
from gateway.testing.virtual_time import run_virtual

LATENCY_S = 0.005
"""Of the simulated network, each way."""


def test_promise_5_the_callees_invite_leaves_in_the_instant_in_which_the_callers_has_come():
    """In virtual time computing takes none, so whatever is left would be a timer of ours."""

    async def scenario():
        async with switchboard() as board:
            alice, bob = await board.phone("alice"), await board.phone("bob")
            calling, ringing = await alice.call("bob"), await bob.rung()
            said = [passed for passed in board.network.passed if isinstance(passed.message, Request)]
            *_, theirs, ours = [passed for passed in said if passed.message.method == "INVITE"]

            assert ours.destination[0] == bob.host
            assert ours.at - theirs.at == pytest.approx(LATENCY_S, abs=0.0005)
            ringing.reject(486)
            await calling.ended()

    run_virtual(scenario())
