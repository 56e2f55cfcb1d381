from dataclasses import replace

import pytest

from gateway.sdp import (
    CodecOffer,
    Direction,
    LocalMedia,
    NegotiatedMedia,
    NoCommonCodec,
    answer,
    codec_offer,
    parse_sdp_untrusted,
)
from gateway.testing.sdp import audio, our_side, sdp

US = our_side()


def answered(*lines: str, local: LocalMedia = US, address: str = "198.51.100.9") -> NegotiatedMedia:
    return answer(sdp(*lines, address=address), local)[1]


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


def test_a_host_name_is_kept_but_is_nowhere_to_send():
    media = answered(*audio("0"), address="media.example.com")

    assert (media.remote_address, media.remote) == ("media.example.com", None)


def test_comfort_noise_is_sent_only_if_both_have_it():
    assert answered(*audio("0 13")).noise_send_pt == 13
    assert answered(*audio("0")).noise_send_pt is None
    assert answered(*audio("0 13"), local=replace(US, codecs=(codec_offer("pcmu"),))).noise_send_pt is None
