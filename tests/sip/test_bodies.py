from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.errors import PeerError
from gateway.sip.bodies import media_type, session_description
from gateway.testing.sip_script import parse_request, sip_request

SIP_I = (
    "--frontier\r\nContent-Type: application/isup;version=itu-t92+\r\n"
    "Content-Disposition: signal;handling=required\r\n\r\n\x01\x02\r\n"
    "--frontier\r\ncontent-type : application/sdp\r\n\r\nv=0\r\n"
    "\r\n--frontier--\r\nepilogue"
)


def found(body: str, content_type: str, **headers: str) -> bytes | None:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return session_description(
        parse_request(sip_request("INVITE", body=body, content_type=content_type, headers=named))
    )


def test_plain_sdp_is_the_body() -> None:
    assert found("v=0\r\n", "Application/SDP; charset=utf-8") == b"v=0\r\n"


def test_no_body_is_no_sdp() -> None:
    assert found("", "application/sdp") is None


def test_the_sdp_is_found_beside_an_isup_part() -> None:
    """SIP-I trunks (Q.1912.5)."""
    assert found(SIP_I, 'multipart/mixed;boundary="frontier"') == b"v=0\r\n"


def test_a_multipart_within_a_multipart_is_searched() -> None:
    outer = f"--o\r\nContent-Type: multipart/alternative;boundary=frontier\r\n\r\n{SIP_I}\r\n--o--"

    assert found(outer, "multipart/mixed;boundary=o") == b"v=0\r\n"


def test_an_optional_body_that_we_do_not_understand_is_ignored() -> None:
    """RFC 3261 section 20.11."""
    disposition = "render; handling=optional"

    assert found("x", "application/pidf+xml", Content_Disposition=disposition) is None


@pytest.mark.parametrize("content_type", ["application/isup", "multipart/mixed;boundary=x", "text/plain"])
def test_a_body_that_must_be_understood_and_is_not_is_415(content_type: str) -> None:
    body = "--x\r\nContent-Type: application/isup\r\n\r\n1\r\n--x--"

    with pytest.raises(PeerError) as caught:
        found(body, content_type)
    assert caught.value.status == 415


def test_a_multipart_without_a_boundary_is_400() -> None:
    with pytest.raises(PeerError) as caught:
        found("x", "multipart/mixed")
    assert caught.value.status == 400


@given(st.text(max_size=200))
@settings(max_examples=100)
def test_any_multipart_is_read_or_refused(body: str) -> None:
    try:
        found(body, "multipart/mixed;boundary=-")
    except PeerError:
        pass


@pytest.mark.parametrize(("text", "kind"), [("A/B ; c=d", "a/b"), (None, ""), ("", "")])
def test_a_media_type_is_compared_without_case_and_parameters(text: str | None, kind: str) -> None:
    assert media_type(text) == kind
