"""The grammar of prompts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.svaml.prompts import (
    BadPrompt,
    FilePrompt,
    SsmlPrompt,
    TtsPrompt,
    UrlPrompt,
    read_prompt,
    read_prompts,
    split_prompts,
)


@pytest.mark.parametrize(
    ("item", "prompt"),
    [
        ("welcome", FilePrompt("welcome")),
        ("[Welcome]", FilePrompt("Welcome")),
        ("welcome to all.wav", FilePrompt("welcome to all.wav")),
        ("#tts[Hello]", TtsPrompt("Hello")),
        ("#TTS[ Hello\nyou ]", TtsPrompt("Hello\nyou")),
        ("tts#[Hello]", TtsPrompt("Hello")),
        ("#tts[press [1] or ]2]", TtsPrompt("press [1] or ]2")),
        ("#ssml[<speak>Hello</speak>]", SsmlPrompt("<speak>Hello</speak>")),
        ("#href[https://a.example/x.wav]", UrlPrompt("https://a.example/x.wav")),
        ("http://a.example/x.wav?a=[1]", UrlPrompt("http://a.example/x.wav?a=[1]")),
        ("HTTPS://a.example/x", UrlPrompt("HTTPS://a.example/x")),
        ("#tts[]", None),
        ("[]", None),
        ("  ", None),
    ],
)
def test_an_item_is_one_prompt(item, prompt):
    assert read_prompt(f" {item} ") == prompt


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ("a;b", ("a", "b")),
        (" a ; ;b;", ("a", "b")),
        ("#tts[Hello; you];b", ("#tts[Hello; you]", "b")),
        ("#tts[a [b; c] d];e", ("#tts[a [b; c] d]", "e")),
        ("#tts[a]];b", ("#tts[a]]", "b")),
        ("", ()),
    ],
)
def test_a_semicolon_separates_only_outside_of_brackets(text, items):
    assert split_prompts(text) == items


def test_a_list_is_a_string_or_has_an_item_for_each():
    assert read_prompts("#tts[a;b];c") == (TtsPrompt("a;b"), FilePrompt("c"))
    assert read_prompts(["#tts[a;b]", "", "c"]) == (TtsPrompt("a;b"), FilePrompt("c"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("#tts[Hello", "never closed"),
        ("#foo[x]", "#foo[...] is no prompt"),
        ("#tts", "begins with #"),
        ("#href[ftp://a.example]", "wants a URL"),
        ("https://a.example/a b", "no white space"),
        (f"#tts[{'x' * 601}]", "601 characters"),
        (f"#ssml[<speak>{'x' * 601}</speak>]", "601 characters"),
    ],
)
def test_what_cannot_be_played_is_said(text, said):
    with pytest.raises(BadPrompt) as caught:
        read_prompts(text)
    assert said in str(caught.value)


def test_the_tags_of_ssml_are_not_spoken():
    breaks, words = '<break time="1s"/>' * 60, "x" * 600
    ssml = f"<speak>{breaks}{words}</speak>"

    assert read_prompt(f"#ssml[{ssml}]") == SsmlPrompt(ssml)


def read_or_refused(text):
    try:
        return read_prompts(text)
    except BadPrompt as refused:
        return str(refused)


@given(st.text("#[];ts hrefml:/", max_size=40))
def test_any_text_is_prompts_or_a_bad_prompt(text):
    assert isinstance(read_or_refused(text), tuple | str)


@given(st.lists(st.text(st.characters(exclude_characters=";[]"), min_size=1).map(str.strip).filter(bool)))
def test_items_that_are_joined_are_split_again(items):
    assert split_prompts(";".join(items)) == tuple(items)
