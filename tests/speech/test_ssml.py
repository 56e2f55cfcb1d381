"""SSML: what its marks change in what is heard, and what they cannot do."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.speech.port import BadMarkup, Pause, SpeechError, TooLong, Words
from gateway.speech.ssml import plain_script, read_ssml


def _pieces(inside):
    script = read_ssml(f"<speak>{inside}</speak>")
    assert script.remarks == ()
    return list(script.pieces)


@pytest.mark.parametrize(
    ("inside", "pieces"),
    [
        ("Hello  there", [Words("Hello there")]),
        ('a<break time="500ms"/>b', [Words("a"), Pause(0.5), Words("b")]),
        ('a<break time="2s"/>b', [Words("a"), Pause(2.0), Words("b")]),
        ('a<break strength="strong"/>b', [Words("a"), Pause(0.7), Words("b")]),
        ('a<break strength="none"/>b', [Words("a b")]),
        ('a<break time="9000s"/>b', [Words("a"), Pause(10.0), Words("b")]),
        ("<s>a</s><s>b</s>", [Words("a"), Pause(0.35), Words("b")]),
        ("<p>a</p><p>b</p>", [Words("a"), Pause(0.7), Words("b")]),
        ('<sub alias="World Wide Web">WWW</sub>', [Words("World Wide Web")]),
        ('<say-as interpret-as="characters">ab1</say-as>', [Words("A, B, 1")]),
        ('<say-as interpret-as="digits">123</say-as>', [Words("1 2 3")]),
        ('<say-as interpret-as="telephone">+46 70-12</say-as>', [Words("+ 4 6, 7 0, 1 2")]),
        ('<say-as interpret-as="cardinal">123</say-as>', [Words("123")]),
        ('a <say-as interpret-as="expletive">bad</say-as> b', [Words("a b")]),
        ('<prosody rate="slow">a</prosody>', [Words("a", speed=0.75)]),
        ('<prosody rate="120%">a</prosody>', [Words("a", speed=1.2)]),
        ('<prosody pitch="+10%">a</prosody>', [Words("a", pitch=1.1)]),
        ('<prosody volume="-6dB">a</prosody>', [Words("a", gain_db=-6.0)]),
        ("<emphasis>a</emphasis>", [Words("a", 0.93, 1.08, 1.5)]),
        ("R&amp;D", [Words("R&D")]),
    ],
)
def test_a_mark_changes_what_is_heard(inside, pieces):
    assert _pieces(inside) == pieces


def test_marks_inside_marks_add_up():
    assert _pieces('<prosody rate="50%"><prosody rate="200%">a</prosody></prosody>') == [Words("a")]


@pytest.mark.parametrize(
    ("inside", "spoken"),
    [
        ('<amazon:effect name="whispered">psst</amazon:effect>', "psst"),
        ('<say-as interpret-as="date">2026-01-01</say-as>', "2026-01-01"),
        ('<prosody duration="3s">so</prosody>', "so"),
        ('<break time="soon"/>a', "a"),
        ("a < b", "a < b"),
        ("<s>a", "a"),
    ],
)
def test_what_is_not_understood_is_spoken_and_remarked(inside, spoken):
    script = read_ssml(inside)

    assert "".join(piece.text for piece in script.pieces if isinstance(piece, Words)) == spoken
    assert len(script.remarks) == 1


@pytest.mark.parametrize(
    "document",
    [
        '<!DOCTYPE speak [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><speak>&b;</speak>',
        '<?xml version="1.0"?><!DOCTYPE speak SYSTEM "file:///etc/passwd"><speak>a</speak>',
        "<speak>" + "<p>" * 40 + "a" + "</p>" * 40 + "</speak>",
        "<speak>" + "<s/>" * 1001 + "</speak>",
    ],
    ids=["entities", "external", "deep", "many"],
)
def test_a_dangerous_document_is_refused(document):
    with pytest.raises(BadMarkup):
        read_ssml(document)


def test_six_hundred_characters_are_the_most():
    assert plain_script("a" * 600).pieces
    for read in (plain_script, read_ssml):
        with pytest.raises(TooLong):
            read("a" * 601)


def test_marks_do_not_count_as_characters():
    assert read_ssml("<speak>" + '<prosody rate="slow">a</prosody>' * 100 + "</speak>").pieces


def test_pauses_have_a_bound_together():
    script = read_ssml('<break time="10s"/>a' * 20)

    assert sum(piece.seconds for piece in script.pieces if isinstance(piece, Pause)) == 60


@given(st.text(alphabet="<>/&;\"'= abspeakbrt0", max_size=200))
def test_any_text_is_read_or_refused(text):
    try:
        script = read_ssml(text)
    except SpeechError as refusal:
        script = plain_script(type(refusal).__name__)

    assert all(isinstance(piece, Words | Pause) for piece in script.pieces)
