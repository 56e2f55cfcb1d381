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
    read_answer,
    revise,
    write_offer,
)
from gateway.testing.sdp import audio, our_side, sdp

US = our_side()


def answered(*lines: str, local: LocalMedia = US, address: str = "198.51.100.9") -> NegotiatedMedia:
    return answer(sdp(*lines, address=address), local)[1]


def written(*lines: str, local: LocalMedia = US) -> list[str]:
    return answer(sdp(*lines), local)[0].to_bytes().decode().split("\r\n")


class TestWhatWeWrite:
    def test_an_offer_lists_everything_with_its_parameters(self):
        assert write_offer(US).to_bytes().decode().split("\r\n") == [
            "v=0",
            "o=tandem 7 0 IN IP4 192.0.2.1",
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

    def test_a_later_offer_uses_the_audio_line_that_is_in_use(self):
        before, _ = answer(sdp(*audio("0", protocol="RTP/SAVP"), *audio("9"), *audio("0")), US)

        again = write_offer(US, previous=before)

        assert [(each.protocol, each.port) for each in again.media] == [
            ("RTP/SAVP", 0),
            ("RTP/AVP", 0),
            ("RTP/AVP", 20000),
        ]


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
