"""A browser's offers and answers: what is said to Chromium's, line by line, and why others are refused."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gateway.sdp import LocalMedia, NegotiatedMedia, NoCommonCodec, answer, read_answer, write_offer
from gateway.sdp.crypto import LocalCrypto, Srtp
from gateway.sdp.description import SessionDescription, parse_sdp_untrusted
from gateway.testing.sdp import our_side

OURS, THEIRS = "sha-256 AA:BB", "sha-256 4A:AD:B9:B1"
OFFER = f"""v=0
o=- 46117317 2 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0 1
a=extmap-allow-mixed
m=audio 9 UDP/TLS/RTP/SAVPF 111 9 0 8 126
c=IN IP4 0.0.0.0
a=rtcp:9 IN IP4 0.0.0.0
a=candidate:1 1 udp 2113937151 6f1f0c9e-1.local 51000 typ host
a=ice-ufrag:8hhY
a=ice-pwd:asd88fgpdd777uzjYhagZgcd
a=fingerprint:{THEIRS}
a=setup:actpass
a=mid:0
a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level
a=sendrecv
a=rtcp-mux
a=rtpmap:111 opus/48000/2
a=rtcp-fb:111 transport-cc
a=rtpmap:126 telephone-event/8000
m=video 9 UDP/TLS/RTP/SAVPF 96
c=IN IP4 0.0.0.0
a=mid:1
a=rtpmap:96 VP8/90000
"""


def side(policy: Srtp = Srtp.ACCEPTED, *, fingerprint: str = OURS) -> LocalMedia:
    crypto = LocalCrypto(policy, bytes(32), fingerprint=fingerprint)
    return replace(our_side("pcmu", "pcma"), crypto=crypto)


def answered(
    text: str = OFFER, local: LocalMedia | None = None
) -> tuple[SessionDescription, NegotiatedMedia]:
    return answer(parse_sdp_untrusted(text.encode()), local or side())


def refusal(text: str, local: LocalMedia | None = None) -> str:
    with pytest.raises(NoCommonCodec) as refused:
        answered(text, local)
    assert (refused.value.status, refused.value.warning) == (488, 302)
    return str(refused.value)


def test_the_answer_is_lite_waits_for_the_handshake_and_names_one_candidate() -> None:
    said, _ = answered()
    line = said.media[0]
    assert said.attribute("ice-lite") == ""
    assert said.attribute("group") == "BUNDLE 0"
    assert (line.protocol, line.attribute("mid"), line.attribute("setup")) == (
        "UDP/TLS/RTP/SAVPF",
        "0",
        "passive",
    )
    assert line.attribute("fingerprint") == OURS
    assert line.attribute("rtcp-mux") == ""
    local = side()
    assert line.attribute("candidate") == f"1 1 udp 2130706431 {local.address} {local.rtp_port} typ host"


def test_lengths_are_those_of_rfc_8839() -> None:
    line = answered()[0].media[0]
    assert len(line.attribute("ice-ufrag") or "") >= 4
    assert len(line.attribute("ice-pwd") or "") >= 22


def test_video_is_refused_by_its_name_in_its_place() -> None:
    video = answered()[0].media[1]
    assert (video.media, video.port, video.attribute("mid")) == ("video", 0, "1")


def test_the_placeholders_of_address_and_port_are_neither_hold_nor_somewhere_to_send() -> None:
    _, negotiated = answered()
    assert (negotiated.remote, negotiated.remote_rtcp) == (None, None)
    assert negotiated.direction.sends
    assert negotiated.direction.receives


def test_what_the_peer_must_show_is_agreed_with_what_its_checks_are_made_with() -> None:
    said, negotiated = answered()
    assert negotiated.webrtc is not None
    assert negotiated.webrtc.fingerprints == (THEIRS,)
    assert negotiated.webrtc.ufrag == said.media[0].attribute("ice-ufrag")
    assert negotiated.webrtc.password == said.media[0].attribute("ice-pwd")
    assert negotiated.webrtc.password not in repr(negotiated)


def test_what_stands_above_the_lines_counts_for_them() -> None:
    session = [
        f"a=fingerprint:{THEIRS}",
        "a=ice-ufrag:8hhY",
        "a=ice-pwd:asd88fgpdd777uzjYhagZgcd",
        "a=setup:actpass",
    ]
    text = OFFER
    for each in session:
        text = text.replace(f"{each}\n", "")
    above = text.replace("a=extmap-allow-mixed\n", "".join(f"{each}\n" for each in session))
    _, negotiated = answered(above)
    assert negotiated.webrtc is not None
    assert negotiated.webrtc.fingerprints == (THEIRS,)


def test_the_same_offer_again_is_no_restart_and_another_ufrag_is_one() -> None:
    first, again, restarted = answered(), answered(), answered(OFFER.replace("8hhY", "9iiZ"))
    assert first == again
    assert first[1].webrtc != restarted[1].webrtc


@pytest.mark.parametrize("policy", [Srtp.ACCEPTED, Srtp.OFFERED, Srtp.DEMANDED])
def test_it_is_encryption_enough_for_who_demands_it(policy: Srtp) -> None:
    assert answered(local=side(policy))[1].webrtc is not None


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("a=ice-ufrag:8hhY\n", "", "with ICE only"),
        ("a=ice-pwd:asd88fgpdd777uzjYhagZgcd\n", "", "with ICE only"),
        (f"a=fingerprint:{THEIRS}\n", "", "no a=fingerprint"),
        (f"a=fingerprint:{THEIRS}\n", "a=fingerprint:md5 AA:BB\n", "no a=fingerprint"),
        ("a=setup:actpass", "a=setup:holdconn", "a=setup"),
        ("a=rtcp-mux\n", "", "a=rtcp-mux"),
    ],
)
def test_a_line_that_cannot_be_used_is_refused_in_words(before: str, after: str, words: str) -> None:
    assert words in refusal(OFFER.replace(before, after))


@pytest.mark.parametrize("local", [side(Srtp.OFF), side(fingerprint=""), our_side("pcmu")])
def test_who_has_no_encryption_says_so(local: LocalMedia) -> None:
    assert "which this leg does not do" in refusal(OFFER, local)


def test_an_answer_with_a_handshake_to_an_offer_without_is_refused() -> None:
    offer = write_offer(side())
    with pytest.raises(NoCommonCodec, match="which this leg does not do"):
        read_answer(offer, parse_sdp_untrusted(OFFER.encode()), side())


@pytest.mark.parametrize(
    ("setup", "ours", "begins"), [("active", "passive", False), ("passive", "active", True)]
)
def test_who_insists_on_a_role_in_the_handshake_gets_it(setup: str, ours: str, begins: bool) -> None:
    said, negotiated = answered(OFFER.replace("actpass", setup))
    assert said.media[0].attribute("setup") == ours
    assert negotiated.webrtc is not None
    assert negotiated.webrtc.begins == begins


def to_browser() -> LocalMedia:
    return replace(side(), webrtc=True)


def browser_answers(
    offer: SessionDescription, *, setup: str = "active", ufrag: str = "8hhY"
) -> NegotiatedMedia:
    return read_answer(offer, chromium(setup=setup, ufrag=ufrag), to_browser())


def chromium(
    *, setup: str = "active", ufrag: str = "8hhY", direction: str = "sendrecv"
) -> SessionDescription:
    """Return what Chromium answers to our offers, or offers later."""
    text = f"""v=0
o=- 46117317 3 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0
m=audio 51000 UDP/TLS/RTP/SAVPF 0 8 101
c=IN IP4 192.0.2.9
a=candidate:1 1 udp 2113937151 6f1f0c9e-1.local 51000 typ host
a=ice-ufrag:{ufrag}
a=ice-pwd:asd88fgpdd777uzjYhagZgcd
a=fingerprint:{THEIRS}
a=setup:{setup}
a=mid:0
a={direction}
a=rtcp-mux
a=rtpmap:101 telephone-event/8000
"""
    return parse_sdp_untrusted(text.encode())


def test_our_offer_to_a_browser_has_all_that_it_asks_for() -> None:
    offer = write_offer(to_browser())
    line, local = offer.media[0], to_browser()
    assert (offer.attribute("ice-lite"), offer.attribute("group")) == ("", "BUNDLE 0")
    assert (line.protocol, line.attribute("mid"), line.attribute("rtcp-mux")) == (
        "UDP/TLS/RTP/SAVPF",
        "0",
        "",
    )
    assert (line.attribute("fingerprint"), line.attribute("setup")) == (OURS, "actpass")
    assert line.attribute("candidate") == f"1 1 udp 2130706431 {local.address} {local.rtp_port} typ host"
    assert line.attribute("crypto") is None


@pytest.mark.parametrize("local", [side(Srtp.OFF), side(fingerprint=""), our_side("pcmu")])
def test_who_has_no_encryption_offers_none_to_browsers_either(local: LocalMedia) -> None:
    assert write_offer(replace(local, webrtc=True)).media[0].protocol == "RTP/AVP"


@pytest.mark.parametrize(("setup", "begins"), [("active", False), ("passive", True)])
def test_a_browser_answers_with_what_its_certificate_shows_and_who_begins(setup: str, begins: bool) -> None:
    offer = write_offer(to_browser())
    webrtc = browser_answers(offer, setup=setup).webrtc
    assert webrtc is not None
    assert (webrtc.ufrag, webrtc.password) == tuple(
        offer.media[0].attribute(name) for name in ("ice-ufrag", "ice-pwd")
    )
    assert (webrtc.fingerprints, webrtc.begins) == ((THEIRS,), begins)


def test_where_its_answer_says_it_is_nothing_is_sent() -> None:
    assert browser_answers(write_offer(to_browser())).remote is None


def test_an_answer_without_a_handshake_to_an_offer_with_one_is_refused() -> None:
    plain = parse_sdp_untrusted(b"v=0\nc=IN IP4 192.0.2.9\nm=audio 4000 RTP/AVP 0")
    with pytest.raises(NoCommonCodec, match="takes no handshake"):
        read_answer(write_offer(to_browser()), plain, to_browser())


@pytest.mark.parametrize("setup", ["active", "passive"])
def test_a_hold_by_a_browser_that_was_called_changes_neither_path_nor_roles(setup: str) -> None:
    offer = write_offer(to_browser())
    before = browser_answers(offer, setup=setup).webrtc
    held = chromium(setup="actpass", direction="sendonly")
    said, negotiated = answer(held, to_browser(), webrtc=before)
    line = said.media[0]
    assert negotiated.webrtc == before
    assert line.attribute("ice-ufrag") == offer.media[0].attribute("ice-ufrag")
    assert line.attribute("setup") == {"active": "passive", "passive": "active"}[setup]


def test_a_restart_by_a_browser_that_was_called_gets_credentials_of_its_own() -> None:
    before = browser_answers(write_offer(to_browser())).webrtc
    _, negotiated = answer(chromium(setup="actpass", ufrag="9iiZ"), to_browser(), webrtc=before)
    assert before is not None
    assert negotiated.webrtc is not None
    assert negotiated.webrtc.ufrag != before.ufrag
    assert negotiated.webrtc.fingerprints == before.fingerprints


def test_a_later_offer_of_ours_is_no_restart() -> None:
    first = write_offer(to_browser())
    again = write_offer(to_browser(), previous=first)
    assert again == first
    said, _ = answered()
    later = write_offer(side(), previous=said)
    for name in ("ice-ufrag", "ice-pwd", "mid", "fingerprint"):
        assert later.media[0].attribute(name) == said.media[0].attribute(name)
    assert later.media[0].attribute("setup") == "actpass"
    assert [line.port for line in later.media[1:]] == [0]
