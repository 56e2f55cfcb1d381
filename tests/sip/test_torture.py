"""The torture corpus, `tests/scenarios/torture`: each message through parser, framer and engine (promise 27)."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import BadMessage, PeerError
from gateway.sip.endpoint import EndpointConfig
from gateway.sip.flow import Flow
from gateway.sip.framer import StreamFramer
from gateway.sip.message import parse_message_untrusted
from gateway.sip.registrar import Registrar
from gateway.testing.sip_script import Stranger, parse_request, sip_request

FOLDER: Final = Path(__file__).parents[1] / "scenarios" / "torture"
FILES: Final = {
    f"{path.parent.name}/{path.stem}": path for path in FOLDER.rglob("*") if path.suffix in (".sip", ".bin")
}
EXPECTED: Final = tomllib.loads((FOLDER / "expected.toml").read_text())
CONFIG: Final = EndpointConfig(trusted_sources=frozenset({"192.0.2.7"}))
TCP: Final = Flow("tcp", ("198.51.100.1", 5060), ("192.0.2.7", 40_000), connection=1)
UNFRAMED: Final = frozenset({"invalid/clerr", "invalid/ncl", "invalid/mcl01"})
"""What has no length has no end on a stream: its connection is closed."""


def answer(phone: Stranger, data: bytes, flow: Flow | None = None) -> int | str:
    """Return what a message is answered: a status, or what became of it instead."""
    statuses = [int(said.split()[1]) for said in phone.say(data, flow=flow)]
    assert len(statuses) <= 1, statuses
    return statuses[0] if statuses else "offered" if phone.events else "silence"


def is_alive(phone: Stranger) -> bool:
    return phone.ask(sip_request("OPTIONS", call_id="alive", branch="z9hG4bK-alive")).status == 200


def test_every_file_has_its_expectation_and_every_expectation_its_file() -> None:
    assert set(FILES) == set(EXPECTED)


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_over_udp(name: str) -> None:
    phone = Stranger(CONFIG)

    assert answer(phone, FILES[name].read_bytes()) == EXPECTED[name]["answer"], EXPECTED[name]["says"]
    assert not phone.endpoint.faults
    assert is_alive(phone)


@pytest.mark.parametrize("name", sorted(set(EXPECTED) - UNFRAMED - {"valid/dblreq"}))
def test_over_tcp(name: str) -> None:
    phone = Stranger(CONFIG)
    (message,) = StreamFramer().feed(FILES[name].read_bytes())

    assert answer(phone, message, TCP) == EXPECTED[name]["answer"], EXPECTED[name]["says"]
    assert is_alive(phone)


@pytest.mark.parametrize("name", sorted(UNFRAMED))
def test_over_tcp_what_has_no_end_closes_or_waits(name: str) -> None:
    framer = StreamFramer()
    try:
        messages = framer.feed(FILES[name].read_bytes())
    except BadMessage:
        messages = []

    assert messages == []
    assert framer.pending


def test_over_tcp_a_second_message_behind_the_first_is_a_message() -> None:
    assert len(StreamFramer().feed(FILES["valid/dblreq"].read_bytes())) == 2


def test_a_contact_that_needs_brackets_is_refused_once_it_is_known_whose_it_is() -> None:
    """RFC 4475 section 3.1.2.13."""
    request = parse_request(FILES["invalid/regbadct"].read_bytes())

    with pytest.raises(PeerError) as refused:
        Registrar().register("user", request, TCP, 0.0)
    assert refused.value.status == 400


@given(
    name=st.sampled_from(sorted(FILES)),
    at=st.floats(0.0, 1.0),
    cut=st.integers(0, 40),
    put=st.binary(max_size=20),
)
def test_a_damaged_message_raises_nothing_but_bad_message_and_harms_nobody(
    name: str, at: float, cut: int, put: bytes
) -> None:
    data = FILES[name].read_bytes()
    where = int(at * len(data))
    damaged = data[:where] + put + data[where + cut :]
    try:
        parse_message_untrusted(damaged)
    except BadMessage:
        pass
    phone = Stranger(CONFIG)
    phone.say(damaged)
    phone.wait(300.0)

    assert not phone.endpoint.faults
    assert is_alive(phone)


@given(st.binary(max_size=300))
def test_arbitrary_bytes_raise_nothing_but_bad_message(data: bytes) -> None:
    try:
        parse_message_untrusted(data)
    except BadMessage:
        pass
    phone = Stranger(CONFIG)
    phone.say(data)

    assert not phone.endpoint.faults
