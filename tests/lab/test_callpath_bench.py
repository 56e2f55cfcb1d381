"""What a call costs the switch is measured on whole calls."""

import json
import logging

import pytest
import structlog

from benchmarks import callpath

MESSAGES = 15
"""INVITE, 401, ACK, INVITE, 180, 200, ACK, BYE, 200 and, on the callee's side, INVITE, 180, 200, ACK, BYE, 200."""


@pytest.fixture
def measured(capsys):
    callpath.main(["--calls", "3", "--profile", "--json"])
    structlog.reset_defaults()
    logging.basicConfig(handlers=[], force=True)
    logging.captureWarnings(capture=False)
    return json.loads(capsys.readouterr().out)


def test_every_message_of_a_call_is_counted_and_every_part_has_its_share(measured):
    assert measured["messages"] >= MESSAGES  # a busy machine says some again
    assert sum(measured["parts"].values()) == pytest.approx(measured["us"], rel=0.01)
    assert {"sip", "sdp", "switch", "store", "log", "asyncio"} <= set(measured["parts"])
