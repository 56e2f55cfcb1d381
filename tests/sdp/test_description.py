import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.errors import BadMessage, LocalError
from gateway.sdp.description import (
    Attribute,
    Connection,
    MediaDescription,
    Origin,
    SessionDescription,
    parse_sdp_untrusted,
)

PHONE = (
    b"v=0\r\no=alice 2890844526 3 IN IP4 192.0.2.7\r\ns=call\r\nc=IN IP4 192.0.2.7\r\nb=AS:80\r\nt=0 0\r\n"
    b"a=tool:phone\r\nm=audio 49170 RTP/AVP 0 101\r\nc=IN IP4 192.0.2.8\r\n"
    b"a=rtpmap:101 telephone-event/8000\r\na=sendonly\r\nm=video 0 RTP/AVP 31\r\n"
)


def media_of(text: str) -> MediaDescription:
    return parse_sdp_untrusted(f"v=0\n{text}".encode()).media[0]


def test_a_description_is_read_into_its_parts():
    description = parse_sdp_untrusted(PHONE)

    assert description.origin == Origin("2890844526", "3", "192.0.2.7", "alice")
    assert description.name == "call"
    assert description.bandwidth == (("AS", "80"),)
    assert description.attribute("tool") == "phone"
    assert [(each.media, each.port, each.formats) for each in description.media] == [
        ("audio", 49170, ("0", "101")),
        ("video", 0, ("31",)),
    ]


def test_the_address_of_the_line_wins_over_that_of_the_session():
    description = parse_sdp_untrusted(PHONE)

    assert description.connection_of(description.media[0]) == Connection("192.0.2.8")
    assert description.connection_of(description.media[1]) == Connection("192.0.2.7")


def test_what_is_written_strictly_is_read_and_written_the_same():
    assert parse_sdp_untrusted(PHONE).to_bytes() == PHONE


def test_an_attribute_is_a_value_a_flag_or_absent():
    line = media_of("m=audio 4 RTP/AVP 0\na=sendonly\na=rtpmap:0 PCMU/8000\na=rtpmap:8 PCMA/8000")

    assert line.attribute("sendonly") == ""
    assert line.attribute("inactive") is None
    assert line.all("rtpmap") == ("0 PCMU/8000", "8 PCMA/8000")


@pytest.mark.parametrize(
    "text",
    [
        "v=0\no=- 1 1 IN IP4 192.0.2.1\ns=-\nc=IN IP4 192.0.2.1\nt=0 0\nm=audio 4000 RTP/AVP 0\n",
        "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0",
        "v=0\no=- 1 1 IN IP4 192.0.2.1\ns=\nt=0 0\nt=1 2\nr=7d\nc=IN IP4 192.0.2.1\nm=audio 4000 RTP/AVP 0",
        "v=0\no=- 1 1 IN IP4 192.0.2.1\nc=IN IP4 192.0.2.1\nm=audio 4000 RTP/AVP 0",
        "o=- 1 1 IN IP4 192.0.2.1\nc=IN IP4 192.0.2.1\nv=0\nk=clear:x\n\ni=why\nm=audio 4000 RTP/AVP 0",
        "v=0 \no=- 1 1 IN IP4 192.0.2.1\nc=in ip4 192.0.2.1/127\nm=audio 4000/1  RTP/AVP  0 \nX=later\n",
    ],
    ids=[
        "bare-lf",
        "no-last-line-end",
        "empty-name-many-times",
        "no-name-no-time",
        "out-of-order",
        "odd-spaces",
    ],
)
def test_what_real_peers_write_is_read_and_written_strictly(text: str):
    assert parse_sdp_untrusted(text.encode()).to_bytes() == (
        b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n"
    )


def test_spaces_in_the_user_name_do_not_shift_the_origin():
    origin = parse_sdp_untrusted(b"v=0\no=Cisco Systems CCM 17 2 IN IP4 192.0.2.1\n").origin

    assert origin == Origin("17", "2", "192.0.2.1", "Cisco_Systems_CCM")


def test_ipv6_is_written_as_ip6():
    assert str(Connection("2001:db8::1")) == "IN IP6 2001:db8::1"
    assert parse_sdp_untrusted(b"v=0\nc=IN IP6 [2001:db8::1]").connection == Connection("2001:db8::1")


def test_a_refused_line_may_come_without_a_format():
    assert media_of("m=audio 0 RTP/AVP").formats == ("0",)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "without v=0"),
        ("v=1", "without v=0"),
        ("hello", "not <letter>=<value>"),
        ("v=0\na:b", "not <letter>=<value>"),
        ("v=0\no=1 2 3", "o= line with 3 fields"),
        ("v=0\nc=IN IP4", "c= line"),
        ("v=0\nc=ATM NSAP 47", "c= line"),
        ("v=0\nc=IN IP4 /127", "without an address"),
        ("v=0\nm=audio", "m= line with 1 fields"),
        ("v=0\nm=audio 65536 RTP/AVP 0", "port '65536'"),
        ("v=0\nm=audio -1 RTP/AVP 0", "port '-1'"),
        ("v=0\nm=audio \u0661 RTP/AVP 0", "with port"),
        ("v=0\nm=audio 4000 RTP/AVP", "without a format"),
        ("v=0\0", "NUL"),
    ],
)
def test_what_is_beyond_reading_says_which_line(text: str, why: str):
    with pytest.raises(BadMessage, match=why):
        parse_sdp_untrusted(text.encode())


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("v=0\n" + "a=x\n" * 5000, "20004 bytes, the limit is 16384"),
        ("v=0\n" + "m=audio 1 RTP/AVP 0\n" * 17, "17 media lines, the limit is 16"),
        ("v=0\nm=audio 1 RTP/AVP" + " 0" * 65, "65 formats, the limit is 64"),
    ],
)
def test_a_stranger_cannot_send_more_than_the_limits(text: str, why: str):
    with pytest.raises(BadMessage, match=why):
        parse_sdp_untrusted(text.encode())


def test_the_limits_themselves_are_allowed():
    formats = " ".join(str(n) for n in range(64))

    assert (
        len(parse_sdp_untrusted(f"v=0\n{f'm=audio 1 RTP/AVP {formats}{chr(10)}' * 16}".encode()).media) == 16
    )


def test_a_value_cannot_break_out_of_its_line():
    evil = SessionDescription(attributes=(Attribute("tool", "x\r\nm=audio 9 RTP/AVP 0"),))

    with pytest.raises(LocalError, match="line end"):
        evil.to_bytes()


lines = st.lists(
    st.one_of(
        st.sampled_from(
            [
                "v=0",
                "o=- 1 1 IN IP4 192.0.2.1",
                "o=a b c",
                "s=-",
                "t=0 0",
                "c=IN IP4 0.0.0.0",
                "c=IN IP6 ::1/3",
                "m=",
                "m=audio 4000 RTP/AVP 0 8 18",
                "m=audio 0 x 1",
                "m=video 9 RTP/AVP 99",
                "a=sendonly",
                "a=:",
                "a=x:y:z",
                "a=rtpmap:99 iLBC/8000",
                "a=fmtp:99 mode=20",
                "b=AS:1",
                "b=x",
                "=",
                "v=",
                " v=0",
                "a= x : y ",
            ]
        ),
        st.text(max_size=20),
    ),
    max_size=12,
)


@settings(max_examples=200)
@given(st.one_of(st.binary(max_size=200), lines.map(lambda each: "\n".join(["v=0", *each]).encode())))
def test_any_bytes_are_read_or_refused_and_what_is_read_survives_writing(data: bytes):
    try:
        description = parse_sdp_untrusted(data)
    except BadMessage:
        return

    assert parse_sdp_untrusted(description.to_bytes()) == description
