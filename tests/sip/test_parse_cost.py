"""Promise 32: what a message costs to read grows with its length, whatever it is made of."""

from __future__ import annotations

import time

import pytest

from gateway.errors import BadMessage, PeerError
from gateway.sip.bodies import session_description
from gateway.sip.digest import parse_answer_untrusted
from gateway.sip.message import MAX_LINE_CHARACTERS, MAX_MESSAGE_BYTES, parse_message_untrusted
from gateway.testing.sip_script import parse_request, sip_request

N = MAX_LINE_CHARACTERS - 200
MOST_S = 0.05
"""Ten times what is promised, for machines that are busy with other things; quadratic would be seconds."""


def read(data: bytes) -> None:
    """Read a message and everything in it that the engine ever looks at."""
    try:
        message = parse_message_untrusted(data)
        for name in (
            "Contact",
            "Route",
            "Record-Route",
            "Via",
            "Supported",
            "Allow",
            "Reason",
            "P-Asserted-Identity",
        ):
            message.headers.all(name)
        for text in message.headers.all("Authorization"):
            parse_answer_untrusted(text)
        session_description(message)
    except PeerError:
        pass


def cost_s(data: bytes) -> float:
    """Return the CPU seconds of the quickest of five readings."""
    taken = []
    for _ in range(5):
        started = time.process_time()
        read(data)
        taken.append(time.process_time() - started)
    return min(taken)


def header(name: str, value: str) -> bytes:
    return sip_request("INVITE", headers={name: value}, body="v=0")


WORST = {
    "commas": header("Contact", "," * N),
    "quotes": header("Contact", '"' * N),
    "backslashes": header("Contact", '"' + "\\" * N),
    "brackets": header("Contact", "<" * N),
    "semicolons": header("Via", "SIP/2.0/UDP h;branch=z9hG4bK-1" + ";" * N),
    "parameters": header("Via", "SIP/2.0/UDP h;branch=z9hG4bK-1" + ";a=b" * (N // 4)),
    "escapes": header("To", f"<sip:{'%41' * (N // 4)}@h>"),
    "digits": header("CSeq", "9" * N + " INVITE"),
    "spaces": header("To", " " * N + "<sip:a@b>"),
    "digest": header("Authorization", "Digest " + 'a="' + "\\a" * (N // 3) + '", b=c'),
    "digest commas": header("Authorization", "Digest " + "," * N),
    "tags": header("Supported", "a," * (N // 2)),
    "folds": b"OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP h;branch=z9hG4bK1\r\n" + b"X: a\r\n" + b" \r\n" * 21_000,
    "headers": b"OPTIONS sip:a@b SIP/2.0\r\n" + b"a:b\r\n" * 13_000 + b"\r\n",
    "line ends": b"\r\n" * 32_000,
    "one line": b"a" * 65_000,
    "uri": b"OPTIONS sip:" + b"a;" * 32_000 + b" SIP/2.0\r\n\r\n",
    "parts": sip_request("INVITE", body="--b\r\n" * 12_000, content_type="multipart/mixed;boundary=b"),
    "nested parts": sip_request("INVITE", body="--b\r\nContent-Type: multipart/mixed;boundary=b\r\n\r\n" * 1_200,
                                content_type="multipart/mixed;boundary=b"),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(WORST))
def test_the_worst_message_of_64_kib_is_soon_read(name: str) -> None:
    assert len(WORST[name]) <= MAX_MESSAGE_BYTES
    assert cost_s(WORST[name]) < MOST_S


@pytest.mark.parametrize("unit", [",", '"', "\\", ";a", "%41", "<", " ", "\t;"])
def test_twice_as_much_costs_no_more_than_about_twice_as_much(unit: str) -> None:
    """Of a whole line, so that a cost that grows with the square would be four times as much."""
    n = N // len(unit)
    half, whole = (cost_s(header("Contact", f'"x" <sip:a@b>{unit * count}')) for count in (n // 2, n))

    assert whole < 3.4 * half + 0.001


def test_a_number_of_five_thousand_digits_is_no_fault() -> None:
    """CVE-2020-10735: int() itself refuses more than 4,300."""
    for name in ("CSeq", "Max-Forwards", "Expires", "Session-Expires", "RSeq", "RAck", "Content-Length"):
        value = "9" * 5000 + (" INVITE" if name == "CSeq" else "")
        try:
            parse_request(header(name, value))
        except BadMessage:
            continue
