"""Keys in descriptions (RFC 4568): what is offered, taken, refused, and never shown."""

from __future__ import annotations

import base64
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import BadMessage
from gateway.sdp import LocalMedia, NegotiatedMedia, NoCommonCodec, answer, read_answer, write_offer
from gateway.sdp.crypto import (
    SUITES,
    AgreedCrypto,
    LocalCrypto,
    Srtp,
    parse_crypto_untrusted,
    passed_over,
)
from gateway.testing.sdp import audio, our_side, sdp

KEY = bytes(range(30))
INLINE = f"inline:{base64.b64encode(KEY).decode()}"
USUAL = f"crypto:1 AES_CM_128_HMAC_SHA1_80 {INLINE}"


def side(policy: Srtp, *, seed: int = 1) -> LocalMedia:
    return replace(our_side("pcmu", "pcma"), crypto=LocalCrypto(policy, bytes([seed]) * 32))


ACCEPTED, OFFERED, DEMANDED = side(Srtp.ACCEPTED), side(Srtp.OFFERED), side(Srtp.DEMANDED)


def crypto_of(*lines: str, local: LocalMedia = ACCEPTED) -> AgreedCrypto | None:
    return answer(sdp(*lines), local)[1].crypto


def refusal(*lines: str, local: LocalMedia = ACCEPTED) -> str:
    with pytest.raises(NoCommonCodec) as refused:
        answer(sdp(*lines), local)
    assert (refused.value.status, refused.value.warning) == (488, 302)
    return str(refused.value)


def agree(caller: LocalMedia, callee: LocalMedia) -> tuple[NegotiatedMedia, NegotiatedMedia]:
    offer = write_offer(caller)
    said, theirs = answer(offer, callee)
    return read_answer(offer, said, caller), theirs


class TestReading:
    @pytest.mark.parametrize("suite", SUITES)
    def test_each_suite_has_its_length_of_key(self, suite: str) -> None:
        ours = LocalCrypto(Srtp.OFFERED, bytes(32)).key(suite)
        line = parse_crypto_untrusted(f"7 {suite} inline:{base64.b64encode(ours).decode()}")
        assert (line.tag, line.suite, line.key) == (7, suite, ours)

    @pytest.mark.parametrize(
        "text",
        [
            f"1 AES_CM_128_HMAC_SHA1_80 {INLINE}",
            f"1 AES_CM_128_HMAC_SHA1_80 {INLINE}|2^31",
            f"1 AES_CM_128_HMAC_SHA1_80 {INLINE}|2147483648",
            f"1  AES_CM_128_HMAC_SHA1_80  {INLINE.replace('inline', 'INLINE')} ",
            f"1 AES_CM_128_HMAC_SHA1_80 {INLINE} KDR=0 WSH=128 -SPECIAL=1",
        ],
    )
    def test_lines_that_real_phones_write_are_read(self, text: str) -> None:
        assert parse_crypto_untrusted(text).key == KEY

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("1 AES_CM_128_HMAC_SHA1_80", "not 'tag suite key'"),
            (f"x AES_CM_128_HMAC_SHA1_80 {INLINE}", "not 'tag suite key'"),
            (f"1 F8_128_HMAC_SHA1_80 {INLINE}", "suite F8_128_HMAC_SHA1_80 is unknown"),
            (f"1 AES_CM_128_HMAC_SHA1_80 {INLINE}|2^20|1:4", "MKI"),
            (f"1 AES_CM_128_HMAC_SHA1_80 {INLINE}|1:4", "MKI"),
            (f"1 AES_CM_128_HMAC_SHA1_80 {INLINE}|2^31|1:1", "MKI"),
            (f"1 AES_CM_128_HMAC_SHA1_80 {INLINE};{INLINE}", "not one key"),
            (f"1 AES_CM_128_HMAC_SHA1_80 {INLINE}|2^10", "outlived by a call"),
            ("1 AES_CM_128_HMAC_SHA1_80 inline:AAAA", "a key of 3 bytes"),
            ("1 AES_CM_128_HMAC_SHA1_80 inline:AAAAA", "not base64"),
            (f"1 AES_256_CM_HMAC_SHA1_80 {INLINE}", "a key of 30 bytes"),
            (f"1 AES_CM_128_HMAC_SHA1_80 {INLINE} UNENCRYPTED_SRTP", "UNENCRYPTED_SRTP is not done"),
            (f"1 AES_CM_128_HMAC_SHA1_80 {INLINE} UNENCRYPTED_SRTCP", "UNENCRYPTED_SRTCP is not done"),
            (f"1 AES_CM_128_HMAC_SHA1_80 {INLINE} KDR=3", "KDR=3 is not done"),
            (f"1 AES_CM_128_HMAC_SHA1_80 {INLINE} WSH=32", "WSH=32 is not done"),
        ],
    )
    def test_what_we_cannot_do_is_refused_in_words(self, text: str, words: str) -> None:
        with pytest.raises(BadMessage, match=words) as refused:
            parse_crypto_untrusted(text)
        assert INLINE[7:] not in str(refused.value)

    @given(st.text(max_size=80) | st.from_regex(r"1 AES_CM_128_HMAC_SHA1_80 inline:.{0,60}", fullmatch=True))
    def test_any_text_is_read_or_refused(self, text: str) -> None:
        try:
            parse_crypto_untrusted(text)
        except BadMessage:
            pass


class TestAnswering:
    def test_the_first_suite_that_we_have_is_taken_under_its_tag_with_a_key_of_ours(self) -> None:
        lines = audio(
            "0",
            f"crypto:3 F8_128_HMAC_SHA1_80 {INLINE}",
            f"crypto:9 AES_CM_128_HMAC_SHA1_32 {INLINE}",
            USUAL,
            protocol="RTP/SAVP",
        )
        said, agreed = answer(sdp(*lines), ACCEPTED)
        assert agreed.crypto is not None
        assert (agreed.crypto.tag, agreed.crypto.suite) == (9, "AES_CM_128_HMAC_SHA1_32")
        assert agreed.crypto.theirs == KEY
        ours = base64.b64encode(agreed.crypto.ours).decode()
        assert said.media[0].protocol == "RTP/SAVP"
        assert said.media[0].all("crypto") == (f"9 AES_CM_128_HMAC_SHA1_32 inline:{ours}",)

    @pytest.mark.parametrize("protocol", ["RTP/AVP", "RTP/AVPF", "RTP/SAVP", "RTP/SAVPF"])
    def test_keys_are_taken_in_every_transport(self, protocol: str) -> None:
        """In RTP/AVP they are best effort, as baresip and pjsip offer them."""
        assert crypto_of(*audio("0", USUAL, protocol=protocol)) is not None

    def test_best_effort_with_keys_that_we_cannot_use_is_plain(self) -> None:
        assert crypto_of(*audio("0", f"{USUAL}|2^20|1:4")) is None

    def test_a_line_whose_keys_packets_name_is_passed_over_in_words_and_the_next_is_taken(self) -> None:
        lines = sdp(
            *audio("0", f"{USUAL}|2^31|1:4", USUAL.replace("crypto:1", "crypto:2"), protocol="RTP/SAVP")
        )
        said, agreed = answer(lines, ACCEPTED)
        assert agreed.crypto is not None
        assert agreed.crypto.tag == 2
        assert "MKI" not in str(said.media[0])
        assert passed_over(lines.media[0], ACCEPTED.crypto) == (
            "a=crypto:1: keys that packets name (MKI) are not done here"
        )

    @pytest.mark.parametrize(
        ("attributes", "local", "words"),
        [
            ((), ACCEPTED, ""),
            ((USUAL,), ACCEPTED, ""),
            ((USUAL,), side(Srtp.OFF), "this leg does no encryption"),
            ((USUAL, "fingerprint:sha-256 AA"), ACCEPTED, ""),
        ],
    )
    def test_nothing_is_said_where_nothing_was_passed_over(
        self, attributes: tuple[str, ...], local: LocalMedia, words: str
    ) -> None:
        assert passed_over(sdp(*audio("0", *attributes)).media[0], local.crypto) == words

    def test_a_plain_offer_gets_a_plain_answer(self) -> None:
        said, agreed = answer(sdp(*audio("0")), OFFERED)
        assert agreed.crypto is None
        assert not said.media[0].all("crypto")

    def test_an_encrypted_line_without_a_usable_key_is_refused_in_words(self) -> None:
        assert "no a=crypto line" in refusal(*audio("0", protocol="RTP/SAVP"))
        assert "MKI" in refusal(*audio("0", f"{USUAL}|2^20|1:4", protocol="RTP/SAVP"))
        assert "DTLS" in refusal(*audio("0", USUAL, "fingerprint:sha-256 AA", protocol="RTP/SAVPF"))

    def test_who_demands_it_refuses_a_plain_offer_in_words(self) -> None:
        assert "encryption is demanded and it has no a=crypto line" in refusal(*audio("0"), local=DEMANDED)

    def test_who_has_it_off_takes_no_key(self) -> None:
        off = side(Srtp.OFF)
        assert "RTP/AVP would be taken" in refusal(*audio("0", USUAL, protocol="RTP/SAVP"), local=off)
        assert crypto_of(*audio("0", USUAL), local=off) is None

    def test_the_plain_line_beside_an_encrypted_one_is_taken_if_the_keys_cannot_be(self) -> None:
        lines = [*audio("0", protocol="RTP/SAVP"), *audio("8")]
        said, agreed = answer(sdp(*lines), ACCEPTED)
        assert [line.port for line in said.media] == [0, 20000]
        assert agreed.crypto is None


class TestOffering:
    def test_offered_is_best_effort_and_demanded_is_not(self) -> None:
        assert write_offer(OFFERED).media[0].protocol == "RTP/AVP"
        assert write_offer(DEMANDED).media[0].protocol == "RTP/SAVP"
        assert len(write_offer(OFFERED).media[0].all("crypto")) == len(SUITES)

    @pytest.mark.parametrize("policy", [Srtp.OFF, Srtp.ACCEPTED])
    def test_no_key_is_offered_otherwise(self, policy: Srtp) -> None:
        assert not write_offer(side(policy)).media[0].all("crypto")

    @pytest.mark.parametrize("caller", [OFFERED, DEMANDED])
    @pytest.mark.parametrize("policy", [Srtp.ACCEPTED, Srtp.OFFERED, Srtp.DEMANDED])
    def test_two_sides_end_up_with_each_others_keys(self, caller: LocalMedia, policy: Srtp) -> None:
        ours, theirs = agree(caller, side(policy, seed=2))
        assert ours.crypto is not None
        assert theirs.crypto is not None
        assert (ours.crypto.ours, ours.crypto.theirs) == (theirs.crypto.theirs, theirs.crypto.ours)
        assert ours.crypto.ours != ours.crypto.theirs

    def test_an_answer_without_keys_is_plain_unless_they_are_demanded(self) -> None:
        plain = answer(write_offer(OFFERED), our_side("pcmu"))[0]
        assert read_answer(write_offer(OFFERED), plain, OFFERED).crypto is None
        with pytest.raises(NoCommonCodec, match="demanded"):
            read_answer(write_offer(DEMANDED), plain, DEMANDED)

    def test_an_answer_under_another_tag_or_suite_takes_none_of_our_keys(self) -> None:
        offer = write_offer(DEMANDED)
        for line in (f"crypto:99 {SUITES[0]} {INLINE}", f"crypto:1 AES_CM_128_HMAC_SHA1_32 {INLINE}"):
            with pytest.raises(NoCommonCodec, match="none of our keys"):
                read_answer(offer, sdp(*audio("0", line, protocol="RTP/SAVP")), DEMANDED)

    def test_a_later_offer_of_an_encrypted_session_repeats_its_keys(self) -> None:
        said, agreed = answer(sdp(*audio("0", USUAL, protocol="RTP/SAVP")), ACCEPTED)
        again = write_offer(ACCEPTED, previous=said).media[0]
        assert agreed.crypto is not None
        assert again.protocol == "RTP/SAVP"
        assert base64.b64encode(agreed.crypto.ours).decode() in again.all("crypto")[0]

    def test_every_suite_has_a_key_of_its_own(self) -> None:
        keys = {LocalCrypto(Srtp.OFFERED, bytes(32)).key(suite)[:16] for suite in SUITES}
        assert len(keys) == len(SUITES)


def test_no_key_is_in_a_repr() -> None:
    _, agreed = answer(sdp(*audio("0", USUAL)), ACCEPTED)
    assert agreed.crypto is not None
    for shown in (repr(agreed), repr(ACCEPTED), repr(parse_crypto_untrusted(USUAL[7:]))):
        assert repr(KEY) not in shown
        assert repr(agreed.crypto.ours) not in shown
