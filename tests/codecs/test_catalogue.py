from __future__ import annotations

import pytest

from voicecodecs import CODECS, CodecError, Decoder, Encoder, codec, encode_frames


@pytest.mark.parametrize(("name", "sdp_name", "payload_type"), [("pcmu", "PCMU", 0), ("pcma", "PCMA", 8)])
def test_g711_shows_the_face_of_rfc_3551(name, sdp_name, payload_type):
    found = codec(name)

    assert (found.name, found.sdp_name, found.payload_type) == (name, sdp_name, payload_type)
    assert (found.rate_hz, found.frame_ms, found.frame_samples, found.frame_bytes) == (8000, 10, 80, 80)


def test_names_are_found_in_any_case():
    assert codec("PCMA") is codec("pcma")


@pytest.mark.parametrize("name", CODECS)
def test_frame_is_as_long_as_its_samples(name):
    assert codec(name).frame_samples == codec(name).rate_hz * codec(name).frame_ms // 1000


@pytest.mark.parametrize("name", ["g722", "opus", "l16"])
def test_planned_codecs_say_so_and_which_there_are(name):
    with pytest.raises(CodecError, match="is planned, but not there yet; there are g729, ilbc, pcma, pcmu"):
        codec(name)


def test_unknown_codecs_say_which_there_are():
    with pytest.raises(
        CodecError, match="'speex' is not a codec known here; there are g729, ilbc, pcma, pcmu"
    ):
        codec("speex")


@pytest.mark.parametrize("make", [Encoder, Decoder])
def test_bank_refuses_an_unknown_implementation(make):
    with pytest.raises(CodecError, match="implementation 'fast' is not known"):
        make("pcmu", implementation="fast")


@pytest.mark.parametrize(("make", "taken"), [(Encoder, "no options"), (Decoder, "no options but conceal")])
def test_bank_refuses_options_that_the_codec_does_not_have(make, taken):
    with pytest.raises(CodecError, match=f"a pcmu {make.__name__.lower()} takes {taken}; annexb was given"):
        make("pcmu", annexb=True)


def test_bank_refuses_a_value_that_is_none_of_the_option():
    with pytest.raises(CodecError, match="conceal=2: True or False is needed"):
        Decoder("pcmu", conceal=2)


@pytest.mark.parametrize("make", [Encoder, Decoder])
def test_bank_refuses_to_have_no_rows(make):
    with pytest.raises(CodecError, match="a bank of 0 rows"):
        make("pcmu", rows=0)


def test_codec_error_is_a_value_error(every_sample):
    with pytest.raises(ValueError, match="'g728'"):
        encode_frames(every_sample, "g728")
