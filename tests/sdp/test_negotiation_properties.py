from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.errors import BadMessage
from gateway.sdp import (
    LocalMedia,
    NoCommonCodec,
    SessionDescription,
    answer,
    parse_sdp_untrusted,
    read_answer,
)
from gateway.testing.sdp import audio, our_side, sdp

US = our_side()


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
    them = LocalMedia("198.51.100.9", 4000, US.codecs)
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
