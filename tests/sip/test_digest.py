from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.errors import BadMessage
from gateway.ids import SeededIds
from gateway.sip.digest import (
    Answer,
    Challenge,
    Nonces,
    NonceState,
    digest_response,
    parse_answer_untrusted,
    parse_challenge_untrusted,
)


def test_the_example_of_rfc_2617_section_3_5() -> None:
    response = digest_response(
        algorithm="MD5",
        username="Mufasa",
        realm="testrealm@host.com",
        password="Circle Of Life",
        method="GET",
        uri="/dir/index.html",
        nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093",
        cnonce="0a4f113b",
        nc=1,
    )

    assert response == "6629fae49393a05397450978507c4ef1"


@pytest.mark.parametrize(
    ("algorithm", "expected"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_the_examples_of_rfc_7616_section_3_9_1(algorithm: str, expected: str) -> None:
    response = digest_response(
        algorithm=algorithm,
        username="Mufasa",
        realm="http-auth@example.org",
        password="Circle of Life",
        method="GET",
        uri="/dir/index.html",
        nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
        cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
        nc=1,
    )

    assert response == expected


def test_the_older_form_has_neither_count_nor_cnonce() -> None:
    """RFC 2069 section 2.1.2; the value is that of its erratum 749."""
    response = digest_response(
        algorithm="MD5",
        username="Mufasa",
        realm="testrealm@host.com",
        password="CircleOfLife",
        method="GET",
        uri="/dir/index.html",
        nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093",
        cnonce="",
        nc=None,
    )

    assert response == "1949323746fe6a43ef61f9606e7febea"


def test_a_challenge_reads_back_as_it_was_written() -> None:
    challenge = Challenge('a "quoted" \\ realm', "n1", "SHA-256", qop=True, opaque="o", stale=True)

    assert parse_challenge_untrusted(str(challenge)) == challenge


def test_an_answer_reads_back_as_it_was_written() -> None:
    answer = Answer("bob", "tandem", "n1", "sip:x@y;a=b,c", "ab", "MD5", "c1", 10, "o")

    assert parse_answer_untrusted(str(answer)) == answer


def test_an_answer_with_two_spaces_and_quoted_qop_is_read() -> None:
    """pjsip and Linphone write two spaces; old phones quote everything."""
    answer = parse_answer_untrusted(
        'Digest  username="bob", realm="r",nonce="n" ,uri="sip:x",response="AB",'
        'qop="auth", nc="0000000a", cnonce="c"'
    )

    assert answer == Answer("bob", "r", "n", "sip:x", "ab", "MD5", "c", 10)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Basic Zm9v",
        'Digest realm="x"',
        'Digest realm="x',
        'Digest realm="x", nonce="n", algorithm=SHA-512-256',
        'Digest realm="x", realm="y", nonce="n"',
        'Digest realm="x", nonce="n", qop="auth-int"',
        "Digest nonsense",
        "Digest ===",
    ],
)
def test_a_challenge_that_we_cannot_answer_is_a_bad_message(text: str) -> None:
    with pytest.raises(BadMessage):
        parse_challenge_untrusted(text)


@given(st.text(max_size=200))
@settings(max_examples=200)
def test_any_text_is_an_answer_or_a_bad_message(text: str) -> None:
    try:
        parse_answer_untrusted("Digest " + text)
    except BadMessage:
        pass


def test_a_fresh_nonce_is_good_for_five_minutes() -> None:
    nonces = Nonces(SeededIds(1))
    nonce = nonces.make("tandem", 1000.0)

    assert nonces.judge(nonce, "tandem", 1300.0) is NonceState.GOOD
    assert nonces.judge(nonce, "tandem", 1300.1) is NonceState.STALE


@pytest.mark.parametrize("forged", ["", "x", "0.0.0", "é.ü.ö", "f4240.aaaaaaaaaaaa.000000000000000000000000"])
def test_a_nonce_that_we_did_not_make_is_foreign(forged: str) -> None:
    assert Nonces(SeededIds(1)).judge(forged, "tandem", 0.0) is NonceState.FOREIGN


def test_a_nonce_of_another_realm_is_foreign() -> None:
    nonces = Nonces(SeededIds(1))

    assert nonces.judge(nonces.make("here", 0.0), "there", 0.0) is NonceState.FOREIGN


def test_counts_may_come_out_of_order_but_not_twice() -> None:
    nonces = Nonces(SeededIds(1))
    nonce = nonces.make("tandem", 0.0)

    used = [nonces.use(nonce, nc, 0.0) for nc in (1, 3, 2, 3, 1, 40, 9, 8)]

    assert used == [True, True, True, False, False, True, True, False]


def test_without_a_count_a_nonce_serves_once() -> None:
    nonces = Nonces(SeededIds(1))
    nonce = nonces.make("tandem", 0.0)

    assert [nonces.use(nonce, None, 0.0), nonces.use(nonce, None, 0.0)] == [True, False]


def test_records_of_dead_nonces_go_away() -> None:
    nonces = Nonces(SeededIds(1))
    nonces.use(nonces.make("tandem", 0.0), 1, 0.0)

    nonces.use(nonces.make("tandem", 301.0), 1, 301.0)

    assert len(nonces) == 1


def test_a_full_table_makes_the_oldest_nonces_stale_rather_than_reusable() -> None:
    nonces = Nonces(SeededIds(1), limit=2)
    made = [nonces.make("tandem", float(second)) for second in range(3)]
    for nonce in made:
        nonces.use(nonce, 1, 2.0)

    assert [nonces.judge(nonce, "tandem", 2.0) for nonce in made] == [
        NonceState.STALE,
        NonceState.GOOD,
        NonceState.GOOD,
    ]
