"""The operator's prompts: files by id."""

import pytest

from gateway.speech.library import Library
from gateway.speech.port import BadSound, NoSuchPrompt
from gateway.testing.audio import tone, write_wav


@pytest.fixture
def beep(tmp_path):
    path = tmp_path / "beep.wav"
    write_wav(path, tone(440, duration_ms=500))
    return path


@pytest.fixture
def library(tmp_path):
    return Library(tmp_path / "prompts")


def test_a_prompt_is_kept_found_and_removed(library, beep):
    assert library.add("welcome", beep) == pytest.approx(0.5)
    assert [prompt.id for prompt in library.all()] == ["welcome"]
    assert library.read("Welcome")[0] == beep.read_bytes()

    library.remove("welcome")

    assert library.all() == []
    with pytest.raises(NoSuchPrompt):
        library.read("welcome")


def test_a_prompt_takes_the_place_of_one_of_another_kind(library, beep, tmp_path):
    other = beep.rename(tmp_path / "beep.wave")
    other.with_suffix(".wav").write_bytes(other.read_bytes())

    library.add("welcome", other)
    library.add("welcome", other.with_suffix(".wav"))

    assert [prompt.path.suffix for prompt in library.all()] == [".wav"]


@pytest.mark.parametrize("name", ["../secrets", "a/b", "", ".hidden", "a" * 65, "ä"])
def test_an_id_is_no_path(library, beep, name):
    with pytest.raises(BadSound, match="no id"):
        library.add(name, beep)


def test_what_is_no_sound_is_not_kept(library, tmp_path):
    for name in ("text.wav", "text.txt"):
        (tmp_path / name).write_text("hello " * 100)
        with pytest.raises(BadSound):
            library.add("welcome", tmp_path / name)

    assert library.all() == []


def test_a_library_that_nobody_made_is_empty(library):
    assert library.all() == []
