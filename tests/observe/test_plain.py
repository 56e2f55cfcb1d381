"""Whatever is logged, it comes out as one line that cannot harm its reader."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.observe.plain import MAX_DEPTH, MAX_TEXT, escaped, plain

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text() | st.integers(), inner, max_size=4),
    max_leaves=10,
)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("a\r\nb", "a\\x0d\\x0ab"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("\x7f\x9b", "\\x7f\\x9b"),
        ("evil\u202egpj.exe", "evil\\u202egpj.exe"),
        ("\u2028", "\\u2028"),
        ("\ud800", "\\ud800"),
        ("Ærlig söt 日本", "Ærlig söt 日本"),
    ],
)
def test_control_characters_are_written_out_and_words_are_left_alone(text, written):
    assert escaped(text) == written


def test_long_text_is_elided_with_its_length():
    assert escaped("x" * 10_000) == "x" * MAX_TEXT + "... (10000 characters)"


def test_numbers_that_json_cannot_say_become_words():
    assert plain([math.nan, math.inf, 1 << 80]) == ["nan", "inf", "an integer beyond 64 bits"]


def test_what_contains_itself_ends():
    circle = []
    circle.append(circle)

    assert json.dumps(plain(circle)).count("[") <= MAX_DEPTH + 10


def test_an_object_whose_repr_raises_costs_its_own_value_only():
    class Broken:
        def __repr__(self):
            raise RuntimeError

    assert plain({"a": Broken(), "b": 1}) == {"a": "<Broken that cannot be shown: RuntimeError>", "b": 1}


@given(anything)
def test_anything_becomes_one_line_of_json(value):
    line = json.dumps(plain(value), ensure_ascii=False, allow_nan=False)

    assert len(line.splitlines()) == 1
    line.encode()
