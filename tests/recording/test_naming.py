"""What recordings are called and where they go (section 9 of the wire format)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import LocalError
from gateway.recording.naming import FORMATS, call_name, conference_name, destination_of, folder_name

AT = 1_717_683_614.0  # 2024-06-06T14:20:14Z


@pytest.mark.parametrize(
    ("asked", "url", "name"),
    [
        ("", "", "stem.mp3"),
        ("sdrive://", "", "stem.mp3"),
        ("sdrive://mine.wav", "", "mine.wav"),
        ("s3://bucket", "s3://bucket/stem.mp3", "stem.mp3"),
        ("s3://bucket/", "s3://bucket/stem.mp3", "stem.mp3"),
        ("s3://bucket/folder/", "s3://bucket/folder/stem.mp3", "stem.mp3"),
        ("s3://bucket/a/b/mine.ogg", "s3://bucket/a/b/mine.ogg", "mine.ogg"),
        ("S3://bucket/mine", "s3://bucket/mine.mp3", "mine.mp3"),
        ("azure://account/container", "azure://account/container/stem.mp3", "stem.mp3"),
        ("azure://account/container/mine.mp3", "azure://account/container/mine.mp3", "mine.mp3"),
    ],
)
def test_a_destination_without_a_file_gets_the_usual_name(asked, url, name):
    place = destination_of(asked, format="mp3", stem="stem")

    assert (place.url, place.name) == (url, name)


def test_the_extension_of_a_given_name_decides_the_format():
    assert destination_of("sdrive://mine.wav", format="mp3", stem="stem").format == "wav"
    assert destination_of("sdrive://v1.2", format="wav", stem="stem").name == "v1.2.wav"


@pytest.mark.parametrize(
    "asked",
    [
        "http://example.org/x",
        "file:///etc/passwd",
        "s3://",
        "s3://UPPER",
        "azure://account",
        "azure://a/b",
        "bucket",
    ],
)
def test_there_are_no_other_places(asked):
    with pytest.raises(LocalError, match="recordings go to"):
        destination_of(asked, format="mp3", stem="stem")


def test_there_are_no_other_formats():
    with pytest.raises(LocalError, match="recordings are wav, mp3, ogg, opus"):
        destination_of("", format="flac", stem="stem")


def test_usual_names_say_when_whose_and_what():
    assert call_name("key-1", "call-1", AT) == "20240606142014_key-1_call-1"
    assert conference_name("key-1", "stand up", AT) == "stand_up.key-1.20240606142014"


@given(st.text(), st.text(max_size=40), st.text(max_size=40))
def test_a_name_never_leaves_its_folder(asked, conference, application):
    stem = conference_name(application, conference, AT)
    try:
        place = destination_of(f"sdrive://{asked}", format="wav", stem=stem)
    except LocalError:
        return

    for name in (place.name, folder_name(application)):
        assert "/" not in name
        assert not name.startswith(".")
    assert place.name.rpartition(".")[2].lower() in FORMATS
