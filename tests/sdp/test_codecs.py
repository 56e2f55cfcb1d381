import pytest

from gateway.sdp.codecs import (
    CODECS,
    CodecOffer,
    agree,
    annexb,
    codec_offer,
    format_attributes,
    frame_ms,
    ilbc_mode_ms,
    read_codecs,
)
from gateway.sdp.description import MediaDescription, parse_sdp_untrusted


def line(formats: str, *attributes: str) -> MediaDescription:
    text = "\n".join(["v=0", f"m=audio 4000 RTP/AVP {formats}", *(f"a={each}" for each in attributes)])
    return parse_sdp_untrusted(text.encode()).media[0]


def names(media: MediaDescription) -> list[tuple[int, str, int]]:
    return [(codec.payload_type, codec.name, codec.rate_hz) for codec in read_codecs(media)]


def test_static_payload_types_need_no_rtpmap():
    assert names(line("0 8 18 13 9 3 4")) == [
        (0, "pcmu", 8000),
        (8, "pcma", 8000),
        (18, "g729", 8000),
        (13, "cn", 8000),
        (9, "g722", 8000),
        (3, "gsm", 8000),
        (4, "g723", 8000),
    ]


def test_an_rtpmap_wins_over_the_static_meaning():
    assert names(line("18", "rtpmap:18 iLBC/8000")) == [(18, "ilbc", 8000)]


@pytest.mark.parametrize("written", ["G729", "g729", "G729A", "G729a", "G729B", "G729AB", "G.729", "G.729a"])
def test_every_name_of_g729_is_g729(written: str):
    assert names(line("99", f"rtpmap:99 {written}/8000")) == [(99, "g729", 8000)]


@pytest.mark.parametrize("written", ["pcmu", "PcmU", "PCMU"])
def test_names_compare_without_case(written: str):
    assert names(line("0", f"rtpmap:0 {written}/8000")) == [(0, "pcmu", 8000)]


def test_an_unknown_or_unmapped_format_is_dropped_and_not_the_call():
    media = line("96 97 128 999 x 0", "rtpmap:96 opus/48000/2", "rtpmap:97 broken", "rtpmap:x y/z")

    assert names(media) == [(96, "opus", 48000), (0, "pcmu", 8000)]


def test_a_dynamic_number_without_rtpmap_keeps_its_last_meaning():
    known = {98: CodecOffer("ilbc", 98, fmtp="mode=20")}

    assert read_codecs(line("98"), known) == (CodecOffer("ilbc", 98, fmtp="mode=20"),)
    assert read_codecs(line("98", "rtpmap:98 speex/8000"), known) == (CodecOffer("speex", 98),)


def test_a_number_that_is_listed_twice_counts_once():
    assert names(line("18 18 0")) == [(18, "g729", 8000), (0, "pcmu", 8000)]


def test_annexb_of_two_fmtp_lines_is_the_intersection():
    for lines in (["annexb=yes", "annexb=no"], ["annexb=no", "annexb=yes"]):
        (codec,) = read_codecs(line("18", *(f"fmtp:18 {each}" for each in lines)))
        assert not annexb(codec)


def test_of_other_repeated_fmtp_lines_the_first_counts():
    (codec,) = read_codecs(line("97", "rtpmap:97 iLBC/8000", "fmtp:97 mode=20", "fmtp:97 mode=30"))

    assert ilbc_mode_ms(codec) == 20


@pytest.mark.parametrize(
    ("theirs", "ours", "agreed"),
    [
        ("", "", "annexb=yes"),
        ("annexb=yes", "", "annexb=yes"),
        ("annexb=no", "", "annexb=no"),
        ("annexb=no", "annexb=yes", "annexb=no"),
        ("", "annexb=no", "annexb=no"),
        ("AnnexB = NO", "", "annexb=no"),
    ],
)
def test_annexb_needs_both_sides_and_absent_is_yes(theirs: str, ours: str, agreed: str):
    """RFC 4856 section 2.1.9, RFC 7261 section 3.3."""
    assert agree(CodecOffer("g729", 18, fmtp=theirs), CodecOffer("g729", 18, fmtp=ours)).fmtp == agreed


@pytest.mark.parametrize(
    ("theirs", "ours", "agreed"),
    [
        ("mode=20", "mode=20", "mode=20"),
        ("mode=30", "mode=20", "mode=30"),
        ("mode=20", "mode=30", "mode=30"),
        ("", "mode=20", "mode=30"),
        ("mode=20;x=y", "mode=20", "mode=20"),
        ("mode=25", "mode=20", "mode=30"),
    ],
)
def test_ilbc_is_30_ms_if_either_side_says_so_or_nothing(theirs: str, ours: str, agreed: str):
    """RFC 3952 section 5."""
    both = agree(CodecOffer("ilbc", 97, fmtp=theirs), CodecOffer("ilbc", 97, fmtp=ours))

    assert both.fmtp == agreed
    assert frame_ms(both) == ilbc_mode_ms(both) == int(agreed[-2:])


@pytest.mark.parametrize(
    ("theirs", "agreed"),
    [
        ("", "0-15"),
        ("0-15", "0-15"),
        ("0-16", "0-16"),
        ("0-11,16", "0-11,16"),
        ("0-255", "0-16"),
        ("nonsense", "0-15"),
        ("1", "1"),
    ],
)
def test_telephone_events_are_what_both_know_and_absent_is_0_to_15(theirs: str, agreed: str):
    """RFC 4733 section 2.4.1."""
    assert (
        agree(CodecOffer("telephone-event", 96, fmtp=theirs), codec_offer("telephone-event")).fmtp == agreed
    )


def test_formats_are_written_with_the_name_the_standard_gives_them():
    codecs = [codec_offer(name) for name in CODECS]

    assert [str(each) for each in format_attributes(codecs)] == [
        "rtpmap:0 PCMU/8000",
        "rtpmap:8 PCMA/8000",
        "rtpmap:18 G729/8000",
        "fmtp:18 annexb=no",
        "rtpmap:97 iLBC/8000",
        "fmtp:97 mode=20",
        "rtpmap:13 CN/8000",
        "rtpmap:101 telephone-event/8000",
        "fmtp:101 0-16",
    ]
