from __future__ import annotations

import pytest

from gateway.sip.causes import cause_of, reason_headers
from gateway.sip.events import EndCause
from gateway.sip.message import respond
from gateway.testing.sip_script import parse_request, sip_request


@pytest.mark.parametrize(
    ("reason", "cause"),
    [
        (None, EndCause(None, "hung up", "remote")),
        ('Q.850;cause=16;text="Normal"', EndCause(None, "Normal", "remote", 16)),
        ("q.850 ; cause=17", EndCause(None, "hung up", "remote", 17)),
        ("SIP;cause=600", EndCause(600, "Busy Everywhere", "remote")),
        ('SIP;cause=200;text="x", Q.850;cause=26', EndCause(200, "x", "remote", 26)),
        ("Q.850;cause=999, Q.850;cause=²", EndCause(None, "hung up", "remote")),
        ('Q.850;cause="16', EndCause(None, "hung up", "remote")),
        ("preemption;cause=1", EndCause(None, "hung up", "remote")),
    ],
)
def test_the_reason_of_a_bye_is_its_cause(reason: str | None, cause: EndCause) -> None:
    headers = {} if reason is None else {"Reason": reason}

    assert (
        cause_of(parse_request(sip_request("BYE", headers=headers)), status=None, reason="hung up") == cause
    )


def test_a_response_keeps_its_own_status() -> None:
    refused = respond(parse_request(sip_request("INVITE")), 486, headers=[("Reason", "SIP;cause=200")])

    assert cause_of(refused, status=486, reason="Busy Here").status == 486


def test_a_cause_is_written_for_both_protocols() -> None:
    headers = reason_headers(EndCause(486, 'say "busy"\r\nX-Evil: 1', "local", 17))

    assert headers == [
        ("Reason", 'SIP;cause=486;text="say \\"busy\\" X-Evil: 1"'),
        ("Reason", 'Q.850;cause=17;text="say \\"busy\\" X-Evil: 1"'),
    ]


@pytest.mark.parametrize("cause", [None, EndCause(None, "hung up", "local")])
def test_an_ordinary_end_needs_no_reason(cause: EndCause | None) -> None:
    assert reason_headers(cause) == []
