from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.errors import BadMessage
from gateway.sdp import (
    CodecOffer,
    Direction,
    LocalMedia,
    NegotiatedMedia,
    NoCommonCodec,
    SessionDescription,
    answer,
    codec_offer,
    parse_sdp_untrusted,
    read_answer,
    revise,
    write_offer,
)

EVERYTHING = tuple(codec_offer(name) for name in ("pcmu", "pcma", "g729", "ilbc", "cn", "telephone-event"))
US = LocalMedia("192.0.2.1", 20000, EVERYTHING, session_id=7)


def sdp(*lines: str, address: str = "198.51.100.9") -> SessionDescription:
    text = ["v=0", "o=- 5 1 IN IP4 198.51.100.9", f"c=IN IP4 {address}", *lines]
    return parse_sdp_untrusted("\n".join(text).encode())


def audio(formats: str, *attributes: str, port: int = 4000, protocol: str = "RTP/AVP") -> list[str]:
    return [f"m=audio {port} {protocol} {formats}", *(f"a={each}" for each in attributes)]


def answered(*lines: str, local: LocalMedia = US, address: str = "198.51.100.9") -> NegotiatedMedia:
    return answer(sdp(*lines, address=address), local)[1]


def written(*lines: str, local: LocalMedia = US) -> list[str]:
    return answer(sdp(*lines), local)[0].to_bytes().decode().split("\r\n")


class TestWhatWeWrite:
    def test_an_offer_lists_everything_with_its_parameters(self):
        assert write_offer(US).to_bytes().decode().split("\r\n") == [
            "v=0",
            "o=- 7 0 IN IP4 192.0.2.1",
            "s=-",
            "c=IN IP4 192.0.2.1",
            "t=0 0",
            "m=audio 20000 RTP/AVP 0 8 18 97 13 101",
            "a=rtpmap:0 PCMU/8000",
            "a=rtpmap:8 PCMA/8000",
            "a=rtpmap:18 G729/8000",
            "a=fmtp:18 annexb=no",
            "a=rtpmap:97 iLBC/8000",
            "a=fmtp:97 mode=20",
            "a=rtpmap:13 CN/8000",
            "a=rtpmap:101 telephone-event/8000",
            "a=fmtp:101 0-16",
            "a=ptime:20",
            "a=sendrecv",
            "",
        ]

    def test_an_offer_on_ipv6_says_so(self):
        assert b"c=IN IP6 2001:db8::1\r\n" in write_offer(replace(US, address="2001:db8::1")).to_bytes()

    def test_the_version_rises_by_one_if_and_only_if_the_text_changed(self):
        first = write_offer(US)
        same = write_offer(US, previous=first)
        held = write_offer(replace(US, direction=Direction.INACTIVE), previous=same)
        moved = revise(held, write_offer(replace(US, address="192.0.2.2")))

        assert same == first
        assert [each.origin.version for each in (first, same, held, moved)] == ["0", "0", "1", "2"]
        assert moved.origin.address == "192.0.2.2"

    def test_a_later_offer_keeps_lines_and_numbers_of_the_session(self):
        """RFC 3264 section 8."""
        before, _ = answer(
            sdp("m=video 5000 RTP/AVP 31", *audio("102 97 0", "rtpmap:102 iLBC/8000", "rtpmap:97 x/8000")), US
        )
        local = replace(
            US, codecs=(codec_offer("pcmu"), codec_offer("ilbc"), codec_offer("telephone-event", 102))
        )

        again = write_offer(local, previous=before)

        assert [(each.media, each.port) for each in again.media] == [("video", 0), ("audio", 20000)]
        assert again.media[1].formats == ("0", "102", "96")


class TestTheAnswer:
    def test_it_has_the_lines_of_the_offer_and_takes_the_first_audio(self):
        lines = written(
            "m=video 5000 RTP/AVP 31 34",
            *audio("0"),
            "m=audio 4002 RTP/AVP 8",
            "m=image 4004 udptl t38",
            "m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
        )

        assert [line for line in lines if line.startswith("m=")] == [
            "m=video 0 RTP/AVP 31 34",
            "m=audio 20000 RTP/AVP 0",
            "m=audio 0 RTP/AVP 8",
            "m=image 0 udptl t38",
            "m=application 0 UDP/DTLS/SCTP webrtc-datachannel",
        ]

    def test_it_takes_the_second_audio_line_if_the_first_is_no_use(self):
        description, media = answer(sdp("m=audio 0 RTP/AVP 0", *audio("9"), *audio("8", port=4004)), US)

        assert [each.port for each in description.media] == [0, 0, 20000]
        assert (media.send.name, media.remote_rtp_port, media.media_index) == ("pcma", 4004, 2)

    def test_two_equal_lines_are_answered_each_by_itself(self):
        description, _ = answer(sdp(*audio("0"), *audio("0")), US)

        assert [each.port for each in description.media] == [20000, 0]

    def test_it_mirrors_the_numbers_of_the_offer(self):
        lines = written(*audio("120 110", "rtpmap:120 ilbc/8000", "rtpmap:110 TELEPHONE-EVENT/8000"))

        assert "m=audio 20000 RTP/AVP 120 110" in lines
        assert "a=rtpmap:120 iLBC/8000" in lines
        assert "a=rtpmap:110 telephone-event/8000" in lines

    def test_it_keeps_the_order_of_the_offer_and_sends_its_first(self):
        media = answered(*audio("9 18 8 0"))

        assert media.send == CodecOffer("g729", 18, fmtp="annexb=no")
        assert list(media.receive) == [18, 8, 0]
        assert media.reason == (
            "G729 annexb=no: the first of their G722, G729, PCMA, PCMU that we have (PCMU, PCMA, G729, iLBC)"
        )

    def test_a_codec_that_is_offered_twice_is_answered_once_and_received_on_both(self):
        description, media = answer(sdp(*audio("18 99", "rtpmap:99 G729a/8000")), US)

        assert description.media[0].formats == ("18",)
        assert list(media.receive) == [18, 99]

    def test_to_a_phone_that_cannot_switch_it_names_one_codec(self):
        lines = written(
            *audio("8 0 13 101", "rtpmap:101 telephone-event/8000"), local=replace(US, single_codec=True)
        )

        assert "m=audio 20000 RTP/AVP 8 13 101" in lines

    def test_it_says_no_annexb_when_the_offer_does(self):
        local = replace(US, codecs=(codec_offer("g729", fmtp="annexb=yes"),))

        assert "a=fmtp:18 annexb=no" in written(*audio("18", "fmtp:18 annexb=no"), local=local)
        assert "a=fmtp:18 annexb=yes" in written(*audio("18"), local=local)

    def test_it_writes_the_ilbc_mode_of_both(self):
        assert "a=fmtp:97 mode=30" in written(*audio("97", "rtpmap:97 iLBC/8000"))

    @pytest.mark.parametrize("protocol", ["RTP/AVP", "RTP/AVPF"])
    def test_it_repeats_the_transport_and_no_feedback(self, protocol: str):
        lines = written(*audio("0", "rtcp-fb:* nack", protocol=protocol))

        assert f"m=audio 20000 {protocol} 0" in lines
        assert not any("rtcp-fb" in line for line in lines)

    def test_best_effort_crypto_and_capability_negotiation_are_not_echoed(self):
        lines = written(
            *audio("0", "crypto:1 AES_CM_128_HMAC_SHA1_80 inline:x", "tcap:1 RTP/SAVP", "pcfg:1 t=1")
        )

        assert not any(word in line for line in lines for word in ("crypto", "tcap", "pcfg", "acfg"))

    def test_rtcp_mux_is_echoed_only_if_offered(self):
        """RFC 5761 section 5.1.1."""
        assert "a=rtcp-mux" in written(*audio("0", "rtcp-mux"))
        assert "a=rtcp-mux" not in written(*audio("0"))
        assert "a=rtcp-mux" not in written(*audio("0", "rtcp-mux"), local=replace(US, rtcp_mux=False))

    def test_a_reoffer_without_rtpmap_keeps_the_meaning_of_its_numbers(self):
        maps = ("rtpmap:98 iLBC/8000", "fmtp:98 mode=20", "rtpmap:99 telephone-event/8000")
        description, before = answer(sdp(*audio("98 99", *maps)), US)

        again, media = answer(sdp(*audio("98 99", "sendonly")), US, previous=description)

        assert (media.send, media.event_send_pt) == (before.send, 99)
        assert again.origin.version == "1"
        assert answer(sdp(*audio("98")), US, known=before.receive)[1].send == before.send


class TestTelephoneEvent:
    def test_the_clock_of_the_chosen_codec_decides(self):
        media = answered(
            *audio("0 110 126", "rtpmap:110 telephone-event/48000", "rtpmap:126 telephone-event/8000")
        )

        assert (media.event_send_pt, media.event_receive_pt, media.event_rate_hz) == (126, 126, 8000)

    def test_a_wideband_codec_takes_the_wide_clock_and_else_8000(self):
        local = replace(US, codecs=(CodecOffer("opus", 96, 48000), codec_offer("telephone-event")))
        both = ("rtpmap:9 telephone-event/8000", "rtpmap:110 telephone-event/48000")

        wide = answered(*audio("111 9 110", "rtpmap:111 opus/48000/2", *both), local=local)
        narrow = answered(*audio("111 9", "rtpmap:111 opus/48000/2", both[0]), local=local)

        assert (wide.event_send_pt, wide.event_rate_hz) == (110, 48000)
        assert (narrow.event_send_pt, narrow.event_rate_hz) == (9, 8000)

    def test_without_it_the_call_goes_on(self):
        media = answered(*audio("0"))

        assert (media.event_send_pt, media.event_receive_pt) == (None, None)

    def test_only_it_is_no_audio(self):
        with pytest.raises(NoCommonCodec, match="they have no codec"):
            answered(*audio("101", "rtpmap:101 telephone-event/8000"))


class TestHold:
    @pytest.mark.parametrize(
        ("offered", "wished", "ours"),
        [
            ("sendrecv", "sendrecv", "sendrecv"),
            ("sendrecv", "sendonly", "sendonly"),
            ("sendrecv", "inactive", "inactive"),
            ("sendonly", "sendrecv", "recvonly"),
            ("sendonly", "sendonly", "inactive"),
            ("recvonly", "sendrecv", "sendonly"),
            ("recvonly", "recvonly", "inactive"),
            ("inactive", "sendrecv", "inactive"),
        ],
    )
    def test_our_direction_answers_theirs(self, offered: str, wished: str, ours: str):
        """RFC 3264 section 6.1."""
        description, media = answer(sdp(*audio("0", offered)), replace(US, direction=Direction(wished)))

        assert media.direction == ours
        assert description.media[0].attribute(ours) == ""

    def test_the_direction_of_the_session_holds_for_its_lines(self):
        assert answered("a=sendonly", *audio("0")).direction == Direction.RECVONLY
        assert answered("a=sendonly", *audio("0", "sendrecv")).direction == Direction.SENDRECV

    @pytest.mark.parametrize("address", ["c=IN IP4 0.0.0.0", "c=IN IP6 ::", "c=IN IP6 0:0:0:0:0:0:0:0"])
    def test_the_null_address_means_do_not_send(self, address: str):
        """RFC 3264 section 8.4."""
        description, media = answer(sdp(audio("0")[0], address), US)

        assert media.direction == Direction.RECVONLY
        assert media.remote is None
        assert description.connection is not None
        assert description.connection.address == "192.0.2.1"

    def test_resuming_restores_the_address(self):
        held = answered(*audio("0"), address="0.0.0.0")
        resumed = answered(*audio("0"))

        assert (held.remote, resumed.remote) == (None, ("198.51.100.9", 4000))
        assert resumed.direction == Direction.SENDRECV


class TestPacketLength:
    @pytest.mark.parametrize(
        ("attributes", "ptime_ms"),
        [
            ([], 20),
            (["ptime:30"], 30),
            (["ptime:25"], 20),
            (["ptime:5"], 10),
            (["ptime:0"], 20),
            (["ptime:20.0"], 20),
            (["ptime:soon"], 20),
            (["ptime:120"], 60),
            (["maxptime:150"], 20),
            (["maxptime:10"], 10),
            (["ptime:40", "maxptime:30"], 30),
        ],
    )
    def test_their_wish_counts_in_whole_frames_up_to_the_limit(self, attributes: list[str], ptime_ms: int):
        description, media = answer(sdp(*audio("0", *attributes)), US)

        assert media.ptime_ms == ptime_ms
        assert description.media[0].attribute("ptime") == str(ptime_ms)

    @pytest.mark.parametrize(
        ("mode", "attribute", "ptime_ms"),
        [("30", "ptime:20", 30), ("20", "ptime:20", 20), ("30", "ptime:60", 60), ("20", "maxptime:10", 20)],
    )
    def test_ilbc_sends_whole_frames_of_its_mode(self, mode: str, attribute: str, ptime_ms: int):
        lines = audio("97", "rtpmap:97 iLBC/8000", f"fmtp:97 mode={mode}", attribute)

        assert answered(*lines).ptime_ms == ptime_ms

    def test_it_may_be_said_for_the_session(self):
        assert answered("a=ptime:40", *audio("0")).ptime_ms == 40

    def test_our_own_wish_holds_where_they_say_nothing(self):
        assert answered(*audio("0"), local=replace(US, ptime_ms=30)).ptime_ms == 30


class TestRtcp:
    @pytest.mark.parametrize(
        ("attributes", "remote"),
        [
            ([], ("198.51.100.9", 4001)),
            (["rtcp:5005"], ("198.51.100.9", 5005)),
            (["rtcp:5005 IN IP4 198.51.100.77"], ("198.51.100.77", 5005)),
            (["rtcp:99999"], ("198.51.100.9", 4001)),
            (["rtcp-mux", "rtcp:5005"], ("198.51.100.9", 4000)),
        ],
    )
    def test_it_goes_to_the_next_port_unless_they_say_otherwise(
        self, attributes: list[str], remote: tuple[str, int]
    ):
        """RFC 3605, RFC 5761."""
        assert answered(*audio("0", *attributes)).remote_rtcp == remote

    def test_no_bandwidth_is_no_rtcp(self):
        """RFC 3556 section 2."""
        assert answered(*audio("0"), "b=RS:0", "b=RR:0").remote_rtcp is None
        assert answered(*audio("0"), "b=RS:0").remote_rtcp is not None


class TestRefusal:
    @pytest.mark.parametrize(
        ("lines", "why", "warning"),
        [
            (audio("9 3"), "they have G722, GSM; we have PCMU, PCMA, G729, iLBC", 305),
            (audio("111", "rtpmap:111 opus/48000/2"), "they have OPUS/48000", 305),
            (audio("96"), "no codec that can be recognised", 305),
            (audio("0", protocol="RTP/SAVP"), "RTP/SAVP is encrypted media", 302),
            (audio("0", protocol="UDP/TLS/RTP/SAVPF"), "UDP/TLS/RTP/SAVPF is encrypted media", 302),
            (audio("0", protocol="TCP/MSRP"), "transport TCP/MSRP is unknown", 302),
            (audio("0", port=0), r"refused or removed \(port 0\)", 305),
            ([*audio("0"), "c=IN IP4 224.2.1.1"], "group address", 305),
            (["m=video 4 RTP/AVP 31"], "video is not carried here", 304),
            ([], "no media line", 304),
        ],
    )
    def test_it_is_a_488_that_says_why(self, lines: list[str], why: str, warning: int):
        with pytest.raises(NoCommonCodec, match=why) as refusal:
            answered(*lines)

        assert (refusal.value.status, refusal.value.warning) == (488, warning)

    def test_every_line_has_its_own_reason(self):
        with pytest.raises(NoCommonCodec) as refusal:
            answered("m=video 4 RTP/AVP 31", *audio("9"))

        assert str(refusal.value) == (
            "no audio in common: media line 1 (video): video is not carried here, only audio. "
            "media line 2 (audio): they have G722; we have PCMU, PCMA, G729, iLBC"
        )

    def test_an_audio_line_without_an_address_has_nowhere_to_send(self):
        with pytest.raises(NoCommonCodec, match="no address"):
            answer(parse_sdp_untrusted(b"v=0\nm=audio 4000 RTP/AVP 0"), US)


class TestReadingTheAnswer:
    def test_the_first_format_they_list_is_what_we_send(self):
        media = read_answer(write_offer(US), sdp(*audio("8 0")), US)

        assert (media.send.name, media.remote) == ("pcma", ("198.51.100.9", 4000))
        assert media.reason.startswith("PCMA: the first of their PCMA, PCMU")

    def test_each_direction_has_its_own_numbers(self):
        """RFC 3264 section 5.1: we send theirs, they send ours; some send theirs all the same."""
        offer = write_offer(US)
        reply = sdp(*audio("120 96", "rtpmap:120 iLBC/8000", "rtpmap:96 telephone-event/8000"))

        media = read_answer(offer, reply, US)

        assert media.send.payload_type == 120
        assert {number: codec.name for number, codec in media.receive.items()} == {97: "ilbc", 120: "ilbc"}
        assert (media.event_send_pt, media.event_receive_pt) == (96, 101)

    def test_a_number_of_theirs_does_not_displace_one_of_ours(self):
        reply = sdp(*audio("101 0", "rtpmap:101 iLBC/8000"))

        media = read_answer(write_offer(US), reply, US)

        assert media.send == CodecOffer("ilbc", 101, fmtp="mode=30")
        assert 101 not in media.receive

    def test_our_numbers_may_come_back_without_rtpmap(self):
        media = read_answer(write_offer(US), sdp(*audio("97 101")), US)

        assert (media.send.name, media.event_send_pt) == ("ilbc", 101)

    def test_parameters_hold_for_both_whoever_offered(self):
        local = replace(US, codecs=(codec_offer("g729", fmtp="annexb=yes"), codec_offer("ilbc")))
        offer = write_offer(local)

        assert read_answer(offer, sdp(*audio("18", "fmtp:18 annexb=no")), local).send.fmtp == "annexb=no"
        assert read_answer(offer, sdp(*audio("18")), local).send.fmtp == "annexb=yes"
        assert read_answer(offer, sdp(*audio("97", "rtpmap:97 iLBC/8000")), local).send.fmtp == "mode=30"

    def test_the_direction_is_ours_where_they_agree(self):
        held = replace(US, direction=Direction.SENDONLY)

        assert read_answer(write_offer(held), sdp(*audio("0", "recvonly")), held).direction == "sendonly"
        assert read_answer(write_offer(held), sdp(*audio("0", "inactive")), held).direction == "inactive"
        assert read_answer(write_offer(US), sdp(*audio("0", "recvonly")), US).direction == "sendonly"

    def test_mux_needs_offer_and_answer(self):
        muxed, plain = write_offer(US, rtcp_mux=True), write_offer(US)
        reply = sdp(*audio("0", "rtcp-mux"))

        assert read_answer(muxed, reply, US).rtcp_mux
        assert not read_answer(plain, reply, US).rtcp_mux
        assert not read_answer(muxed, sdp(*audio("0")), US).rtcp_mux

    def test_a_refused_line_is_no_audio(self):
        with pytest.raises(NoCommonCodec, match="port 0"):
            read_answer(write_offer(US), sdp(*audio("0", port=0)), US)

    def test_a_codec_that_was_not_offered_is_not_used(self):
        local = replace(US, codecs=(codec_offer("pcmu"),))

        with pytest.raises(NoCommonCodec, match="they have PCMA; we have PCMU"):
            read_answer(write_offer(local), sdp(*audio("8")), local)

    def test_a_late_offer_is_read_the_same_way(self):
        offer = parse_sdp_untrusted(write_offer(US).to_bytes())
        reply, theirs = answer(offer, LocalMedia("198.51.100.9", 4000, (codec_offer("pcma"),)))

        ours = read_answer(offer, parse_sdp_untrusted(reply.to_bytes()), US)

        assert ours.send == theirs.send == CodecOffer("pcma", 8)


def test_a_host_name_is_kept_but_is_nowhere_to_send():
    media = answered(*audio("0"), address="media.example.com")

    assert (media.remote_address, media.remote) == ("media.example.com", None)


def test_comfort_noise_is_sent_only_if_both_have_it():
    assert answered(*audio("0 13")).noise_send_pt == 13
    assert answered(*audio("0")).noise_send_pt is None
    assert answered(*audio("0 13"), local=replace(US, codecs=(codec_offer("pcmu"),))).noise_send_pt is None


attributes = st.sampled_from(
    [
        "rtpmap:97 iLBC/8000",
        "rtpmap:96 telephone-event/8000",
        "fmtp:97 mode=20",
        "fmtp:18 annexb=no",
        "ptime:30",
        "maxptime:5",
        "sendonly",
        "inactive",
        "rtcp:1 IN",
        "rtcp-mux",
        "rtpmap:18 opus/48000",
        "fmtp:96 0-",
        "fmtp:96 9-1",
        "rtpmap:127 CN/16000",
    ]
)
formats = st.lists(
    st.sampled_from(["0", "8", "18", "97", "96", "13", "127", "9", "x"]), min_size=1, max_size=8
)


@st.composite
def offers(draw: st.DrawFn) -> SessionDescription:
    port = draw(st.sampled_from([0, 4000, 65535]))
    lines = audio(" ".join(draw(formats)), *draw(st.lists(attributes, max_size=8)), port=port)
    address = draw(st.sampled_from(["198.51.100.9", "0.0.0.0", "name", "1.2.3"]))
    return sdp(*draw(st.sampled_from([[], ["m=video 1 RTP/AVP 9"]])), *lines, address=address)


@settings(max_examples=200)
@given(offers())
def test_both_ends_of_any_negotiation_come_to_the_same_terms(offer: SessionDescription):
    try:
        reply, theirs = answer(offer, US)
    except NoCommonCodec:
        return
    them = LocalMedia("198.51.100.9", 4000, EVERYTHING)
    ours = read_answer(offer, parse_sdp_untrusted(reply.to_bytes()), them)

    assert [each.media for each in reply.media] == [each.media for each in offer.media]
    assert sum(each.port > 0 for each in reply.media) == 1
    assert ours.send == theirs.send
    assert ours.direction.sends == theirs.direction.receives or theirs.remote is None
    assert theirs.send.payload_type in theirs.receive


@settings(max_examples=200)
@given(st.binary(max_size=80).map(lambda tail: b"v=0\nc=IN IP4 192.0.2.9\nm=audio 4 RTP/AVP 0\n" + tail))
def test_no_offer_that_parses_breaks_the_negotiation(data: bytes):
    try:
        answer(parse_sdp_untrusted(data), US)
    except (BadMessage, NoCommonCodec):
        pass
